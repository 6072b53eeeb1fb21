/** A removal that dies, or stands still, at any of its steps: all of the session is there, or nothing of it is. */
import type * as Files from 'node:fs/promises'
import type * as SyncFiles from 'node:fs'
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

/** Called before each step that changes something; those that are done at once wait for nobody. */
let onStep: () => Promise<void> | void = () => {}
let onStepAtOnce: () => void = () => {}

vi.mock('node:fs', async (original) => {
  const real = await original<typeof SyncFiles>()
  const renameSync: typeof real.renameSync = (...args) => (onStepAtOnce(), real.renameSync(...args))
  const unlinkSync: typeof real.unlinkSync = (...args) => (onStepAtOnce(), real.unlinkSync(...args))
  return { ...real, renameSync, unlinkSync }
})

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
  onStep = onStepAtOnce = () => {
    if (step++ >= n) throw new Error('killed')
  }
  await job().catch(() => {})
  onStep = onStepAtOnce = () => {}
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
