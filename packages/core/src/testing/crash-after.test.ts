import { expect, test } from 'vitest'
import { memoryStore } from '../store/memory-store.ts'
import type { Lease, Store } from '../store/store.ts'
import { CrashError, crashAfter } from './crash-after.ts'
import { entriesAfter, head, owner } from './entries.ts'

const point = [{ applied: true }, { applied: false }] as const

test.each(point)('every append is a crash point, visited once [%o]', async ({ applied }) => {
  for (let n = 0; n <= 3; n++) {
    const inner = memoryStore()
    const store = crashAfter(inner, n, { applied })
    const lease = (await store.acquire('s', owner('ann'), 1000)) as Lease
    const work = async () => {
      for (let seq = 0; seq < 3; seq++)
        await store.append(lease, seq, entriesAfter(seq, 1, lease.fence), head('s', seq + 1))
    }
    if (n === 3) {
      await work()
      expect(store).toMatchObject({ crashed: false, appends: 3 })
      continue
    }
    await expect(work()).rejects.toThrow(CrashError)
    expect(store).toMatchObject({ crashed: true, appends: n + 1 })
    expect((await inner.summary('s'))?.head.seq ?? 0).toBe(applied ? n + 1 : n)
    await expectDead(store, lease)
  }
})

test.each(point)('with at: write, whatever can change the store is one too [%o]', async ({ applied }) => {
  const blob = 'a'.repeat(64)
  for (let n = 0; ; n++) {
    const inner = memoryStore()
    const store = crashAfter(inner, n, { applied, at: 'write' })
    const work = async () => {
      const lease = (await store.acquire('s', owner('ann'), 1000)) as Lease
      await store.putBlob(lease, blob, 'text')
      await store.append(lease, 0, entriesAfter(0, 1, lease.fence), head('s', 1))
      await store.shared.write('key', 0, 'value')
      await store.renew(lease, 1000)
      await store.release(lease)
      await store.remove('s')
    }
    if (n === 7) {
      await work()
      expect(store).toMatchObject({ crashed: false, appends: 1, writes: 7 })
      return
    }
    await expect(work()).rejects.toThrow(CrashError)
    expect(store).toMatchObject({ crashed: true, writes: n + 1 })
    const done = applied ? n + 1 : n
    const summary = await inner.summary('s')
    expect(summary !== undefined).toBe(done >= 3 && done < 7)
    expect(await inner.readBlob('s', blob)).toBe(done >= 2 && done < 7 ? 'text' : undefined)
    expect((await inner.shared.read('key'))?.value).toBe(done >= 4 ? 'value' : undefined)
    if (summary) expect(summary.holder === null).toBe(done >= 6)
  }
})

test('nobody learns of what was under way at the crash', async () => {
  const inner = memoryStore()
  let land = () => {}
  const landed = new Promise<void>((resolve) => (land = resolve))
  const slow = crashAfter({ ...inner, summary: (id) => landed.then(() => inner.summary(id)) }, 0, { applied: false })
  const lease = (await slow.acquire('s', owner('ann'), 1000)) as Lease
  const reading = slow.summary('s')
  await expect(slow.append(lease, 0, entriesAfter(0, 1, lease.fence), head('s', 1))).rejects.toThrow(CrashError)
  land()
  await expect(reading).rejects.toThrow(CrashError)
})

async function expectDead(store: Store, lease: Lease): Promise<void> {
  await expect(store.renew(lease, 1)).rejects.toThrow(CrashError)
  await expect(store.summary('s')).rejects.toThrow(CrashError)
  await expect(store.read('s')[Symbol.asyncIterator]().next()).rejects.toThrow(CrashError)
  await expect(store.list()[Symbol.asyncIterator]().next()).rejects.toThrow(CrashError)
  await expect(store.acquire('s', owner('ann'), 1000)).rejects.toThrow(CrashError)
  await expect(store.readBlob('s', 'a'.repeat(64))).rejects.toThrow(CrashError)
  await expect(store.shared.read('key')).rejects.toThrow(CrashError)
}
