import { expect, test } from 'vitest'
import { LastgoodError } from '../errors.ts'
import { memoryStore } from '../store/memory-store.ts'
import { openSession, visitSession } from './open-session.ts'
import type { Session } from './session.ts'
import type { SessionOptions } from './session-options.ts'
import type { Store } from '../store/store.ts'
import { CrashError, crashAfter } from '../testing/crash-after.ts'
import { testEpoch } from '../testing/entries.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { ask, callTool, takeTurn } from './turn.fixture.ts'

test.each([-1, 1])(
  'a head that is %i entries off its journal is journal-corrupt, and the lease is given back',
  async (off) => {
    const store = memoryStore()
    const session = await openSession('ses', { store })
    await session.startTurn([{ role: 'user', content: 'x' }])
    await session.close()
    const damaged: Store = {
      ...store,
      async summary(id) {
        const summary = await store.summary(id)
        return summary && { ...summary, head: { ...summary.head, seq: summary.head.seq + off } }
      },
    }
    await expect(openSession('ses', { store: damaged })).rejects.toMatchObject({
      code: 'journal-corrupt',
      hint: expect.stringContaining('lastgood show ses'),
      details: { sessionId: 'ses', length: 2, seq: 2 + off },
    })
    expect((await store.summary('ses'))?.holder).toBeNull()
  },
)

test('a session that another writer takes and continues while it is opened is not corrupt, but lost (P3)', async () => {
  const store = memoryStore()
  await openSession('ses', { store }).then((first) => first.startTurn([{ role: 'user', content: 'x' }]))
  const slow: Store = {
    ...store,
    async summary(id) {
      const summary = await store.summary(id)
      await openSession('ses', { store, takeover: true })
      return summary
    },
  }
  const opened = openSession('ses', { store: slow, takeover: true })
  await expect(opened).rejects.toMatchObject({ code: 'lease-lost', details: { sessionId: 'ses' } })
})

test('what keeps a session from being opened is told, also when the lease cannot be given back (P6)', async () => {
  const clock = new ManualClock()
  const store = memoryStore({ clock })
  const broken: Store = {
    ...store,
    summary: () => Promise.reject(new LastgoodError('store-unavailable', 'no connection', { hint: 'try again' })),
    release: () => new Promise(() => {}),
  }
  const opened = openSession('ses', { store: broken, clock }).catch((error: unknown) => error)
  await clock.advance(15_000)
  expect(await opened).toMatchObject({ code: 'store-unavailable', hint: 'try again' })
})

test('an option that no session has is refused by its name, before anything is recorded elsewhere than meant', async () => {
  const mistaken = { stroe: memoryStore() }
  await expect(openSession('ses', mistaken as object)).rejects.toMatchObject({
    code: 'bad-option',
    message: expect.stringContaining('Session option holds stroe'),
    details: { field: 'stroe' },
  })
})

test('what cannot decide about a fault is told before there is one', async () => {
  const opened = openSession('ses', { store: memoryStore(), decide: 'x' as never })
  await expect(opened).rejects.toMatchObject({ code: 'bad-option', details: { field: 'decide' } })
})

test('a lease of more than a day is refused: after a crash of its host nobody else would go on for as long', async () => {
  const store = memoryStore()
  await expect(openSession('ses', { store, leaseMs: 86_400_001 })).rejects.toMatchObject({
    code: 'bad-option',
    message: 'leaseMs must be at most 86400000 (a day), got 86400001',
    details: { field: 'leaseMs' },
  })
  expect(await store.summary('ses')).toBeUndefined()
  await (await openSession('ses', { store, leaseMs: 86_400_000 })).close()
})

/** A session whose process died in a wait of so many ms. */
async function diedWaiting(clock: ManualClock, waitMs: number): Promise<Store> {
  const store = memoryStore()
  const died = await openSession('ses', { store, clock })
  await died.startTurn([{ role: 'user', content: 'x' }])
  await died.record([
    { type: 'request-sent', model: 'm', attempt: 1 },
    {
      type: 'fault-observed',
      fault: { kind: 'overloaded', status: 529 },
      decision: { kind: 'retry', at: clock.now() + waitMs },
    },
  ])
  return store
}

