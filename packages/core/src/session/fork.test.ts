import { describe, expect, test } from 'vitest'
import { LastgoodError } from '../errors.ts'
import { forkSession } from './fork.ts'
import { exportSession } from '../export/export-session.ts'
import { importSession } from '../export/import-session.ts'
import { endsOfTurns, readHistory } from '../store/history.ts'
import type { EntryBody } from '../journal/journal.ts'
import { memoryStore } from '../store/memory-store.ts'
import { openSession, visitSession } from './open-session.ts'
import { removeSession } from '../store/removal.ts'
import type { Store } from '../store/store.ts'
import { importingHead } from '../store/unfinished.ts'
import { entry, owner } from '../testing/entries.ts'
import { ManualClock } from '../testing/manual-clock.ts'

const ask = (turn: number, text = `ask ${turn}`): EntryBody => ({
  type: 'turn-started',
  turn,
  messages: [{ role: 'user', content: text }],
})
const sent: EntryBody = { type: 'request-sent', model: 'm', attempt: 1 }
const answer = (text: string): EntryBody => ({
  type: 'response-received',
  message: {
    id: `msg_${text}`,
    role: 'assistant',
    model: 'm',
    content: [{ type: 'text', text }],
    stop_reason: 'end_turn',
  },
})
const whole = (turn: number, text?: string): EntryBody[] => [
  ask(turn, text),
  sent,
  answer(`answer to ${text ?? turn}`),
  { type: 'turn-ended', turn },
]

const clock = new ManualClock()

async function write(store: Store, id: string, ...bodies: EntryBody[]): Promise<void> {
  const session = await openSession(id, { store, clock })
  await session.record(bodies)
  await session.close()
}

async function asks(store: Store, id: string): Promise<unknown[]> {
  const session = await openSession(id, { store, clock })
  const said = session.messages().filter((message) => message.role === 'user')
  await session.close()
  return said.map((message) => message.content)
}

const fork = (store: Store, from: string, to: string, turn?: number) =>
  forkSession(store, from, to, { clock, ...(turn !== undefined && { turn }) })

const refusal = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message), hint: expect.any(String) })

