/** A damaged session can be removed, on an explicit word. */
import { readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { forkSession } from '../session/fork.ts'
import { openSession } from '../session/open-session.ts'
import { removeSession } from '../store/removal.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { place } from './file.fixture.ts'
import { fileStore } from './file-store.ts'

const clock = new ManualClock()

/** `s` is damaged, `f` a fork of it, and `t` another one that is damaged. */
async function damaged({ open = false } = {}) {
  const where = await place()
  const store = fileStore({ dir: where.state, clock })
  for (const id of ['s', 't']) {
    const session = await openSession(id, { store, clock })
    await session.record([
      { type: 'turn-started', turn: 1, messages: [{ role: 'user', content: 'hello' }] },
      { type: 'request-sent', model: 'm', attempt: 1 },
      {
        type: 'response-received',
        message: { id: 'm1', role: 'assistant', model: 'm', content: [], stop_reason: 'end_turn' },
      },
      { type: 'turn-ended', turn: 1 },
    ])
    if (id === 's') await forkSession(store, 's', 'f', { clock })
    if (!open) await session.close()
    const path = store.journalAt(id)
    const bytes = await readFile(path)
    const at = bytes.lastIndexOf('"head"')
    bytes[at + 20] = (bytes[at + 20] ?? 0) ^ 1
    await writeFile(path, bytes)
  }
  return { ...where, store }
}

const filesOf = async (sessions: string, id: string) =>
  (await readdir(sessions)).filter((name) => name.startsWith(`${id}.`))

test('without the word it stays', async () => {
  const { store, sessions } = await damaged()
  await expect(removeSession(store, 't', { clock })).rejects.toMatchObject({ code: 'journal-corrupt' })
  expect(await filesOf(sessions, 't')).toEqual(['t.jsonl', 't.lease'])
})

test('with it, it goes after its forks, though others are damaged, and its name is free', async () => {
  const { store, sessions } = await damaged()
  await expect(removeSession(store, 's', { clock, damaged: true })).rejects.toMatchObject({ details: { forks: ['f'] } })
  await removeSession(store, 'f', { clock, damaged: true })
  await removeSession(store, 's', { clock, damaged: true })
  expect(await filesOf(sessions, 's')).toEqual([])
  expect(await filesOf(sessions, 't')).toEqual(['t.jsonl', 't.lease'])
  await (await openSession('s', { store, clock })).close()
})

test('one whose writer has not noticed is busy, and stays', async () => {
  const { store, sessions } = await damaged({ open: true })
  await expect(removeSession(store, 't', { clock, damaged: true })).rejects.toMatchObject({ code: 'session-busy' })
  expect(await filesOf(sessions, 't')).toEqual(['t.jsonl', 't.lease'])
  await rm(store.journalAt('t'))
})
