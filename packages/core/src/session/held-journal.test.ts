import { expect, test } from 'vitest'
import type { EntryBody } from '../journal/journal.ts'
import { memoryStore } from '../store/memory-store.ts'
import type { Store } from '../store/store.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { openSession } from './open-session.ts'
import { ask, callTools, takeTurn } from './turn.fixture.ts'

async function held(changes: Partial<Store> = {}) {
  const clock = new ManualClock()
  const store = { ...memoryStore({ clock }), ...changes }
  const session = await openSession('s', { store, clock })
  const types = async () => {
    const all: string[] = []
    for await (const { type } of store.read('s')) all.push(type)
    return all
  }
  return { clock, store, session, types }
}

const intent: EntryBody = { type: 'tool-started', toolUseId: 'a', name: 'count', inDoubt: 'report' }

test('what was only staged is written when the session is closed (P1)', async () => {
  const { session, types } = await held()
  await ask(session)
  await callTools(session, ['a', 'b'])
  await session.stage([intent])
  expect((await types()).at(-1)).toBe('response-received')
  await session.close()
  expect((await types()).at(-1)).toBe('tool-started')
})

test('a session in which nothing happened is not made by its close', async () => {
  const { session, store } = await held()
  await session.close()
  expect(await store.summary('s')).toBeUndefined()
})

test('after the close nothing is taken, and the error says what ended it', async () => {
  const { session, types } = await held()
  await takeTurn(session)
  await session.close()
  const before = await types()
  const closed = { code: 'session-closed', hint: expect.stringContaining('openSession') }
  await expect(session.record([{ type: 'turn-started', turn: 2, messages: [] }])).rejects.toMatchObject(closed)
  await expect(session.stage([{ type: 'turn-started', turn: 2, messages: [] }])).rejects.toMatchObject(closed)
  expect(await types()).toEqual(before)
})

test('a lease that cannot be given back is told, unless what ended the session was told already', async () => {
  const release: Store['release'] = () => Promise.reject(new Error('the store is gone'))
  const { session } = await held({ release })
  await takeTurn(session)
  await expect(session.close()).rejects.toThrow('the store is gone')

  const gone = await held({ release, append: () => Promise.reject(new Error('the disk is full')) })
  await expect(gone.session.startTurn([{ role: 'user', content: 'go on' }])).rejects.toThrow('the disk is full')
  await gone.session.close()
})

test('nothing is renewed or waited for after the end', async () => {
  const { session, clock } = await held()
  await takeTurn(session)
  expect(clock.sleepers).not.toEqual([])
  await session.close()
  expect(clock.sleepers).toEqual([])
})

test('the calls of an answer are new in the process that received it, and in no other', async () => {
  const { session, store, clock } = await held()
  await ask(session)
  await callTools(session, ['a'])
  expect([session.calls.isNew('a'), session.calls.isOut('a')]).toEqual([true, true])
  await session.close()
  const next = await openSession('s', { store, clock })
  expect([next.calls.isNew('a'), next.calls.isOut('a')]).toEqual([false, false])
})
