import { expect, test } from 'vitest'
import { memoryStore } from '../memory-store.ts'
import type { Lease } from '../store.ts'
import { CrashError, crashAfter } from './crash-after.ts'
import { entriesAfter, head, owner } from './entries.ts'

for (const applied of [true, false]) {
  test(`every crash point is visited once, and the fatal append was ${applied ? '' : 'not '}applied`, async () => {
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
      await expect(store.renew(lease, 1)).rejects.toThrow(CrashError)
      await expect(store.summary('s')).rejects.toThrow(CrashError)
      await expect(store.read('s')[Symbol.asyncIterator]().next()).rejects.toThrow(CrashError)
      await expect(store.acquire('s', owner('ann'), 1000)).rejects.toThrow(CrashError)
    }
  })
}
