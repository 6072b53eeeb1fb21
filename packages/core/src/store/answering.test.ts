import { expect, test } from 'vitest'
import { forkSession } from '../session/fork.ts'
import { openSession } from '../session/open-session.ts'
import { takeTurn } from '../session/turn.fixture.ts'
import { entriesAfter, head, owner } from '../testing/entries.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { answering } from './answering.ts'
import { inChunks, type Chunks } from './chunked.ts'
import { memoryStore } from './memory-store.ts'
import { removeSession } from './removal.ts'
import { storeOver } from './store-over.ts'
import type { Lease, Store } from './store.ts'

const patienceMs = 15_000
const never = () => new Promise<never>(() => {})

/** A store with a finished session `s`, whose text is too long for one line. */
async function withSession(clock: ManualClock): Promise<Store> {
  const store = memoryStore({ clock })
  const session = await openSession('s', { store, clock })
  await takeTurn(session)
  await session.startTurn([{ role: 'user', content: 'x'.repeat(100_000) }])
  await session.close()
  return store
}

const hangs = () =>
  inChunks(async function* (): Chunks<never> {
    yield await never()
  })
const told = { code: 'store-unavailable', message: expect.stringContaining('did not answer in time') }

test.each<[string, (store: Store) => Partial<Store>]>([
  ['whether the session is free', () => ({ acquire: never })],
  ['for its summary', () => ({ summary: never })],
  ['for its first entries', () => ({ read: hangs })],
  ['for its other entries', (store) => ({ read: (id) => oneThenHangs(store.read(id)) })],
  ['for a long text', () => ({ readBlob: never })],
])('who opens a session and asks a store that hangs %s is told so in time, and holds nothing (P6)', async (_, own) => {
  const clock = new ManualClock()
  const store = await withSession(clock)
  const opened = openSession('s', { store: storeOver(store, own(store)), clock }).catch((error: unknown) => error)
  await clock.advance(patienceMs)
  expect(await opened).toMatchObject(told)
  expect((await store.summary('s'))?.holder).toBeNull()
})

test('who forks a session, or removes one, is told as well (P6)', async () => {
  const clock = new ManualClock()
  const store = await withSession(clock)
  const forked = forkSession(storeOver(store, { read: hangs }), 's', 't', { clock })
  const removed = removeSession(storeOver(store, { list: hangs }), 's', { clock })
  const ends = Promise.all([forked, removed].map((one) => one.catch((error: unknown) => error)))
  await clock.advance(patienceMs)
  expect(await ends).toMatchObject([told, told])
  expect((await store.summary('s'))?.holder).toBeNull()
})

test('the end of a lease is not waited for any longer where the store hangs, and the error says what becomes of it', async () => {
  const clock = new ManualClock()
  const store = memoryStore({ clock })
  const session = await openSession('s', { store: storeOver(store, { release: never }), clock })
  const closed = session.close().catch((error: unknown) => error)
  await clock.advance(patienceMs)
  expect(await closed).toMatchObject({ ...told, hint: expect.stringContaining('will expire') })
})

test('a lease that is granted too late is given back, so that nobody waits for its end', async () => {
  const clock = new ManualClock()
  const store = memoryStore({ clock })
  let answer = (): void => {}
  const asked = new Promise<void>((resolve) => (answer = resolve))
  const slow = storeOver(store, {
    async acquire(...request) {
      const granted = await store.acquire(...request)
      await asked
      return granted
    },
  })
  const late = answering(slow, clock)
    .acquire('s', owner('a'), 60_000)
    .catch((error: unknown) => error)
  await clock.advance(patienceMs)
  expect(await late).toMatchObject({ code: 'store-unavailable' })
  expect(await store.acquire('s', owner('b'), 60_000)).toMatchObject({ kind: 'busy' })
  answer()
  await clock.advance(0)
  expect(await store.acquire('s', owner('b'), 60_000)).toMatchObject({ kind: 'lease' })
})

test('a read takes as long as it goes on, and who stops early closes what is open', async () => {
  const clock = new ManualClock()
  const store = memoryStore({ clock })
  const lease = (await store.acquire('s', owner('a'), 60_000)) as Lease
  await store.append(lease, 0, entriesAfter(0, 10, lease.fence), head('s', 10))
  let closed = 0
  const slow = storeOver(store, {
    read: (id) =>
      inChunks(async function* () {
        try {
          for await (const entry of store.read(id)) {
            const pause = clock.sleepUntil(clock.now() + patienceMs - 1)
            void clock.advance(patienceMs - 1)
            await pause
            yield [entry]
          }
        } finally {
          closed += 1
        }
      }),
  })
  const asked = answering(slow, clock)
  let count = 0
  for await (const _ of asked.read('s')) count += 1
  expect(count).toBe(10)
  for await (const _ of asked.read('s')) break
  await clock.advance(0)
  expect(closed).toBe(2)
})

function oneThenHangs<Item>(items: AsyncIterable<Item>): AsyncIterable<Item> {
  return inChunks(async function* () {
    for await (const item of items) {
      yield [item]
      await never()
    }
  })
}
