import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { LastgoodError, memoryStore, openSession, type SessionSummary, type Store } from '@lastgood/core'
import { fileStore } from '@lastgood/core/file'
import { ManualClock } from '@lastgood/core/testing'
import { describe, expect, test } from 'vitest'
import { answered, ended, newFolder, overloaded, seed, sent, started } from '../../test/context.ts'
import { stage } from '../../test/dashboard.ts'

const now = Date.now()
/** What the page promises. */
const inTime = { timeout: 5_000 }

/** A store that counts what it is asked, and does not answer while it is down. */
function counting(store: Store = memoryStore()) {
  const counts = { list: 0, read: 0 }
  const state = { isDown: false }
  const answering = () => {
    if (state.isDown) throw new LastgoodError('store-unavailable', 'nobody answers', { hint: 'start it' })
  }
  const watched: Store = {
    ...store,
    async *list(filter) {
      counts.list += 1
      answering()
      yield* store.list(filter)
    },
    async *read(id, after) {
      counts.read += 1
      answering()
      yield* store.read(id, after)
    },
    async summary(id) {
      answering()
      return store.summary(id)
    },
  }
  return { store: watched, counts, state, inner: store }
}

describe('an overview', () => {
  test('has every session by what it needs, and the verdict of lastgood status', async () => {
    const store = memoryStore()
    await seed(store, 'asleep', [started(1), sent(), answered('Yes.'), ended(1)])
    await seed(store, 'stuck', [started(1), sent(), overloaded(60_000, now)])
    await seed(store, 'busy', [started(1), sent(), overloaded(60_000, now)], true)
    const { sessions, verdict, store: place } = await stage(store).overview()
    const groups = Object.fromEntries(sessions.map(({ sessionId, group }) => [sessionId, group]))
    expect(groups).toEqual({ asleep: 'done', stuck: 'needs-you', busy: 'waiting' })
    expect(verdict).toMatchObject({ kind: 'unknown', command: 'lastgood resume stuck' })
    expect(place).toEqual({ location: store.location, trouble: null, damage: null })
  })

  test('tells how a session came through an outage as soon as its journal was read', async () => {
    const store = memoryStore()
    await seed(store, 'fix-auth', [started(1), sent(), overloaded(1, now), sent(2), answered('Yes.'), ended(1)])
    const viewer = await stage(store).view()
    const recovered = { how: 'same-model', attempts: 2 }
    await expect
      .poll(() => [viewer.events[0]?.data.sessions, ...viewer.changes.map(({ sessions }) => sessions)].flat(), inTime)
      .toContainEqual(expect.objectContaining({ group: 'recovered', recovered: expect.objectContaining(recovered) }))
    await viewer.leave()
  })
})

describe('what changes', () => {
  test('is told to all who look, and no more than that; each session is read once', async () => {
    const { store, counts, inner } = counting()
    await seed(inner, 'asleep', [started(1), sent(), answered('Yes.'), ended(1)])
    const board = stage(store)
    const viewers = await Promise.all([board.view(), board.view()])
    await expect.poll(() => viewers.map(({ events }) => events[0]?.event), inTime).toEqual(['overview', 'overview'])
    const session = await openSession('fix-auth', { store: inner })
    await session.startTurn([{ role: 'user', content: 'Make it green' }], 'coder')
    for (const viewer of viewers) {
      await expect
        .poll(() => viewer.changes.flatMap(({ sessions = [] }) => sessions), inTime)
        .toMatchObject([{ sessionId: 'fix-auth', group: 'running' }])
    }
    await session.close()
    await expect
      .poll(() => viewers[0]?.changes.at(-1)?.sessions, inTime)
      .toMatchObject([{ sessionId: 'fix-auth', group: 'needs-you', status: 'interrupted' }])
    expect(viewers[0]?.changes.every((change) => change.providers === undefined && !change.removed)).toBe(true)
    // Two journals, and one that was read on.
    expect(counts.read).toBeLessThanOrEqual(3)
    await Promise.all(viewers.map((viewer) => viewer.leave()))
  })

  test('is looked for by one look for all, and by none when nobody looks', async () => {
    const { store, counts } = counting()
    const clock = new ManualClock()
    const board = stage(store, { clock })
    const viewers = await Promise.all([board.view(), board.view(), board.view()])
    await expect.poll(() => viewers.map(({ events }) => events.length), inTime).toEqual([1, 1, 1])
    await expect.poll(() => clock.sleepers.filter(({ background }) => !background).length, inTime).toBe(1)
    const before = counts.list
    await clock.advance(1_000)
    await expect.poll(() => counts.list, inTime).toBe(before + 1)
    await Promise.all(viewers.map((viewer) => viewer.leave()))
    await expect.poll(() => clock.sleepers.length, inTime).toBe(0)
    const after = counts.list
    await clock.advance(60_000)
    expect(counts.list).toBe(after)
  })

  test('is also that a session was removed', async () => {
    const store = memoryStore()
    await seed(store, 'fix-auth', [started(1), sent(), answered('Yes.'), ended(1)])
    const viewer = await stage(store).view()
    await expect.poll(() => viewer.events.length, inTime).toBeGreaterThan(0)
    await store.remove('fix-auth')
    await expect.poll(() => viewer.changes.flatMap(({ removed = [] }) => removed), inTime).toEqual(['fix-auth'])
    await viewer.leave()
  })
})