test.each([
  ['ahead', 86_400_000, 130],
  ['right', -1_000, 129_000],
])('a wait that was armed while the clock was %s lasts as long as was meant (P6)', async (_, aheadMs, leftMs) => {
  const before = new ManualClock({ startAt: testEpoch + aheadMs })
  const store = await diedWaiting(before, aheadMs > 0 ? 130 : 130_000)
  const clock = new ManualClock({ startAt: testEpoch })
  const session = await openSession('ses', { store, clock, takeover: true })
  expect(session.owed).toEqual({ kind: 'wait', until: testEpoch + leftMs })
  expect((await store.summary('ses'))?.head).toMatchObject({ dueAt: testEpoch + leftMs, reason: '529 overloaded' })
  await session.close()
})

test.each<[string, (options: SessionOptions) => Promise<unknown>]>([
  [
    'a start died half-way',
    ({ store, ...rest }) =>
      expect(openSession('ses', { ...rest, store: crashAfter(store!, 1, { applied: false }) })).rejects.toThrow(
        CrashError,
      ),
  ],
  ['somebody pinned it', (options) => visitSession('ses', options, (session) => session.retain({ pinned: true }))],
])('nor is a wait that was armed while the clock was ahead any longer where %s since then (P6)', async (_, touch) => {
  const store = await diedWaiting(new ManualClock({ startAt: testEpoch + 86_400_000 }), 130)
  const clock = new ManualClock({ startAt: testEpoch })
  await touch({ store, clock, takeover: true })
  const session = await openSession('ses', { store, clock, takeover: true })
  expect(session.owed).toEqual({ kind: 'wait', until: testEpoch + 130 })
  await session.close()
})

test('a request that was in flight is owed at once, whenever the clock says that an earlier wait began (P6)', async () => {
  const store = await diedWaiting(new ManualClock({ startAt: testEpoch + 86_400_000 }), 130)
  const retrying = await openSession('ses', { store, takeover: true })
  await retrying.record([{ type: 'request-sent', model: 'm', attempt: 2 }])
  const session = await openSession('ses', { store, clock: new ManualClock({ startAt: testEpoch }), takeover: true })
  expect(session.owed).toEqual({ kind: 'send-request' })
  await session.close()
})

test('an opening that cannot record the restart leaves nothing running, and the lease is free', async () => {
  const clock = new ManualClock()
  const store = memoryStore({ clock })
  await ask(await openSession('ses', { store, clock: new ManualClock() }))
  const append = () => Promise.reject(new LastgoodError('journal-conflict', 'no', { hint: 'no' }))
  const opened = openSession('ses', { store: { ...store, append }, clock, takeover: true })
  await expect(opened).rejects.toMatchObject({ code: 'journal-conflict' })
  expect([clock.sleepers, (await store.summary('ses'))?.holder]).toEqual([[], null])
})

const typesOf = async (store: Store) => {
  const types: string[] = []
  for await (const { type } of store.read('ses')) types.push(type)
  return types
}

test.each<[string, string[], (session: Session) => Promise<void>, SessionOptions]>([
  ['at rest', [], takeTurn, {}],
  ['at rest, and of an earlier version', ['session-resumed'], takeTurn, { machineVersion: 'next' }],
  ['waiting for an answer', ['session-resumed'], ask, {}],
  ['running calls', ['session-resumed'], (session) => ask(session).then(() => callTool(session)), {}],
  ['whose calls run elsewhere', [], (session) => ask(session).then(() => callTool(session)), { callsElsewhere: true }],
  ['waiting for an answer, its calls elsewhere', ['session-resumed'], ask, { callsElsewhere: true }],
])('the restart of a session %s records %j', async (_what, recorded, leave, options) => {
  const store = memoryStore()
  const died = await openSession('ses', { store })
  await leave(died)
  const before = await typesOf(store)
  const session = await openSession('ses', { store, takeover: true, ...options })
  expect((await typesOf(store)).slice(before.length)).toEqual(recorded)
  await session.close()
})

test('a visit makes no session, and has given back the one that is there when it is over', async () => {
  const inner = memoryStore()
  const slow: Store = { ...inner, release: (lease) => new Promise(setImmediate).then(() => inner.release(lease)) }
  const pin = () => visitSession('ses', { store: slow }, (session) => session.retain({ pinned: true }).then(() => 1))
  await expect(pin()).rejects.toMatchObject({ code: 'session-not-found' })
  expect(await inner.summary('ses')).toBeUndefined()
  const session = await openSession('ses', { store: inner })
  await takeTurn(session)
  await session.close()
  expect(await pin()).toBe(1)
  expect(await inner.summary('ses')).toMatchObject({ holder: null, head: { pinned: true } })
})
