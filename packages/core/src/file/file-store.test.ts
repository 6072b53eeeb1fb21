import type * as SyncFiles from 'node:fs'
import { utimes } from 'node:fs/promises'
import { describe, expect, test, vi } from 'vitest'
import { newFolder } from '../../../../test/support/folder.ts'
import { openSession } from '../session/open-session.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { storeContract } from '../testing/store-contract.ts'
import { entriesAfter, head, owner, testEpoch, turnStarted } from '../testing/entries.ts'
import { fileStore } from './file-store.ts'
import type * as Writers from './session-writer.ts'

const made: string[] = []
vi.mock('./session-writer.ts', async (original) => {
  const real = await original<typeof Writers>()
  const sessionWriter: typeof real.sessionWriter = (place, ...rest) => {
    made.push(place.sessionId)
    return real.sessionWriter(place, ...rest)
  }
  return { ...real, sessionWriter }
})

/** How long ago a file seems to have been changed, which nobody can set. */
const changedAgoMs = new Map<unknown, number>()
vi.mock('node:fs', async (original) => {
  const real = await original<typeof SyncFiles>()
  const statSync = (path: string) => {
    const found = real.statSync(path)
    return Object.assign(found, { ctimeMs: found.ctimeMs - (changedAgoMs.get(path) ?? 0) })
  }
  return { ...real, statSync }
})

describe('fileStore keeps the store contract', () => {
  for (const { name, run } of storeContract) {
    test(name, async () => {
      const dir = newFolder()
      const clock = new ManualClock()
      const store = fileStore({ dir, clock })
      await run({
        store,
        another: async () => fileStore({ dir, clock }),
        elapse: (_, ms) => clock.advance(ms),
        close: () => store.close(),
      })
    })
  }
})

test('a list of what is new does not open what has not been changed, and finds all the rest, copied or restored', async () => {
  const dir = newFolder()
  const store = fileStore({ dir })
  const before = Date.now()
  for (const id of ['old', 'new', 'copied', 'Other']) {
    const session = await openSession(id, { store })
    await session.startTurn([{ role: 'user', content: 'Hi' }])
    await session.close()
  }
  // That it was not opened shows in that it is not listed.
  changedAgoMs.set(store.journalAt('old'), 3_600_000)
  await utimes(store.journalAt('copied'), new Date(0), new Date(0))
  const listed = async (updatedSince?: number) => {
    const ids = []
    for await (const { head } of store.list(updatedSince === undefined ? {} : { updatedSince }))
      ids.push(head.sessionId)
    return ids.sort()
  }
  expect(await listed(before)).toEqual(['Other', 'copied', 'new'])
  expect(await listed()).toEqual(['Other', 'copied', 'new', 'old'])
})

test('what is remembered of a session goes when its lease is given back, and a late append is refused all the same', async () => {
  const dir = newFolder()
  const store = fileStore({ dir })
  made.length = 0
  const take = async () => {
    const lease = await store.acquire('s', owner('ann'), 600_000)
    if (lease.kind === 'busy') throw new Error('s is busy')
    return lease
  }
  const first = await take()
  const append = (lease: typeof first, afterSeq: number) =>
    store.append(lease, afterSeq, entriesAfter(afterSeq, 1, lease.fence, turnStarted('hello')), head('s', afterSeq + 1))
  await append(first, 0)
  await store.renew(first, 600_000)
  expect(made).toEqual(['s'])
  await store.release(first)
  const second = await take()
  expect(made).toEqual(['s', 's'])
  await append(second, 1)
  expect(await append(second, 1)).toBe(2)
  await expect(append(first, 1)).rejects.toMatchObject({ code: 'lease-lost' })
  await store.release(second)
  await expect(append(second, 2)).rejects.toMatchObject({ code: 'lease-lost' })
})

describe('a lease of a holder whose clock was ahead', () => {
  const ttlMs = 30_000
  async function held(aheadMs: number) {
    const dir = newFolder()
    const at = (ms: number) => fileStore({ dir, clock: new ManualClock({ startAt: testEpoch + ms }) })
    const ahead = at(aheadMs)
    const lease = await ahead.acquire('s', owner('a'), ttlMs)
    if (lease.kind !== 'lease') throw new Error('it is free')
    await ahead.append(lease, 0, entriesAfter(0, 1, lease.fence), head('s', 1))
    return { lease, store: at(0), later: at(ttlMs) }
  }

  test('does not keep the session until the clock is there again', async () => {
    const { store } = await held(86_400_000)
    expect((await store.summary('s'))?.holder).toBeNull()
    expect(await store.acquire('s', owner('b'), ttlMs)).toMatchObject({ kind: 'lease' })
  })

  test('holds and runs out like any other once he has renewed it (P3)', async () => {
    const { lease, store, later } = await held(86_400_000)
    expect(await store.renew(lease, ttlMs)).toBe(true)
    expect(await store.acquire('s', owner('b'), ttlMs)).toMatchObject({ kind: 'busy', expiresAt: testEpoch + ttlMs })
    expect(await later.acquire('s', owner('b'), ttlMs)).toMatchObject({ kind: 'lease' })
  })

  test('holds where the clock was corrected by less than its time (P3)', async () => {
    const { store } = await held(ttlMs)
    expect(await store.acquire('s', owner('b'), ttlMs)).toMatchObject({ kind: 'busy' })
  })
})
