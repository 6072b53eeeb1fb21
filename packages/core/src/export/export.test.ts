import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encrypted } from '../at-rest/index.ts'
import { foldHistory } from '../session/fold.ts'
import { forkSession } from '../session/fork.ts'
import { readHistory } from '../store/history.ts'
import { journalVersion, type Entry, type EntryBody } from '../journal/journal.ts'
import { journals } from '../journal/journals.fixture.ts'
import { machineVersion } from '../machine/machine-state.ts'
import { memoryStore } from '../store/memory-store.ts'
import { openSession } from '../session/open-session.ts'
import { removeSession } from '../store/removal.ts'
import type { Head } from '../store/head.ts'
import type { Store } from '../store/store.ts'
import { crashAfter } from '../testing/crash-after.ts'
import { owner } from '../testing/entries.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { decodeExport, encodeExport } from './export-file.ts'
import { exportSession, type ExportOptions } from './export-session.ts'
import { importSession, type ImportOptions } from './import-session.ts'

const clock = new ManualClock()

async function exported(store: Store, id: string, options: ExportOptions = {}): Promise<string[]> {
  const lines: string[] = []
  for await (const line of exportSession(store, id, { clock, ...options })) lines.push(line.slice(0, -1))
  return lines
}

async function* each(lines: readonly string[]) {
  yield* lines
}

const imported = (store: Store, lines: readonly string[], options: ImportOptions = {}) =>
  importSession(store, () => each(lines), { clock, ...options })

async function stored(entries: readonly Entry[], heads: readonly Head[], id = 's'): Promise<Store> {
  const store = memoryStore({ clock })
  const lease = await store.acquire(id, owner('ann'), 60_000)
  if (lease.kind === 'busy') throw new Error('busy')
  await store.append(lease, 0, entries, { ...(heads.at(-1) as Head), sessionId: id })
  await store.release(lease)
  return store
}

/** A session of `count` turns, with a result that is kept apart in its first. */
async function written(count: number): Promise<Store> {
  const store = memoryStore({ clock })
  const session = await openSession('s', { store, clock, cwd: '/home/ada/shop', pinned: true })
  for (let turn = 1; turn <= count; turn += 1) {
    const text = turn === 1 ? 'x'.repeat(100_000) : `é ${turn}`
    const content = [{ type: 'text', text }]
    await session.record([
      { type: 'turn-started', turn, agent: 'coder', messages: [{ role: 'user', content: `ask ${turn}` }] },
      { type: 'request-sent', model: 'm', attempt: 1 },
      {
        type: 'response-received',
        message: { id: `m${turn}`, role: 'assistant', model: 'm', content, stop_reason: 'end_turn' },
      },
      { type: 'turn-ended', turn },
    ])
  }
  await session.close()
  return store
}

async function conversation(store: Store, id: string) {
  const { transcript, snapshot, facts } = await foldHistory(readHistory(store, id), machineVersion)
  return {
    messages: transcript.messages,
    turns: transcript.turns,
    context: snapshot.context,
    value: snapshot.value,
    facts,
  }
}

const entriesOf = (lines: readonly string[]) => lines.slice(1, -1)
const refusal = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message), hint: expect.any(String) })