describe('a store that does not answer', () => {
  test('leaves what was known, with why and since when, and is asked again until it does', async () => {
    const { store, state, inner } = counting()
    await seed(inner, 'fix-auth', [started(1), sent(), answered('Yes.'), ended(1)])
    const board = stage(store)
    const viewer = await board.view()
    await expect.poll(() => viewer.events.length, inTime).toBeGreaterThan(0)
    state.isDown = true
    const trouble = { code: 'store-unavailable', message: 'nobody answers', hint: 'start it' }
    await expect.poll(() => viewer.changes.at(-1)?.store, inTime).toMatchObject({ trouble })
    expect((await board.overview()).sessions).toMatchObject([{ sessionId: 'fix-auth' }])
    expect((await board.ask('/api/sessions/fix-auth')).status).toBe(503)
    state.isDown = false
    await expect.poll(() => viewer.changes.at(-1)?.store, inTime).toMatchObject({ trouble: null })
    await viewer.leave()
  })

  test('is also one of files whose folder is gone: it is not shown as empty', async () => {
    const dir = join(newFolder(), 'state')
    const store = fileStore({ dir })
    await seed(store, 'fix-auth', [started(1), sent(), answered('Yes.'), ended(1)])
    const board = stage(store)
    const viewer = await board.view()
    await expect.poll(() => viewer.events.length, inTime).toBeGreaterThan(0)
    renameSync(dir, `${dir}-elsewhere`)
    const trouble = { code: 'store-unavailable', message: `the folder of the store is gone: ${dir}` }
    await expect.poll(() => viewer.changes.at(-1)?.store, inTime).toMatchObject({ trouble })
    expect((await board.overview()).sessions).toMatchObject([{ sessionId: 'fix-auth' }])
    renameSync(`${dir}-elsewhere`, dir)
    await expect.poll(() => viewer.changes.at(-1)?.store, inTime).toMatchObject({ trouble: null })
    await viewer.leave()
  })

  test('from the start is no reason not to serve', async () => {
    const { store, inner } = counting()
    let isUp = false
    await seed(inner, 'fix-auth', [started(1), sent(), answered('Yes.'), ended(1)])
    const board = stage(store, {
      store: {
        location: 'redis://127.0.0.1:1/0',
        open: async () => {
          if (isUp) return store
          throw new LastgoodError('store-unavailable', 'no connection', { hint: 'start it' })
        },
        close: async () => {},
      },
    })
    const viewer = await board.view()
    await expect
      .poll(() => viewer.events[0]?.data, inTime)
      .toMatchObject({
        store: { location: 'redis://127.0.0.1:1/0', trouble: { message: 'no connection' } },
        sessions: [],
      })
    isUp = true
    await expect
      .poll(() => viewer.changes.flatMap(({ sessions = [] }) => sessions), inTime)
      .toMatchObject([{ sessionId: 'fix-auth' }])
    await viewer.leave()
  })

  test('of which one head says what no card can show tells of that one, shows the others, and goes on', async () => {
    const inner = memoryStore()
    for (const id of ['sick', 'sound']) await seed(inner, id, [started(1), sent(), answered('Yes.'), ended(1)])
    let isDamaged = false
    const machine = { version: '0', value: 'idle', context: null } as unknown as SessionSummary['head']['machine']
    const damaged = (summary: SessionSummary): SessionSummary =>
      isDamaged && summary.head.sessionId === 'sick' ? { ...summary, head: { ...summary.head, machine } } : summary
    const store: Store = {
      ...inner,
      async *list(filter) {
        for await (const summary of inner.list(filter)) yield damaged(summary)
      },
      async summary(id) {
        const summary = await inner.summary(id)
        return summary && damaged(summary)
      },
    }
    const clock = new ManualClock()
    const viewer = await stage(store, { clock }).view()
    await expect.poll(() => viewer.events.length, inTime).toBe(1)
    isDamaged = true
    await seed(inner, 'new', [started(1), sent(), answered('Yes.'), ended(1)])
    // More often than everything is shown anew.
    for (let i = 0; i < 40; i++) await clock.advance(1_000)
    await expect.poll(() => viewer.changes.at(-1)?.store, inTime).toMatchObject({ trouble: null })
    const damage = { code: 'journal-corrupt', hint: 'see what can be read: lastgood show sick' }
    expect(viewer.changes.at(-1)?.store).toMatchObject({ damage })
    expect(viewer.changes.flatMap(({ sessions = [] }) => sessions)).toMatchObject([{ sessionId: 'new' }])
    await viewer.leave()
  })

  test('about one session alone shows the others, and what is wrong with that one', async () => {
    const inner = memoryStore()
    await seed(inner, 'fix-auth', [started(1), sent(), answered('Yes.'), ended(1)])
    const store: Store = {
      ...inner,
      async *list(filter) {
        yield* inner.list(filter)
        throw new LastgoodError('journal-corrupt', 'session broken: not a head', { hint: 'lastgood show broken' })
      },
    }
    const { sessions, store: place } = await stage(store, { flags: ['--store S'] }).overview()
    expect(sessions).toMatchObject([{ sessionId: 'fix-auth' }])
    const damage = { code: 'journal-corrupt', hint: 'lastgood show broken --store S' }
    expect(place).toMatchObject({ trouble: null, damage })
  })
})
