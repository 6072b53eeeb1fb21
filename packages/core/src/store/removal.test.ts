import { describe, expect, test } from 'vitest'
import { LastgoodError } from '../errors.ts'
import { listError } from './left-out.ts'
import { memoryStore } from './memory-store.ts'
import { openSession } from '../session/open-session.ts'
import { removeSession, removeSessions } from './removal.ts'
import type { Head } from './head.ts'
import type { Store } from './store.ts'
import { turnStarted } from '../testing/entries.ts'
import { ManualClock } from '../testing/manual-clock.ts'

const clock = new ManualClock()

async function written(store: Store, ...ids: string[]): Promise<void> {
  for (const id of ids) {
    const session = await openSession(id, { store, clock })
    await session.record([turnStarted('hello')])
    await session.close()
  }
}

async function headOf(store: Store, id: string): Promise<Head> {
  const summary = await store.summary(id)
  if (!summary) throw new Error(`no ${id}`)
  return summary.head
}

const meanwhile = (id: string) =>
  expect.objectContaining({
    code: 'journal-conflict',
    message: `session ${id} was written to meanwhile, and is kept`,
    hint: expect.stringContaining(`lastgood show ${id}`),
  })

describe('removing what was decided on', () => {
  test('a session that is as it was then goes', async () => {
    const store = memoryStore({ clock })
    await written(store, 's')
    await removeSession(store, await headOf(store, 's'), { clock })
    expect(await store.summary('s')).toBeUndefined()
  })

  test('one that was written meanwhile stays, held by nobody (P1)', async () => {
    const store = memoryStore({ clock })
    await written(store, 's')
    const decided = await headOf(store, 's')
    const session = await openSession('s', { store, clock, pinned: true })
    await session.close()
    await expect(removeSession(store, decided, { clock })).rejects.toEqual(meanwhile('s'))
    expect(await store.summary('s')).toMatchObject({ holder: null, head: { pinned: true } })
  })

  test('one that was written after the last look before its lease stays, too (P1)', async () => {
    const inner = memoryStore({ clock })
    await written(inner, 's')
    const decided = await headOf(inner, 's')
    const store: Store = {
      ...inner,
      async acquire(...args) {
        await (await openSession('s', { store: inner, clock, pinned: true })).close()
        return inner.acquire(...args)
      },
    }
    await expect(removeSession(store, decided, { clock })).rejects.toEqual(meanwhile('s'))
    expect(await headOf(inner, 's')).toMatchObject({ pinned: true })
  })

  test('one that was removed and made anew meanwhile stays, though it is as long', async () => {
    const store = memoryStore({ clock })
    await written(store, 's')
    const decided = await headOf(store, 's')
    await removeSession(store, 's', { clock })
    await clock.advance(1000)
    await written(store, 's')
    expect((await headOf(store, 's')).seq).toBe(decided.seq)
    await expect(removeSession(store, decided, { clock })).rejects.toEqual(meanwhile('s'))
  })

  test('of several, the others go', async () => {
    const store = memoryStore({ clock })
    await written(store, 'a', 'b', 'c')
    const heads = await Promise.all(['a', 'b', 'c'].map((id) => headOf(store, id)))
    await (await openSession('b', { store, clock, pinned: true })).close()
    const outcomes = new Map<string, unknown>()
    for await (const { sessionId, failure } of removeSessions(store, heads, { clock })) outcomes.set(sessionId, failure)
    expect([...outcomes]).toEqual([
      ['a', undefined],
      ['b', meanwhile('b')],
      ['c', undefined],
    ])
  })

  test('one that is gone already is no failure', async () => {
    const store = memoryStore({ clock })
    await written(store, 's')
    const decided = await headOf(store, 's')
    await removeSession(store, decided, { clock })
    await removeSession(store, decided, { clock })
    expect(await store.summary('s')).toBeUndefined()
  })
})

test('a damaged session stays while a sound one, which may be its fork, could not be read (P1)', async () => {
  const memory = memoryStore()
  await written(memory, 's')
  const damaged = new LastgoodError('journal-corrupt', 's is damaged', { hint: 'look' })
  const newer = new LastgoodError('journal-version', 'f is newer', { hint: 'update' })
  const store: Store = {
    ...memory,
    summary: () => Promise.reject(damaged),
    // oxlint-disable-next-line require-yield
    async *list() {
      throw listError([
        { sessionId: 's', error: damaged },
        { sessionId: 'f', error: newer },
      ])
    },
  }
  await expect(removeSession(store, 's', { clock, damaged: true })).rejects.toThrow('also unreadable: f')
  expect(await headOf(memory, 's')).toMatchObject({ sessionId: 's' })
})

test('a removal that fails ends, although the store never answers the release of its lease (P6)', async () => {
  const clock = new ManualClock()
  const inner = memoryStore({ clock })
  const session = await openSession('s', { store: inner, clock })
  await session.record([turnStarted('hello')])
  await session.close()
  const store: Store = {
    ...inner,
    release: () => new Promise(() => {}),
    remove: () => Promise.reject(new LastgoodError('store-unavailable', 'it is down', { hint: 'wait' })),
  }
  const removal = removeSession(store, 's', { clock }).catch((error: LastgoodError) => error.code)
  await clock.advance(15_000)
  expect(await Promise.race([removal, clock.advance(1).then(() => 'nothing')])).toBe('store-unavailable')
})
