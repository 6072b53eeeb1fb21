/** A removal that dies, or stands still, at any of its steps: all of the session is there, or nothing of it is. */
import type * as Files from 'node:fs/promises'
import { statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { describe, expect, test, vi } from 'vitest'
import { openSession } from '../session/open-session.ts'
import { thisOwner } from '../store/owner.ts'
import type { Store } from '../store/store.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { add, all, codeOf, place, taken } from './file.fixture.ts'
import { fileStore } from './file-store.ts'

const [blob, other] = ['a'.repeat(64), 'b'.repeat(64)]

/** Called before each step that changes something. */
let onStep: () => Promise<void> | void = () => {}

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof Files>()
  const stepped = <A extends unknown[], R>(call: (...args: A) => Promise<R>) => {
    return async (...args: A): Promise<R> => {
      await onStep()
      return call(...args)
    }
  }
  const open: typeof real.open = async (...args) => {
    const handle = await real.open(...args)
    handle.write = stepped(handle.write.bind(handle) as (...args: unknown[]) => Promise<never>) as never
    handle.sync = stepped(handle.sync.bind(handle))
    return handle
  }
  return {
    ...real,
    open,
    mkdir: stepped(real.mkdir as (...args: unknown[]) => Promise<never>) as never,
    writeFile: stepped(real.writeFile),
    rename: stepped(real.rename),
    rm: stepped(real.rm),
  }
})

async function written() {
  const where = await place()
  const clock = new ManualClock()
  const open = () => fileStore({ dir: where.state, clock })
  const store = open()
  const lease = await taken(store)
  await store.putBlob(lease, blob, 'text')
  const entries = await add(store, lease, 0, 2)
  await store.release(lease)
  return { ...where, clock, open, entries }
}

/** Runs `job` and stops the world at step `n`; whether there was one. */
async function cutAt(n: number, job: () => Promise<unknown>): Promise<boolean> {
  let step = 0
  onStep = () => {
    if (step++ >= n) throw new Error('killed')
  }
  await job().catch(() => {})
  onStep = () => {}
  return step > n
}

async function listed(store: Store): Promise<string[]> {
  const ids: string[] = []
  for await (const { head } of store.list()) ids.push(head.sessionId)
  return ids
}

describe('a removal that is killed at any step', () => {
  test('leaves the whole session or none, and the next removal leaves nothing (P1)', async () => {
    const outcomes = new Set<string>()
    for (let n = 0; ; n += 1) {
      const { clock, open, entries, sessions } = await written()
      if (!(await cutAt(n, () => open().remove('s')))) break
      await clock.advance(60_000)
      const store = open()
      const ids = await listed(store)
      outcomes.add(ids.join())
      expect([n, await all(store)]).toEqual([n, ids.length > 0 ? entries : []])
      if (ids.length > 0) expect([n, await store.readBlob('s', blob)]).toEqual([n, 'text'])
      await store.remove('s')
      expect([n, await readdir(sessions)]).toEqual([n, []])
    }
    expect([...outcomes]).toEqual(['s', ''])
  })

  test('gives nothing of it to the next session of that name, which goes on as any other', async () => {
    for (let n = 0; ; n += 1) {
      const { clock, open, sessions } = await written()
      if (!(await cutAt(n, () => open().remove('s')))) break
      await clock.advance(60_000)
      const store = open()
      if ((await listed(store)).length > 0) continue
      const lease = await taken(store, 'bob')
      expect([n, await store.readBlob('s', blob)]).toEqual([n, undefined])
      await store.putBlob(lease, other, 'new')
      const entries = await add(store, lease, 0)
      expect([n, await all(open())]).toEqual([n, entries])
      expect([n, await open().readBlob('s', other)]).toEqual([n, 'new'])
      await store.remove('s', lease)
      expect([n, await readdir(sessions)]).toEqual([n, []])
    }
  })

  test('leaves what another removal, of any session, sweeps away', async () => {
    for (let n = 0; ; n += 1) {
      const { clock, open, sessions } = await written()
      if (!(await cutAt(n, () => open().remove('s')))) break
      await clock.advance(60_000)
      await open().remove('t')
      expect([n, (await readdir(sessions)).filter((name) => name.endsWith('.removed'))]).toEqual([n, []])
    }
  })
})