describe('a fork', () => {
  test('goes on from the last good turn of its parent, even while that is held and in a turn, and shares its journal', async () => {
    const store = memoryStore()
    await write(store, 'a', ...whole(1), ...whole(2))
    const held = await openSession('a', { store, clock })
    await held.record([ask(3), sent])
    const origin = { sessionId: 'a', seq: 9, at: clock.now() }
    expect(await fork(store, 'a', 'b')).toEqual({ sessionId: 'b', origin, turn: 2 })
    expect((await store.summary('b'))?.head).toMatchObject({
      seq: 2,
      status: 'idle',
      turn: 2,
      lastGoodTurn: 2,
      origin,
    })
    await write(store, 'b', ...whole(3, 'otherwise'))
    await held.record([answer('3'), { type: 'turn-ended', turn: 3 }])
    await held.close()
    expect(await asks(store, 'b')).toEqual(['ask 1', 'ask 2', 'otherwise'])
    expect(await asks(store, 'a')).toEqual(['ask 1', 'ask 2', 'ask 3'])
  })

  test('of a turn that was ended, rewound and ended again begins where it ended last', async () => {
    const store = memoryStore()
    const back: EntryBody = { type: 'rewound', messages: 2, turn: 1, lastGoodTurn: 1, reason: 'other words' }
    await write(store, 'a', ...whole(1), ...whole(2, 'no'), back, ...whole(2, 'yes'), ...whole(3))
    await fork(store, 'a', 'b', 2)
    expect(await asks(store, 'b')).toEqual(['ask 1', 'yes'])
    await fork(store, 'a', 'c', 1)
    expect(await asks(store, 'c')).toEqual(['ask 1'])
  })

  test('of a fork, at a turn of its own and at an inherited one, reads the journal that has the turn', async () => {
    const store = memoryStore()
    await write(store, 'a', ...whole(1), ...whole(2))
    await fork(store, 'a', 'b', 1)
    await write(store, 'b', ...whole(2, 'b 2'), ...whole(3, 'b 3'))
    expect((await fork(store, 'b', 'c', 2)).origin).toMatchObject({ sessionId: 'b', seq: 6 })
    expect((await fork(store, 'b', 'd', 1)).origin).toMatchObject({ sessionId: 'a', seq: 5 })
    expect(await asks(store, 'c')).toEqual(['ask 1', 'b 2'])
    expect(await asks(store, 'd')).toEqual(['ask 1'])
    const inherited: unknown[] = []
    for await (const { isInherited, sessionId, entry } of readHistory(store, 'c')) {
      if (entry.type === 'turn-started') inherited.push([sessionId, isInherited])
    }
    expect(inherited).toEqual([
      ['a', true],
      ['b', true],
    ])
    expect([...(await endsOfTurns(readHistory(store, 'c'))).keys()]).toEqual([1, 2])
  })

  test('rewinds to a turn of its parent, and goes on from there', async () => {
    const store = memoryStore()
    await write(store, 'a', ...whole(1), ...whole(2))
    await fork(store, 'a', 'b')
    await write(store, 'b', ...whole(3))
    await visitSession('b', { store, clock }, (session) => session.rewind(1, 'too far'))
    expect((await store.summary('b'))?.head).toMatchObject({ turn: 1, lastGoodTurn: 1, status: 'idle' })
    await write(store, 'b', ...whole(2, 'again'))
    expect(await asks(store, 'b')).toEqual(['ask 1', 'again'])
    expect(await asks(store, 'a')).toEqual(['ask 1', 'ask 2'])
  })

  test('asks what came of a step that its parent began with the key of that step, and so does an import (P2)', async () => {
    const store = memoryStore()
    const started: EntryBody = { type: 'step-started', stepId: 'key:deploy', name: 'deploy', inDoubt: 'report' }
    await write(store, 'a', ask(1), sent, answer('x'), started, { type: 'turn-ended', turn: 1 })
    await fork(store, 'a', 'b')
    const lines: string[] = []
    for await (const line of exportSession(store, 'a', { clock })) lines.push(line.slice(0, -1))
    const file = async function* () {
      yield* lines
    }
    await importSession(store, file, { clock, as: 'c' })
    for (const id of ['a', 'b', 'c']) {
      const keys: string[] = []
      // However often it is begun again there, and stopped half-way.
      for (const kind of ['not-done', 'not-done', 'done'] as const) {
        const session = await openSession(id, { store, clock })
        const stop = new AbortController()
        const verify = async (_input: unknown, { idempotencyKey }: { idempotencyKey: string }) => {
          keys.push(idempotencyKey)
          return kind === 'done' ? { kind, result: 'live' } : { kind }
        }
        const run = () => {
          stop.abort(new Error('stopped'))
          throw new Error('half-way')
        }
        const step = session.step('deploy', {}, run, { key: 'deploy', verify, signal: stop.signal })
        if (kind === 'done') expect(await step).toBe('live')
        else await expect(step).rejects.toThrow('stopped')
        await session.close()
      }
      expect(keys).toEqual(Array.from({ length: 3 }, () => 'a:key:deploy'))
    }
  })

  test('keeps the key of a tool call that was begun in it, however often it is begun again elsewhere (P2)', async () => {
    const store = memoryStore()
    const call = { type: 'tool_use', id: 't1', name: 'deploy', input: {} }
    const said: EntryBody = {
      type: 'response-received',
      message: { id: 'm', role: 'assistant', model: 'm', content: [call], stop_reason: 'tool_use' },
    }
    const started: EntryBody = { type: 'tool-started', toolUseId: 't1', name: 'deploy', inDoubt: 'report' }
    await write(store, 'a', ask(1), sent, said, started)
    const lines: string[] = []
    for await (const line of exportSession(store, 'a', { clock })) lines.push(line.slice(0, -1))
    const file = async function* () {
      yield* lines
    }
    await importSession(store, file, { clock, as: 'b' })
    await write(store, 'b', started)
    const session = await openSession('b', { store, clock })
    expect(session.transcript.unanswered).toMatchObject([{ state: 'started', startedIn: 'a' }])
    await session.close()
  })

  test('under another machine version is folded anew, with what it inherited', async () => {
    const store = memoryStore()
    await write(store, 'a', ...whole(1))
    await fork(store, 'a', 'b')
    const session = await openSession('b', { store, clock, machineVersion: 'next' })
    expect(session.context).toMatchObject({ turn: 1, lastGoodTurn: 1 })
    expect(session.messages()).toHaveLength(2)
    await session.close()
  })

  test('is refused at a turn that has not ended, under a name that is taken, and of nothing', async () => {
    const store = memoryStore()
    await write(store, 'a', ...whole(1), ask(2))
    await expect(fork(store, 'a', 'b', 2)).rejects.toEqual(refusal('bad-option', /no finished turn 2/))
    await expect(fork(store, 'a', 'a')).rejects.toEqual(refusal('bad-option', /session a already exists/))
    await expect(fork(store, 'x', 'b')).rejects.toEqual(refusal('session-not-found', /no session x/))
    await expect(fork(store, 'a', 'b', 2)).rejects.toMatchObject({ hint: 'finished turns: 1' })
    await write(store, 'n', ask(1))
    await expect(fork(store, 'n', 'b')).rejects.toEqual(refusal('bad-option', /no finished turn to fork/))
    await expect(fork(store, 'n', 'b')).rejects.toMatchObject({ hint: expect.stringContaining('own program') })
    expect(await store.summary('b')).toBeUndefined()
  })

  test('that cannot be written is told, and leaves nothing', async () => {
    const store = memoryStore()
    await write(store, 'a', ...whole(1))
    const full: Store = {
      ...store,
      append: (...args) =>
        args[2].some(({ type }) => type === 'session-forked')
          ? Promise.reject(new LastgoodError('journal-conflict', 'the disk is full', { hint: 'make room' }))
          : store.append(...args),
    }
    await expect(fork(full, 'a', 'b')).rejects.toThrow('the disk is full')
    expect(await store.summary('b')).toBeUndefined()
    expect(await fork(store, 'a', 'b')).toMatchObject({ sessionId: 'b', turn: 1 })
  })

  test('leaves alone what somebody else has made under its name meanwhile', async () => {
    const store = memoryStore()
    await write(store, 'a', ...whole(1), ...whole(2))
    let isMade = false
    const late: Store = {
      ...store,
      async summary(id) {
        const seen = await store.summary(id)
        if (id === 'b' && !isMade) {
          isMade = true
          await fork(store, 'a', 'b', 1)
        }
        return seen
      },
    }
    await expect(fork(late, 'a', 'b')).rejects.toEqual(refusal('bad-option', /session b already exists/))
    expect((await store.summary('b'))?.holder).toBeNull()
    expect(await asks(store, 'b')).toEqual(['ask 1'])
  })

  test('says what is wrong when its parent is gone, shorter than it was, another one of its name, or its own descendant', async () => {
    const store = memoryStore()
    await write(store, 'a', ...whole(1), ...whole(2))
    await fork(store, 'a', 'b')
    await store.remove('a')
    const gone = refusal('journal-corrupt', /session b continues from entry 9 of session a, which is not there/)
    await expect(asks(store, 'b')).rejects.toEqual(gone)
    await write(store, 'a', ...whole(1))
    await expect(asks(store, 'b')).rejects.toEqual(refusal('journal-corrupt', /is no longer the same journal/))
    await store.remove('a')
    await clock.advance(1)
    await write(store, 'a', ...whole(1, 'another'), ...whole(2, 'session'))
    await expect(asks(store, 'b')).rejects.toEqual(refusal('journal-corrupt', /is no longer the same journal/))
    await store.remove('a')
    const origin = { sessionId: 'b', seq: 2 }
    await write(store, 'a', { type: 'session-forked', origin, reason: 'r' })
    await expect(asks(store, 'b')).rejects.toEqual(refusal('journal-corrupt', /form a cycle/))
  })
})

