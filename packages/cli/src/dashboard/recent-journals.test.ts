import { type Head, LastgoodError, memoryStore, openSession, type Store } from '@lastgood/core'
import { ManualClock } from '@lastgood/core/testing'
import type { OutagesDocument } from '@lastgood/dashboard'
import { expect, test } from 'vitest'
import { answered, ended, overloaded, seed, sent, started } from '../../test/context.ts'
import { stage } from '../../test/dashboard.ts'
import { RecentJournals } from './recent-journals.ts'

const now = Date.now()
const failedOnce = [started(1), sent(), overloaded(1, now), sent(2), answered('Yes.'), ended(1)]

/** A store whose reads are noted, each with the entry it began after. */
function noting(inner: Store) {
  const reads: string[] = []
  const store: Store = {
    ...inner,
    read(id, after = 0) {
      reads.push(`${id} after ${after}`)
      return inner.read(id, after)
    },
  }
  return { store, reads }
}

async function headOf(store: Store, id: string): Promise<Head> {
  return (await store.summary(id))!.head
}

function journals() {
  const read: string[] = []
  const clock = new ManualClock({ startAt: now })
  const recent = new RecentJournals(clock, (id) => read.push(id))
  const readAll = async (store: Store) => {
    recent.read(store, new AbortController().signal)
    await expect.poll(() => recent.isComplete).toBe(true)
  }
  return { recent, read, readAll, clock }
}

test('a journal is read once, and then only what is new; one that was begun anew is read from its beginning', async () => {
  const inner = memoryStore()
  const { store, reads } = noting(inner)
  await seed(inner, 'fix-auth', failedOnce)
  const { recent, readAll } = journals()
  recent.want(await headOf(inner, 'fix-auth'))
  await readAll(store)
  expect(recent.of('fix-auth')?.lastSurvived).toMatchObject({ end: 'same-model', attempts: 2 })
  recent.want(await headOf(inner, 'fix-auth'))
  expect(recent.isComplete).toBe(true)
  const session = await openSession('fix-auth', { store: inner })
  await session.startTurn([{ role: 'user', content: 'Go on' }])
  await session.close()
  recent.want(await headOf(inner, 'fix-auth'))
  await readAll(store)
  expect(reads).toEqual(['fix-auth after 0', 'fix-auth after 7'])
  await inner.remove('fix-auth')
  await seed(inner, 'fix-auth', [
    started(1),
    sent(),
    answered('Yes.'),
    ended(1),
    ...failedOnce.map((one) => ('turn' in one ? { ...one, turn: 2 } : one)),
  ])
  recent.want(await headOf(inner, 'fix-auth'))
  await readAll(store)
  expect(reads.at(-1)).toBe('fix-auth after 0')
})

test('what is older than a day is not read, and one that cannot be read keeps nobody back', async () => {
  const inner = memoryStore()
  await seed(inner, 'broken', failedOnce)
  await seed(inner, 'sound', failedOnce)
  const { recent, readAll, read } = journals()
  recent.want({ ...(await headOf(inner, 'sound')), sessionId: 'old', updatedAt: now - 86_400_001 })
  expect(recent.isComplete).toBe(true)
  for (const id of ['broken', 'sound']) recent.want(await headOf(inner, id))
  await readAll({
    ...inner,
    read: (id, after) => {
      if (id === 'broken') throw new Error('not an entry')
      return inner.read(id, after)
    },
  })
  expect(read.toSorted()).toEqual(['broken', 'sound'])
  expect(recent.of('broken')?.all).toEqual([])
  expect(recent.of('sound')?.all).toHaveLength(1)
})

test('what a store told before it went away is not counted again when it is back', async () => {
  const inner = memoryStore()
  await seed(inner, 'fix-auth', failedOnce)
  const { recent, readAll } = journals()
  recent.want(await headOf(inner, 'fix-auth'))
  let isAway = true
  const store: Store = {
    ...inner,
    async *read(id, after) {
      for await (const entry of inner.read(id, after)) {
        yield entry
        if (isAway && entry.type === 'response-received') {
          isAway = false
          throw new LastgoodError('store-unavailable', 'gone', { hint: 'start it' })
        }
      }
    },
  }
  recent.read(store, new AbortController().signal)
  await expect.poll(() => isAway).toBe(false)
  await readAll(store)
  const counts = [...recent.minutes()].flatMap(([, minutes]) => minutes)
  const sum = (name: 'answered' | 'failed') => counts.reduce((total, one) => total + one[name], 0)
  expect([sum('answered'), sum('failed')]).toEqual([1, 1])
  expect(recent.of('fix-auth')?.all).toHaveLength(1)
})

test('the page of outages has every outage, and what was answered minute by minute, of the last day at most', async () => {
  const store = memoryStore()
  await seed(store, 'fix-auth', failedOnce)
  const { get } = stage(store)
  const document = async (query = '') => get<OutagesDocument>(`/api/outages${query}`)
  await expect.poll(async () => (await document()).complete).toBe(true)
  const { providers, outages, since, at } = await document()
  expect(outages).toMatchObject([
    { sessionId: 'fix-auth', cause: '529 overloaded_error', attempts: 2, end: 'same-model' },
  ])
  const sum = (name: 'answered' | 'failed') => providers[0]?.minutes.reduce((total, one) => total + one[name], 0)
  expect(providers).toMatchObject([{ model: 'claude-opus-5-5', endpoint: null }])
  expect([sum('answered'), sum('failed')]).toEqual([1, 1])
  expect(Date.parse(at) - Date.parse(since)).toBe(86_400_000)
  const later = await document(`?since=${new Date(Date.now() + 60_000).toISOString()}`)
  expect(later).toMatchObject({ outages: [], providers: [] })
  expect(Date.parse((await document('?since=1999-01-01')).since)).toBeGreaterThan(Date.now() - 86_410_000)
  await expect(document('?since=yesterday')).rejects.toThrow(/^400: .*"bad-option".*since is not a point in time/)
})