test('who comes while a session is removed is told so, and no command that cannot work', async () => {
  const { clock, open } = await written()
  await open().acquire('s', thisOwner('removing:me'), 60_000)
  for (const takeover of [false, true]) {
    await expect(openSession('s', { store: open(), clock, takeover })).rejects.toMatchObject({
      code: 'session-busy',
      message: expect.stringContaining('session s is being removed by pid '),
      hint: expect.stringMatching(/^that ends at \S+Z at the latest; then try again$/),
    })
  }
})

describe('a removal that is refused at any step', () => {
  test.each([false, true])('is done when it is tried again [under a lease: %s]', async (held) => {
    for (let n = 0; ; n += 1) {
      const { open, sessions } = await written()
      const store = open()
      const lease = held ? await store.acquire('s', thisOwner('removing:me'), 60_000) : undefined
      if (lease?.kind === 'busy') throw new Error('busy')
      let step = 0
      onStep = () => {
        if (step++ === n) throw Object.assign(new Error('EIO'), { code: 'EIO', syscall: 'made up' })
      }
      const outcome = await codeOf(store.remove('s', lease))
      onStep = () => {}
      if (step <= n) break
      // Nothing depends on it that a lease cannot be given back.
      expect([n, outcome]).toEqual([n, expect.stringMatching(/^(ok|store-unavailable)$/)])
      expect([n, await codeOf(store.remove('s', lease))]).toEqual([n, 'ok'])
      expect([n, await readdir(sessions)]).toEqual([n, []])
    }
  })

  test('is free for others when its lease is given back', async () => {
    const { open, entries } = await written()
    const store = open()
    const lease = await taken(store)
    let step = 0
    onStep = () => {
      if (step++ === 5) throw Object.assign(new Error('EIO'), { code: 'EIO', syscall: 'made up' })
    }
    expect(await codeOf(store.remove('s', lease))).toBe('store-unavailable')
    onStep = () => {}
    expect(await codeOf(taken(open(), 'bob'))).toBe('no code')
    await store.release(lease)
    await add(open(), await taken(open(), 'bob'), entries.length)
    expect(await codeOf(store.remove('s', lease))).toBe('lease-lost')
  })
})

describe('a removal that stands still at any step for longer than its lease', () => {
  test.each([false, true])(
    'takes nothing that somebody else has written meanwhile (P1) [takeover: %s]',
    async (held) => {
      for (let n = 0; ; n += 1) {
        const { clock, open } = await written()
        const store = open()
        const lease = held ? await store.acquire('s', thisOwner('removing:me'), 5_000) : undefined
        if (lease?.kind === 'busy') throw new Error('busy')
        let [step, seen] = [0, [] as unknown[]]
        onStep = async () => {
          if (step++ !== n) return
          onStep = () => {}
          await clock.advance(3_600_000)
          const next = await taken(open(), 'bob')
          await open().putBlob(next, other, 'new')
          await add(open(), next, (await open().summary('s'))?.head.seq ?? 0)
          seen = await all(open())
        }
        const outcome = await codeOf(store.remove('s', lease))
        onStep = () => {}
        if (step <= n) break
        expect([n, await all(open())]).toEqual([n, seen])
        expect([n, await open().readBlob('s', other)]).toEqual([n, 'new'])
        const refused = held ? 'lease-lost' : expect.stringMatching(/^(lease-lost|session-busy)$/)
        expect([n, outcome]).toEqual([n, seen.length > 1 ? refused : 'ok'])
      }
    },
  )

  test('is refused when its lease ran out, and leaves all as it is', async () => {
    const { clock, open, sessions, entries, journal } = await written()
    const lease = await taken(open())
    const before = await readdir(sessions)
    await clock.advance(600_000)
    const { size } = statSync(journal)
    expect(await codeOf(open().remove('s', lease))).toBe('lease-lost')
    expect(statSync(journal).size).toBe(size)
    expect(await readdir(sessions)).toEqual(before)
    expect(await all(open())).toEqual(entries)
    await add(open(), lease, 2)
  })
})
