import { describe, expect, test } from 'vitest'
import { memoryStore } from '../store/memory-store.ts'
import { openSession } from './open-session.ts'
import { removeSessions } from '../store/removal.ts'
import { expiryOf, prunePlan, type PrunePlan } from './retention.ts'
import type { SessionOptions } from './session-options.ts'
import type { Head } from '../store/head.ts'
import type { SessionSummary, Store } from '../store/store.ts'
import { head, owner, turnStarted } from '../testing/entries.ts'
import { ManualClock } from '../testing/manual-clock.ts'

const day = 86_400_000

const summary = (sessionId: string, changes: Partial<Head> = {}, isHeld = false): SessionSummary => ({
  head: head(sessionId, 1, { updatedAt: 0, ...changes }),
  holder: isHeld ? { owner: owner('ann'), fence: 1, since: 0, expiresAt: 1 } : null,
})
const from = (sessionId: string) => ({ origin: { sessionId, seq: 3 } })

const outcome = ({ expired, kept, others }: PrunePlan) => ({
  expired: expired.map((one) => one.head.sessionId),
  kept: kept.map((one) => [one.summary.head.sessionId, one.because]),
  others,
})

describe('what pruning takes', () => {
  test('are sessions whose time is over, and with an age also all that are so old; never pinned or held ones', () => {
    const sessions = [
      summary('over', { ttlMs: day }),
      summary('later', { ttlMs: 3 * day }),
      summary('never'),
      summary('pinned', { ttlMs: day, pinned: true }),
      summary('held', { ttlMs: day }, true),
    ]
    const stays = [
      ['pinned', 'pinned'],
      ['held', 'held'],
    ]
    const now = 2 * day
    expect(outcome(prunePlan(sessions, { now }))).toEqual({ expired: ['over'], kept: stays, others: 2 })
    expect(outcome(prunePlan(sessions, { now, olderThanMs: 2 * day }))).toEqual({
      expired: ['over', 'later', 'never'],
      kept: stays,
      others: 0,
    })
    expect(outcome(prunePlan(sessions, { now: day - 1 }))).toEqual({ expired: [], kept: [], others: 5 })
    expect(sessions.map((one) => expiryOf(one.head))).toEqual([day, 3 * day, undefined, undefined, day])
  })

  test('of those that go, the one that was left alone longest is first', () => {
    const sessions = [
      summary('new', { updatedAt: 3 }),
      summary('old', { updatedAt: 1 }),
      summary('newer', { updatedAt: 2 }),
    ]
    expect(outcome(prunePlan(sessions, { now: day, olderThanMs: 1 })).expired).toEqual(['old', 'newer', 'new'])
  })

  test('a fork goes before what it came from, and one that stays keeps all of its lineage', () => {
    const over = { ttlMs: day }
    const lineage = [
      summary('a', over),
      summary('b', { ...over, ...from('a') }),
      summary('c', { ...over, ...from('b') }),
    ]
    expect(outcome(prunePlan(lineage, { now: day })).expired).toEqual(['c', 'b', 'a'])
    const kept = [...lineage.slice(0, 2), summary('c', from('b'))]
    expect(outcome(prunePlan(kept, { now: day }))).toEqual({
      expired: [],
      kept: [
        ['a', 'forks'],
        ['b', 'forks'],
      ],
      others: 1,
    })
  })

  test('sessions that name each other as their parents, as after a removal and a fork of that name, go as well', () => {
    const circle = [summary('a', from('b')), summary('b', from('a'))]
    expect(outcome(prunePlan(circle, { now: day, olderThanMs: 1 })).expired.toSorted()).toEqual(['a', 'b'])
  })
})

describe('how long a session is kept', () => {
  const clock = new ManualClock()
  const opened = async (store: Store, options: SessionOptions = {}) => openSession('s', { store, clock, ...options })
  async function types(store: Store) {
    const seen: string[] = []
    for await (const entry of store.read('s')) seen.push(entry.type)
    return seen
  }

  test('is recorded when the session is opened with it, in the head of every append after it, and only when it changes', async () => {
    const store = memoryStore({ clock })
    const session = await opened(store, { ttlMs: day })
    await session.record([turnStarted('hello')])
    await session.retain({ ttlMs: day })
    await session.retain({ pinned: false })
    expect(await types(store)).toEqual(['session-opened', 'retention-changed', 'turn-started'])
    await session.retain({ pinned: true })
    await session.record([{ type: 'request-sent', model: 'm', attempt: 1 }])
    const { head } = (await store.summary('s')) as SessionSummary
    expect(head).toMatchObject({ ttlMs: day, pinned: true })
    expect(expiryOf(head)).toBeUndefined()
    await session.close()

    const again = await opened(store, { ttlMs: day, pinned: false })
    expect(expiryOf(((await store.summary('s')) as SessionSummary).head)).toBe(clock.now() + day)
    await again.retain({ ttlMs: null })
    expect((await store.summary('s'))?.head).not.toHaveProperty('ttlMs')
    await again.close()
    expect((await types(store)).filter((type) => type === 'retention-changed')).toHaveLength(4)
  })

  test('for ever, as a number, is over at the last instant that there is', async () => {
    const store = memoryStore({ clock })
    const session = await opened(store, { ttlMs: Number.MAX_SAFE_INTEGER })
    await session.record([turnStarted('hello')])
    await session.close()
    const expiry = expiryOf(((await store.summary('s')) as SessionSummary).head) ?? NaN
    expect(new Date(expiry).toISOString()).toBe('+275760-09-13T00:00:00.000Z')
  })

  test('is kept by a head of another machine version too: it is in the journal', async () => {
    const store = memoryStore({ clock })
    const session = await opened(store, { ttlMs: day, pinned: true })
    await session.record([turnStarted('hello')])
    await session.close()
    const again = await opened(store, { machineVersion: 'next' })
    expect((await store.summary('s'))?.head).toMatchObject({ ttlMs: day, pinned: true })
    await again.close()
  })

  test.each([0, -1, Number.NaN, Infinity])('%d ms is a bad-option', async (ttlMs) => {
    await expect(opened(memoryStore(), { ttlMs })).rejects.toMatchObject({
      code: 'bad-option',
      details: { field: 'ttlMs' },
      hint: expect.stringContaining('null'),
    })
  })
})

test('of many sessions that go, one that cannot does not keep the others, and all share few looks at the store', async () => {
  const clock = new ManualClock()
  const inner = memoryStore({ clock })
  const ids = Array.from({ length: 120 }, (_, i) => `s${i}`)
  for (const id of ids) {
    const session = await openSession(id, { store: inner, clock })
    await session.record([turnStarted('hello')])
    await session.close()
  }
  const held = await openSession('s7', { store: inner, clock })
  let lists = 0
  const store: Store = { ...inner, list: (filter) => ((lists += 1), inner.list(filter)) }
  const failed: string[] = []
  for await (const one of removeSessions(store, ids, { clock })) if ('failure' in one) failed.push(one.sessionId)
  expect(failed).toEqual(['s7'])
  expect(lists).toBe(3)
  const left: string[] = []
  for await (const { head } of inner.list()) left.push(head.sessionId)
  expect(left).toEqual(['s7'])
  await held.close()
})