describe('an exported session', () => {
  test('comes back as what it was: exported again it is the same file, but for the header and the mark (P4)', async () => {
    await fc.assert(
      fc.asyncProperty(journals, async ({ entries, heads }) => {
        const source = await stored(entries, heads)
        const first = await exported(source, 's')
        const target = memoryStore({ clock })
        const { head } = await imported(target, first, { as: 'other' })
        const second = await exported(target, 'other')
        expect(entriesOf(second).slice(0, -1)).toEqual(entriesOf(first))
        expect(entriesOf(second).at(-1)).toContain('"session-imported"')
        expect(await conversation(target, 'other')).toEqual(await conversation(source, 's'))
        expect(head.machine.context).toEqual(heads.at(-1)?.machine.context)
        expect(head.machine.value).toBe(heads.at(-1)?.machine.value)
      }),
      { numRuns: 50 },
    )
  })

  test('has bodies that are kept apart, retention and what a fork inherited in it, as one journal', async () => {
    const store = await written(3)
    await forkSession(store, 's', 'f', { clock, turn: 2, ttlMs: 1_000 })
    const lines = await exported(store, 'f')
    const target = memoryStore({ clock })
    const { head } = await imported(target, lines)
    expect(head).toMatchObject({ sessionId: 'f', turn: 2, lastGoodTurn: 2, ttlMs: 1_000, agent: 'coder' })
    expect(head).not.toHaveProperty('origin')
    expect(head).not.toHaveProperty('pinned')
    const [before, after] = [await conversation(store, 'f'), await conversation(target, 'f')]
    expect(after.messages).toEqual(before.messages)
    expect(JSON.stringify(after.messages).length).toBeGreaterThan(100_000)
  })

  test('and a fork keep the idempotency keys of the steps that they go on with (P2)', async () => {
    const store = memoryStore({ clock })
    const keys: string[] = []
    const deploy = async (from: Store, id: string, key: string, isLost = false) => {
      const session = await openSession(id, { store: from, clock })
      await session.startTurn([{ role: 'user', content: 'deploy' }])
      const running = session.step(
        'deploy',
        null,
        async ({ idempotencyKey }) => {
          keys.push(idempotencyKey)
          if (isLost) await session.suspend('interrupted', 'killed')
        },
        { key, inDoubt: 'rerun', verify: async () => ({ kind: 'not-done' }) },
      )
      await (isLost ? running.catch(() => {}) : running)
      return session
    }
    const ended = async (id: string, turn: number) => {
      const session = await openSession(id, { store, clock })
      const message = {
        id: `m${turn}`,
        role: 'assistant' as const,
        model: 'm',
        content: [text],
        stop_reason: 'end_turn',
      }
      await session.record([
        { type: 'response-received', message },
        { type: 'turn-ended', turn },
      ])
      await session.close()
    }
    const text = { type: 'text', text: 'ok' }
    await deploy(store, 'a', 'one', true)
    await ended('a', 1)
    await forkSession(store, 'a', 'b', { clock })
    await deploy(store, 'b', 'two', true)
    await ended('b', 2)
    await forkSession(store, 'b', 'c', { clock })
    const target = memoryStore({ clock })
    await imported(target, await exported(store, 'c'), { as: 'd' })
    for (const key of ['one', 'two', 'three']) await (await deploy(target, 'd', key)).close()
    expect(keys).toEqual(['a:key:one', 'b:key:two', 'a:key:one', 'b:key:two', 'd:key:three'])
  })

  test('and a fork go through encryption: sealed in each store, whole in the file, and refused without the key', async () => {
    const source = await exported(await written(2), 's')
    const plain = memoryStore({ clock })
    const key = { id: 'k1', key: Buffer.alloc(32, 7) }
    const store = encrypted(plain, { current: key })
    await importSession(store, () => each(source), { clock })
    await forkSession(store, 's', 'f', { clock, turn: 1 })
    expect((await conversation(store, 'f')).messages[0]).toEqual({ role: 'user', content: 'ask 1' })
    expect(entriesOf(await exported(store, 's')).slice(0, -1)).toEqual(entriesOf(source))
    const kinds = new Set<string>()
    for await (const { type } of plain.read('f')) kinds.add(type)
    expect([...kinds]).toEqual(['sealed'])
    for (const id of ['s', 'f']) await expect(exported(plain, id)).rejects.toMatchObject({ code: 'journal-sealed' })
    await expect(removeSession(store, 's', { clock })).rejects.toMatchObject({ details: { forks: ['f'] } })
    await removeSession(store, 'f', { clock })
    await removeSession(store, 's', { clock })
  })

  test('has what was durable when it began, also while somebody writes it', async () => {
    const store = await written(1)
    const before = await exported(store, 's')
    const lines: string[] = []
    for await (const line of exportSession(store, 's', { clock })) {
      lines.push(line.slice(0, -1))
      if (lines.length > 1) continue
      const session = await openSession('s', { store, clock })
      await session.startTurn([{ role: 'user', content: 'meanwhile' }])
      await session.close()
    }
    expect(lines).toEqual(before)
  })

  test('says what it is: who wrote it, when, of which session, and how many entries', async () => {
    const lines = await exported(await written(1), 's')
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      format: 'lastgood-export',
      v: 1,
      sessionId: 's',
      exportedAt: '2026-01-01T00:00:00.000Z',
      writer: expect.any(String),
      entries: 6,
      redacted: false,
    })
    const entry = JSON.parse(lines[3] ?? '') as { entry: Entry }
    expect(entry.entry).toMatchObject({ seq: 3, fence: 1, v: journalVersion, type: 'turn-started' })
  })
})

