/**
 * Journals of every version that ever wrote one are read as what they were when they were written, and gone on with. Their
 * files are never edited; see README.md.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { foldHistory, journalVersion, machineVersion, openSession, readHistory, type Store } from '@lastgood/core'
import { fileStore } from '@lastgood/core/file'
import { reply, text } from '@lastgood/outage-lab'
import { describe, expect, test } from 'vitest'
import { countingAgent } from '../support/counting-story.ts'
import { newFolder } from '../support/folder.ts'
import { jumpingClock, startTestLab } from '../support/harness.ts'
import { entryBodySchema, parseEntry, type EntryType } from '../../packages/core/src/journal/journal.ts'
import { parseHead } from '../../packages/core/src/store/head.ts'
import { expectedOf } from './expected.ts'
import { writeGoldenJournals } from './write.ts'

const root = import.meta.dirname
const versions = readdirSync(root).filter((name) => /^v\d+$/.test(name))
const journals = versions.flatMap((version) =>
  readdirSync(join(root, version)).flatMap((name) =>
    name.endsWith('.jsonl') ? [[version, name.slice(0, -'.jsonl'.length)] as const] : [],
  ),
)

/** A store that has this version's journals, all of them: one may be a fork of another. */
function storeOf(version: string): { store: Store; journal: (id: string) => string } {
  const dir = newFolder()
  mkdirSync(join(dir, 'sessions'))
  for (const name of readdirSync(join(root, version))) {
    if (/\.(jsonl|blobs)$/.test(name))
      cpSync(join(root, version, name), join(dir, 'sessions', name), { recursive: true })
  }
  const store = fileStore({ dir })
  return { store, journal: (id) => readFileSync(store.journalAt(id), 'utf8') }
}

const expected = (version: string, id: string) =>
  JSON.parse(readFileSync(join(root, version, `${id}.expected.json`), 'utf8')) as object

describe('a golden journal', () => {
  test.each(journals)('of %s, %s, is the same conversation in the same state (P1, P4)', async (version, id) => {
    const { store } = storeOf(version)
    const head = (await store.summary(id))?.head
    const folded = await foldHistory(readHistory(store, id), machineVersion)
    expect(expectedOf(folded)).toMatchObject(expected(version, id))
    const cached = await foldHistory(readHistory(store, id), machineVersion, head)
    expect(expectedOf(cached)).toMatchObject(expected(version, id))
    expect(head).toMatchObject({ turn: folded.snapshot.context.turn, seq: folded.seq })
  })

  test.each(journals)('of %s, %s, is gone on with, and what was written stays as it was', async (version, id) => {
    const { store, journal } = storeOf(version)
    const before = journal(id)
    const { lab, client } = await startTestLab({ model: () => reply(text('Yes.')) })
    const session = await openSession(id, { store, clock: jumpingClock(), takeover: true })
    if (session.hasOpenTurn && session.agent !== 'counter') await session.rewind(session.lastGoodTurn, 'golden')
    const { turn, text: said } = await session.run(countingAgent({ count: () => 'counted' }, client), 'Go on.')
    await session.close()
    expect(said).toBe('Yes.')
    // Where repairs were taken back the first request may be refused, and is mended anew.
    expect(lab.requests.at(-1)?.violation).toBeUndefined()
    expect(journal(id).startsWith(before)).toBe(true)
    const again = await foldHistory(readHistory(store, id), machineVersion)
    expect(again.snapshot).toMatchObject({ value: 'idle', context: { turn, lastGoodTurn: turn } })
    expect(JSON.stringify(again.transcript.messages.at(-2))).toContain('Go on.')
  })

  test.each(versions)('of %s has each kind that its version wrote', (version) => {
    const kinds = new Set<string>()
    for (const [, id] of journals.filter(([one]) => one === version)) {
      const lines = readFileSync(join(root, version, `${id}.jsonl`), 'utf8').split('\n')
      for (const line of lines.filter((text) => text !== '')) {
        const { entries = [] } = JSON.parse(line) as { entries?: { v: number; type: string }[] }
        for (const { v, type } of entries) {
          expect(`v${v}`).toBe(version)
          kinds.add(type)
        }
      }
    }
    const later = version === 'v1' ? ofVersion2 : []
    // Only decorators write sealed entries.
    const missing = entryTypes.filter((type) => !kinds.has(type) && ![...later, 'sealed'].includes(type))
    expect(missing).toEqual([])
  })

  test('of the version that is written now is there', async () => {
    const folder = join(root, `v${journalVersion}`)
    if (process.env['GOLDEN'] === 'write' && !existsSync(folder)) await writeGoldenJournals(folder)
    expect(existsSync(folder)).toBe(true)
  })
})

const entryTypes = entryBodySchema().options.map((option) => option.shape.type.value)
const ofVersion2: readonly EntryType[] = [
  'step-started',
  'step-finished',
  'session-forked',
  'session-imported',
  'retention-changed',
  'kept-apart',
]

describe('what a newer version wrote', () => {
  const stamp = { v: journalVersion + 1, seq: 1, at: 0, fence: 1, lane: 'main' }

  test('is refused as an entry, with the version that is needed', () => {
    const needed = { v: journalVersion + 1, reads: journalVersion }
    expect(() => parseEntry({ ...stamp, type: 'turn-ended', turn: 1 }, 'line 1')).toThrow(
      expect.objectContaining({ code: 'journal-version', details: needed, hint: expect.stringContaining('update') }),
    )
  })

  test('is refused as a head, and never taken for empty', async () => {
    expect(() => parseHead({ v: 99 }, 'line 1', 's')).toThrow(expect.objectContaining({ code: 'journal-version' }))
  })
})
