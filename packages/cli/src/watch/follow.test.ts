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

test('it ends with its signal', async () => {
  const { all, over } = await stage()
  over.abort()
  expect(await all.next()).toEqual({ done: true, value: undefined })
})