describe('a file is whole or it is no session', () => {
  test('whatever line is missing, doubled, moved or altered in one byte is found, and nothing is written', async () => {
    const lines = await exported(await written(2), 's')
    const target = memoryStore({ clock })
    const text = (value: string[]) =>
      imported(target, value).then(
        () => 'imported',
        (error: { code: string }) => error.code,
      )
    const damages: string[][] = []
    lines.forEach((line, i) => {
      const around = (...middle: string[]) => [...lines.slice(0, i), ...middle, ...lines.slice(i + 1)]
      damages.push(around(), around(line, line), around(line.slice(0, -1)), lines.slice(0, i))
      for (let at = 0; at < Math.min(line.length, 400); at += 7) {
        const other = line[at] === '1' ? '2' : '1'
        damages.push(around(line.slice(0, at) + other + line.slice(at + 1)))
      }
    })
    for (const damage of damages) expect(await text(damage)).not.toBe('imported')
    expect(damages.length).toBeGreaterThan(200)
    expect(await target.summary('s')).toBeUndefined()
    expect(await text(lines)).toBe('imported')
  })

  test('the error names the line', async () => {
    const lines = await exported(await written(1), 's')
    const broken = lines.with(3, (lines[3] ?? '').replace('ask 1', 'ask 2'))
    await expect(decodeExport(each(broken))).rejects.toEqual(
      refusal('journal-corrupt', /^line 4 of the file was altered/),
    )
    await expect(decodeExport(each(lines.slice(0, -1)))).rejects.toEqual(refusal('journal-corrupt', /cut off/))
    await expect(decodeExport(each([]))).rejects.toEqual(refusal('journal-corrupt', /is empty/))
    await expect(decodeExport(each(['{"a":1}']))).rejects.toEqual(
      refusal('journal-corrupt', /line 1 .* not the header of/),
    )
    await expect(decodeExport(each([...lines, 'more']))).rejects.toEqual(refusal('journal-corrupt', /after the end/))
  })

  test('a newer format says which version is needed', async () => {
    const [header = '', ...rest] = await exported(await written(1), 's')
    const newer = [header.replace('"v":1', '"v":2'), ...rest]
    await expect(decodeExport(each(newer))).rejects.toEqual(refusal('journal-version', /version 2 .* reads version 1/))
  })

  const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)])
  const asking = (depth: number): EntryBody => ({
    type: 'turn-started',
    turn: 1,
    messages: [{ role: 'user', content: [{ type: 'text', text: 'x', extra: nested(depth) }] }],
  })
  const rewound: EntryBody = { type: 'rewound', messages: 0, turn: 7, lastGoodTurn: 9, reason: 'r' }
  const forked: EntryBody = { type: 'session-forked', origin: { sessionId: 'secret', seq: 3 }, reason: 'r' }
  test.each<[string, EntryBody & { at?: number }, ReturnType<typeof refusal>]>([
    [
      'has no meaning in a file',
      forked,
      refusal('journal-corrupt', /a session-forked entry, which does not belong in a file/),
    ],
    ['is of no instant', { ...rewound, at: 1e300 }, refusal('journal-corrupt', /^line 2: not a journal entry \(at:/)],
    ['ends turns that never began', rewound, refusal('journal-corrupt', /^line 2 of the file ends a turn/)],
    [
      'is deeper than anybody reads',
      asking(700),
      refusal('bad-option', /^line 2 of the file .* nested deeper than 500/),
    ],
  ])('an entry that %s is refused, however well it is hashed', async (_, body, refused) => {
    const header = { sessionId: 's', exportedAt: '', writer: '', entries: 1, redacted: false }
    const lines: string[] = []
    for await (const line of encodeExport(
      header,
      (async function* () {
        yield { at: 0, ...body, v: journalVersion, seq: 1, fence: 1, lane: 'main' } as const
      })(),
    ))
      lines.push(line.slice(0, -1))
    await expect(decodeExport(each(lines))).rejects.toEqual(refused)
  })

  test('text that is nested without end is told by its line, and not by the stack', async () => {
    const lines = await exported(await written(1), 's')
    const text = JSON.stringify({ ...asking(0), v: journalVersion, seq: 1, at: 0, fence: 1, lane: 'main' })
    const deep = text.replace('"extra":1', `"extra":${'['.repeat(20_000)}${']'.repeat(20_000)}`)
    const line = `{"sha256":"${createHash('sha256').update(deep).digest('hex')}","entry":${deep}}`
    await expect(imported(memoryStore(), [lines[0] ?? '', line])).rejects.toEqual(
      refusal('bad-option', /^line 2 of the file .* nested deeper/),
    )
  })
})

