/** A store that acknowledged entries, and lost them: a server that came back with an older snapshot, or failed over (P1). */
import * as fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { compressed, encrypted } from '../at-rest/index.ts'
import { testKey } from '../at-rest/keys.fixture.ts'
import type { Entry } from '../journal/journal.ts'
import { readHistory } from '../store/history.ts'
import { memoryStore } from '../store/memory-store.ts'
import type { Store } from '../store/store.ts'
import { storeOver } from '../store/store-over.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { openSession } from './open-session.ts'
import type { Session } from './session.ts'
import { takeTurn } from './turn.fixture.ts'

/** While `loses` is set, it acknowledges what will be gone: entries, and the large bodies before them. */
function forgetfulStore(clock: ManualClock) {
  const inner = memoryStore({ clock })
  const server = { loses: false, appends: 0, blobs: 0 }
  const store = storeOver(inner, {
    async append(...args) {
      server.appends += 1
      if (!server.loses) return inner.append(...args)
      return args[1] + args[2].length
    },
    async putBlob(...args) {
      server.blobs += 1
      if (!server.loses) await inner.putBlob(...args)
    },
  })
  return { server, store }
}

async function stage(over: (store: Store) => Store = (store) => store) {
  const clock = new ManualClock({ autoAdvance: true })
  const { server, store: inner } = forgetfulStore(clock)
  const store = over(inner)
  const session = await openSession('s', { store, clock })
  onTestFinished(() => session.close().catch(() => {}))
  const told: Entry[] = []
  const backfilled: number[] = []
  session.subscribe((event) => {
    if (event.type === 'entry') told.push(event.entry)
    if (event.type === 'backfilled') backfilled.push(event.entries)
  })
  return { clock, store, server, session, told, backfilled }
}

async function entriesOf(store: Store): Promise<Entry[]> {
  const entries: Entry[] = []
  for await (const { entry } of readHistory(store, 's')) entries.push(entry)
  return entries
}

const say = (session: Session, content: string) => session.startTurn([{ role: 'user', content }])
const large = 'a source file '.repeat(10_000)

test('a late repeat of what was lost may come before it is appended again', async () => {
  const clock = new ManualClock({ autoAdvance: true })
  const inner = memoryStore({ clock })
  let lost: Parameters<Store['append']> | undefined
  let isForgetting = false
  const store = storeOver(inner, {
    async append(...args) {
      if (isForgetting) {
        isForgetting = false
        lost = args
        return args[1] + args[2].length
      }
      try {
        return await inner.append(...args)
      } catch (error) {
        if (lost) await inner.append(...lost)
        lost = undefined
        throw error
      }
    },
  })
  const session = await openSession('s', { store, clock })
  onTestFinished(() => session.close().catch(() => {}))
  await takeTurn(session)
  isForgetting = true
  await say(session, 'hi')
  await session.record([{ type: 'request-sent', model: 'm', attempt: 1 }])
  const types = (await entriesOf(store)).map(({ type }) => type)
  expect(types.slice(-2)).toEqual(['turn-started', 'request-sent'])
})

test.each<[string, (store: Store) => Store]>([
  ['as they are', (store) => store],
  ['encrypted', (store) => encrypted(store, { current: testKey('2026-11') })],
  ['compressed', (store) => compressed(store, { minBytes: 0 })],
])('what it lost is appended again in one append with what comes next, %s', async (_, over) => {
  const { store, server, session, told, backfilled } = await stage(over)
  await takeTurn(session)
  server.loses = true
  await takeTurn(session)
  await say(session, large)
  const kept = await entriesOf(store)
  server.loses = false
  const before = server.appends
  await session.record([{ type: 'request-sent', model: 'm', attempt: 1 }])
  expect(server.appends - before).toBe(2) // refused, then taken
  expect(await entriesOf(store)).toEqual(told)
  expect(backfilled).toEqual([told.length - 1 - kept.length])
  await session.close()
  const again = await openSession('s', { store, clock: session.clock })
  expect(again.messages().at(-1)).toEqual({ role: 'user', content: large })
  await again.close()
})

test('whatever it loses, as often as it likes: nothing is missing once it has taken an append', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 12 }), async (losses) => {
      const { store, server, session, told, backfilled } = await stage()
      for (const loses of losses) {
        server.loses = loses
        await takeTurn(session)
      }
      server.loses = false
      await takeTurn(session)
      expect(await entriesOf(store)).toEqual(told)
      expect(backfilled.length > 0).toBe(losses.includes(true))
    }),
  )
})

test('a store that refuses them ends the session, and no gap is left', async () => {
  const { store, server, session } = await stage()
  await takeTurn(session)
  const kept = await entriesOf(store)
  server.loses = true
  await takeTurn(session)
  server.loses = false
  const { append } = store
  // As if it had lost one more by the time of the second attempt.
  const afterOneMore: Store['append'] = (lease, afterSeq, entries, head) =>
    append(lease, afterSeq + 1, entries.slice(1), head)
  store.append = (...args) => {
    store.append = afterOneMore
    return append(...args)
  }
  await expect(say(session, 'and now?')).rejects.toMatchObject({ code: 'journal-conflict' })
  expect(session.signal.aborted).toBe(true)
  expect(await entriesOf(store)).toEqual(kept)
})

test('nothing is appended again under a lease that is no longer ours: who took the session goes on from what is there (P3)', async () => {
  const { clock, store, server, session } = await stage()
  await takeTurn(session)
  server.loses = true
  await takeTurn(session)
  server.loses = false
  const other = await openSession('s', { store, clock, takeover: true })
  await say(other, 'from here')
  const there = await entriesOf(store)
  await expect(say(session, 'late')).rejects.toMatchObject({ code: 'lease-lost' })
  expect(await entriesOf(store)).toEqual(there)
  await other.close()
})

test('entries that this process does not have are not made up: it is told where the journal ends', async () => {
  const { clock, store, server, session } = await stage()
  await takeTurn(session)
  const { seq } = session
  server.loses = true
  await takeTurn(session)
  await clock.advance(3_600_001)
  await say(session, 'an hour later')
  server.loses = false
  const late = session.record([{ type: 'request-sent', model: 'm', attempt: 1 }])
  await expect(late).rejects.toMatchObject({ code: 'journal-conflict', details: { seq } })
  expect((await entriesOf(store)).at(-1)?.seq).toBe(seq)
})