describe('removing', () => {
  test('a session with forks is refused, and names them; after them it goes', async () => {
    const store = memoryStore()
    await write(store, 'a', ...whole(1))
    await fork(store, 'a', 'b')
    await expect(removeSession(store, 'a', { clock })).rejects.toMatchObject({
      code: 'bad-option',
      message: 'session a has forks that read its journal: b',
      details: { forks: ['b'] },
    })
    expect((await store.summary('a'))?.holder).toBeNull()
    await removeSession(store, 'b', { clock })
    await removeSession(store, 'a', { clock })
    await removeSession(store, 'a', { clock })
    expect(await store.summary('a')).toBeUndefined()
  })

  type Job = (store: Store) => Promise<unknown>
  const [forking, removing]: [Job, Job] = [
    (store) => fork(store, 'a', 'b'),
    (store) => removeSession(store, 'a', { clock }),
  ]

  test.each([
    ['forking at any moment of a removal', removing, forking],
    ['removing at any moment of a fork', forking, removing],
  ])('%s: whoever comes second gives way, and no fork is left without its parent', async (_name, slow, quick) => {
    const outcomes = new Set<string>()
    for (let moment = 0; ; moment += 1) {
      const store = memoryStore()
      await write(store, 'a', ...whole(1))
      const wins = (job: Promise<unknown>) =>
        job.then(
          () => true,
          () => false,
        )
      let steps = 0
      let other: Promise<boolean> | undefined
      const meanwhile = async () => {
        if (steps++ === moment) await (other = wins(quick(store)))
      }
      const watched: Store = {
        ...store,
        acquire: async (...args) => (await meanwhile(), store.acquire(...args)),
        append: async (...args) => (await meanwhile(), store.append(...args)),
        release: async (...args) => (await meanwhile(), store.release(...args)),
        summary: async (...args) => (await meanwhile(), store.summary(...args)),
        async *list(filter) {
          await meanwhile()
          yield* store.list(filter)
          await meanwhile()
        },
        remove: async (...args) => (await meanwhile(), store.remove(...args)),
      }
      const first = await wins(slow(watched))
      if (other === undefined) break
      const second = await other
      const [parent, child] = [await store.summary('a'), await store.summary('b')]
      outcomes.add(`${first} ${second}`)
      expect({ moment, orphan: child !== undefined && parent === undefined }).toEqual({ moment, orphan: false })
      if (child) await expect(asks(store, 'b')).resolves.toEqual(['ask 1'])
    }
    expect(outcomes.size).toBeGreaterThan(1)
  })

  test('one that somebody holds is refused as busy', async () => {
    const store = memoryStore()
    await write(store, 'a', ...whole(1))
    const held = await openSession('a', { store, clock })
    await expect(removeSession(store, 'a', { clock })).rejects.toEqual(refusal('session-busy', /is written by/))
    await held.close()
  })
})

test('an import that has not finished is not forked: what is there of it may be half a conversation', async () => {
  const store = memoryStore({ clock })
  await write(store, 's', ...whole(1))
  const seq = ((await store.summary('s'))?.head.seq ?? 0) + 1
  const lease = await store.acquire('s', owner('ann'), 60_000)
  if (lease.kind === 'busy') throw new Error('busy')
  const importing = importingHead('s', seq, clock.now(), { sha256: '0'.repeat(64), entries: 9 })
  await store.append(lease, seq - 1, [entry(seq, lease.fence, ask(2))], importing)
  await store.release(lease)
  await expect(forkSession(store, 's', 'f', { clock })).rejects.toMatchObject({ code: 'journal-corrupt' })
  expect(await store.summary('f')).toBeUndefined()
})
