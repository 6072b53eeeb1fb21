/** What a list says of a session: the head that goes with each append. */
import { expect, test } from 'vitest'
import type { EntryBody } from '../journal/journal.ts'
import { memoryStore } from '../store/memory-store.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { forkSession } from './fork.ts'
import { openSession } from './open-session.ts'
import { ask, callTool, takeTurn } from './turn.fixture.ts'

const body = { model: 'm', max_tokens: 9, system: [{ type: 'text', text: 'You run.' }] }
const envelope: EntryBody = {
  type: 'envelope-changed',
  envelope: { body, apiVersion: '2023-06-01', betas: [] },
}

test('a session says when and where it was opened, its agent and its model, whatever is recorded later', async () => {
  const clock = new ManualClock()
  const store = memoryStore({ clock })
  const head = async (id: string) => (await store.summary(id))?.head
  const createdAt = clock.now()
  const session = await openSession('s', { store, clock, cwd: '/projects/x' })
  await session.startTurn([{ role: 'user', content: 'go on' }], 'coder')
  expect(await head('s')).toMatchObject({ agent: 'coder', status: 'running' })
  await session.record([envelope, { type: 'request-sent', model: 'm', attempt: 1 }])
  await clock.advance(1_000)
  await callTool(session)
  await session.retain({ pinned: true })
  const said = { createdAt, cwd: '/projects/x', agent: 'coder', model: 'm' }
  expect(await head('s')).toMatchObject({ ...said, pinned: true, updatedAt: createdAt + 1_000, status: 'running' })
  await session.rewind(0, 'by hand')
  await takeTurn(session)
  const { agent: _, ...rest } = said
  expect(await head('s')).toMatchObject({ ...rest, pinned: true, status: 'idle' })
  expect(await head('s')).not.toHaveProperty('agent')
  await session.close()

  await forkSession(store, 's', 'f', { clock, cwd: '/projects/y', ttlMs: 5_000 })
  await clock.advance(1_000)
  const fork = await openSession('f', { store, clock })
  await fork.retain({ pinned: true })
  await ask(fork)
  const origin = { sessionId: 's' }
  expect(await head('f')).toMatchObject({ createdAt: createdAt + 1_000, cwd: '/projects/y', origin, ttlMs: 5_000 })
  expect(await head('f')).toMatchObject({ pinned: true, model: 'm', status: 'running', turn: 2 })
  await fork.close()
})

test('a session that nobody said anything of says nothing in its place', async () => {
  const store = memoryStore()
  const session = await openSession('s', { store, cwd: null })
  await ask(session)
  const { head } = (await store.summary('s')) ?? {}
  for (const name of ['cwd', 'agent', 'model', 'origin', 'ttlMs', 'pinned', 'reason', 'dueAt'])
    expect(head).not.toHaveProperty(name)
  await session.close()
})
