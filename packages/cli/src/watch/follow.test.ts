import { LastgoodError, memoryStore, openSession, type Store } from '@lastgood/core'
import { ManualClock } from '@lastgood/core/testing'
import { expect, onTestFinished, test } from 'vitest'
import { follow, type Seen } from './follow.ts'

async function stage() {
  const memory = memoryStore()
  let isAway = false
  const store: Store = {
    ...memory,
    summary(id) {
      if (isAway) return Promise.reject(new LastgoodError('store-unavailable', 'no answer', { hint: 'start it' }))
      return memory.summary(id)
    },
  }
  const over = new AbortController()
  onTestFinished(() => over.abort())
  const clock = new ManualClock({ autoAdvance: true })
  const all = follow({ store, clock, signal: over.signal, sessionId: 'ses', seen: new Map() })
  const next = async () => ((await all.next()) as IteratorResult<Seen, void>).value
  return { memory, next, away: (is: boolean) => void (isAway = is), over, all }
}

test('what was written while the store did not answer comes when it does, and both are told once', async () => {
  const { memory, next, away } = await stage()
  const session = await openSession('ses', { store: memory })
  await session.record([])
  expect(await next()).toMatchObject({ kind: 'entry', entry: { type: 'session-opened' } })
  away(true)
  expect(await next()).toMatchObject({ kind: 'away', error: { code: 'store-unavailable' } })
  await session.record([{ type: 'turn-started', turn: 1, messages: [] }])
  away(false)
  expect(await next()).toMatchObject({ kind: 'entry', entry: { type: 'turn-started' } })
  expect(await next()).toEqual({ kind: 'back' })
  await session.close()
})

test('one that was removed is followed from its new beginning', async () => {
  const { memory, next } = await stage()
  const first = await openSession('ses', { store: memory })
  await first.record([{ type: 'turn-started', turn: 1, messages: [] }])
  await first.close()
  expect(await next()).toMatchObject({ entry: { seq: 1 } })
  expect(await next()).toMatchObject({ entry: { seq: 2 } })
  await memory.remove('ses')
  const again = await openSession('ses', { store: memory })
  await again.record([])
  expect(await next()).toMatchObject({ entry: { seq: 1, type: 'session-opened' } })
  await again.close()
})

test('one that was begun anew is followed from its beginning also where it is as long as the old one', async () => {
  const { memory, next } = await stage()
  const first = await openSession('ses', { store: memory, clock: new ManualClock() })
  await first.record([])
  await first.close()
  expect(await next()).toMatchObject({ entry: { seq: 1 } })
  await memory.remove('ses')
  const later = new ManualClock()
  await later.advance(1_000)
  const again = await openSession('ses', { store: memory, clock: later })
  await again.record([{ type: 'turn-started', turn: 1, messages: [] }])
  expect(await next()).toMatchObject({ entry: { seq: 1, type: 'session-opened' } })
  expect(await next()).toMatchObject({ entry: { seq: 2, type: 'turn-started' } })
  await again.close()
})

test('of all sessions, one that cannot be read is told of once, and the others are followed', async () => {
  const memory = memoryStore()
  const damage = new LastgoodError('journal-corrupt', 'old.jsonl line 2 is damaged', { hint: 'lastgood show old' })
  const store: Store = {
    ...memory,
    async *list(filter) {
      yield* memory.list(filter)
      throw damage
    },
    read: (id, afterSeq) => {
      if (id === 'torn') throw new LastgoodError('journal-corrupt', 'torn.jsonl line 3 is damaged', { hint: '' })
      return memory.read(id, afterSeq)
    },
  }
  const over = new AbortController()
  onTestFinished(() => over.abort())
  for (const id of ['torn', 'ses']) {
    const session = await openSession(id, { store: memory })
    await session.record([])
    await session.close()
  }
  const clock = new ManualClock({ autoAdvance: true })
  const all = follow({ store, clock, signal: over.signal, seen: new Map() })
  const told: string[] = []
  for (let n = 0; n < 4; n += 1) {
    const { value } = (await all.next()) as IteratorResult<Seen, void>
    told.push(value?.kind === 'unreadable' ? value.error.message : `${value?.kind}`)
    if (told.length === 3) await addTo('ses')
  }
  async function addTo(id: string) {
    const session = await openSession(id, { store: memory })
    await session.record([{ type: 'turn-started', turn: 1, messages: [] }])
    await session.close()
  }
  expect(told.toSorted()).toEqual(['entry', 'entry', 'old.jsonl line 2 is damaged', 'torn.jsonl line 3 is damaged'])
})

test('it ends with its signal', async () => {
  const { all, over } = await stage()
  over.abort()
  expect(await all.next()).toEqual({ done: true, value: undefined })
})