describe('importing', () => {
  test('leaves nothing behind that renews its lease', async () => {
    const own = new ManualClock()
    await imported(memoryStore(), await exported(await written(1), 's'), { clock: own })
    expect(own.sleepers).toEqual([])
  })

  test('under a name that is taken is refused, and leaves that session alone', async () => {
    const store = await written(1)
    const lines = await exported(store, 's')
    await expect(imported(store, lines, { force: true })).rejects.toEqual(
      refusal('bad-option', /a session called s already/),
    )
    expect(await exported(store, 's')).toEqual(lines)
    expect((await imported(store, lines, { as: 't' })).sessionId).toBe('t')
  })

  test('what was redacted is refused', async () => {
    const lines = await exported(await written(1), 's', { redact: true })
    await expect(imported(memoryStore(), lines)).rejects.toEqual(refusal('bad-option', /without its content/))
  })

  test('that dies at any append is no session, and the same file goes on where it stopped (P1, P5)', async () => {
    const lines = await exported(await written(150), 's')
    for (const applied of [false, true]) {
      for (let n = 0; ; n += 1) {
        const inner = memoryStore({ clock })
        const store = crashAfter(inner, n, { applied })
        const failed = await imported(store, lines).then(
          () => false,
          () => true,
        )
        if (!store.crashed) {
          expect([failed, n]).toEqual([false, 4])
          break
        }
        const left = await inner.summary('s')
        await clock.advance(60_000)
        if (left && !(applied && n === 3)) {
          const stopped = refusal('journal-corrupt', /its import stopped after \d+ of 602 entries/)
          await expect(openSession('s', { store: inner, clock })).rejects.toEqual(stopped)
          await expect(exported(inner, 's')).rejects.toEqual(stopped)
          await expect(forkSession(inner, 's', 'f', { clock })).rejects.toEqual(stopped)
          const other = await exported(await written(1), 's')
          await expect(imported(inner, other)).rejects.toEqual(
            refusal('bad-option', /unfinished import of another file/),
          )
        }
        // The last append was applied, and nobody heard of it: then it is a session already.
        if (applied && n === 3)
          await expect(imported(inner, lines)).rejects.toEqual(refusal('bad-option', /a session called/))
        else await imported(inner, lines)
        expect(entriesOf(await exported(inner, 's')).slice(0, -1)).toEqual(entriesOf(lines))
      }
    }
  })

  test('never mixes two files: what an import left of a file that changed under it is not gone on with (P4)', async () => {
    const first = await exported(await written(150), 's')
    await clock.advance(1_000)
    const second = await exported(await written(150), 's')
    const store = memoryStore({ clock })
    let openings = 0
    const changing = importSession(store, () => each(openings++ === 0 ? first : second), { clock })
    await expect(changing).rejects.toEqual(refusal('journal-corrupt', /the file changed/))
    expect((await store.summary('s'))?.head.seq).toBeGreaterThan(0)
    await expect(imported(store, first)).rejects.toMatchObject({
      code: 'bad-option',
      message: expect.stringContaining('an unfinished import of another file'),
      hint: expect.stringContaining('--force'),
    })
    await imported(store, first, { force: true })
    expect(entriesOf(await exported(store, 's')).slice(0, -1)).toEqual(entriesOf(first))
  })

  test('of another file takes the place of an unfinished one only with force', async () => {
    const long = await exported(await written(150), 's')
    const inner = memoryStore({ clock })
    await imported(crashAfter(inner, 2, { applied: true }), long).catch(() => {})
    await clock.advance(60_000)
    const short = await exported(await written(1), 's')
    await imported(inner, short, { force: true })
    expect(entriesOf(await exported(inner, 's')).slice(0, -1)).toEqual(entriesOf(short))
  })

  test('with force takes no session away that the other import has finished meanwhile (P1)', async () => {
    const long = await exported(await written(150), 's')
    const inner = memoryStore({ clock })
    await imported(crashAfter(inner, 2, { applied: true }), long).catch(() => {})
    await clock.advance(60_000)
    const acquire: Store['acquire'] = async (...args) => {
      await imported(inner, long)
      return inner.acquire(...args)
    }
    const short = await exported(await written(1), 's')
    await expect(imported({ ...inner, acquire }, short, { force: true })).rejects.toEqual(
      refusal('journal-conflict', /session s was written to meanwhile, and is kept/),
    )
    expect(entriesOf(await exported(inner, 's')).slice(0, -1)).toEqual(entriesOf(long))
  })
})
