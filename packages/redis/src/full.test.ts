import { forkSession, openSession, removeSessions, type Head, type Store } from '@lastgood/core'
import { expect, it, onTestFinished } from 'vitest'
import { startRedis } from '../../../test/support/redis-server.ts'
import { client, collect, openStore, rejection } from '../test/fixture.ts'

async function fullStore(ids: readonly string[], prepare: (store: Store) => Promise<unknown> = async () => {}) {
  const server = await startRedis()
  onTestFinished(() => server.stop())
  const { store } = openStore(server.url)
  for (const id of ids) {
    const session = await openSession(id, { store })
    await session.startTurn([{ role: 'user', content: 'x'.repeat(300_000) }], 'coder')
    await session.record([
      { type: 'request-sent', model: 'm', attempt: 1 },
      {
        type: 'response-received',
        message: { id: 'm', role: 'assistant', model: 'm', content: [], stop_reason: 'end_turn' },
      },
      { type: 'turn-ended', turn: 1 },
    ])
    await session.close()
  }
  await prepare(store)
  await client(server.url).config('SET', 'maxmemory', '1mb')
  expect(await rejection(openSession('more', { store, storePatienceMs: 1 }))).toMatchObject({
    details: { code: 'OOM' },
  })
  const heads = (await collect(store.list())).map(({ head }) => head)
  return { store, heads: ids.map((id) => heads.find(({ sessionId }) => sessionId === id) as Head) }
}

async function removal(store: Store, sessions: readonly Head[]) {
  const failures = new Map<string, unknown>()
  for await (const { sessionId, failure } of removeSessions(store, sessions)) failures.set(sessionId, failure)
  return Object.fromEntries(failures)
}

const ids = ['a', 'b', 'c']

it('sessions can be removed from a server whose memory is full', async () => {
  const { store, heads } = await fullStore(ids)
  expect(await removal(store, heads)).toEqual({ a: undefined, b: undefined, c: undefined })
  expect(await collect(store.list())).toEqual([])
})

it('P1: there, too, one that has a fork stays, one that was written since, and one that somebody holds', async () => {
  const { store, heads } = await fullStore(ids, async (at) => {
    await forkSession(at, 'a', 'fork')
    await openSession('c', { store: at })
  })
  const [a, b, c] = heads as [Head, Head, Head]
  expect(await removal(store, [a, { ...b, seq: b.seq - 1 }, c])).toMatchObject({
    a: { code: 'bad-option', details: { forks: ['fork'] } },
    b: { code: 'journal-conflict' },
    c: { code: 'session-busy' },
  })
  expect(await collect(store.list())).toHaveLength(4)
})
