import { appendFile, mkdir, writeFile } from 'node:fs/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { entriesAfter, head, owner } from '../testing/entries.ts'
import { type EntriesLine, type Tip, decodePiece, encodeLine, genesis } from './chain.ts'
import { place } from './file.fixture.ts'
import { endingOf, tail } from './journal-file.ts'
import { openForLook } from './open-file.ts'

/** What writers do to a journal: add entries, take it, lose a race, be torn in the middle, or be altered later. */
const deed = fc.record({
  what: fc.constantFrom('append', 'append', 'append', 'lease', 'lost', 'torn', 'altered'),
  text: fc.nat(6_000),
})

function written(deeds: readonly { what: string; text: number }[]): Buffer {
  let [tip, before]: [Tip, Tip] = [genesis, genesis]
  const pieces = deeds.map(({ what, text }) => {
    const isLease = what === 'lease' || tip.fence === 0
    const from = what === 'lost' ? before : tip
    const next = isLease
      ? {
          prev: from.hash,
          fence: from.fence + 1,
          seq: from.seq,
          lease: { owner: owner('ann'), since: 1, expiresAt: 2 },
        }
      : {
          prev: from.hash,
          fence: tip.fence,
          seq: from.seq + 1,
          entries: entriesAfter(from.seq, 1, tip.fence),
          head: head('s', from.seq + 1, { reason: 'x'.repeat(text) }),
        }
    const { hash, bytes } = encodeLine(next)
    if (what === 'torn') return bytes.subarray(0, Math.floor(bytes.length / 2))
    if (what === 'altered') bytes[bytes.length - 4] = (bytes.at(-4) ?? 0) ^ 1
    else if (what !== 'lost') [before, tip] = [tip, { hash, fence: next.fence, seq: next.seq }]
    return bytes
  })
  return Buffer.concat(pieces)
}

test('the ending of a journal is that of all of its lines, or is left to them', async () => {
  const { sessions, journal } = await place()
  await mkdir(sessions, { recursive: true })
  await fc.assert(
    fc.asyncProperty(fc.array(deed, { maxLength: 12 }), async (deeds) => {
      const bytes = written(deeds)
      await writeFile(journal, bytes)
      const handle = openForLook(journal)
      if (!handle) throw new Error('there is no journal')
      try {
        const ending = await endingOf(handle, bytes.length)
        if (!ending) return
        const isEntries = (line: object): line is EntriesLine => 'entries' in line
        const { lines } = await tail(handle, journal, bytes.length, (some) => some.some(isEntries))
        expect(ending.newest).toEqual(lines.findLast(isEntries))
        const { hash, fence, seq } = ending.last
        expect(lines.at(-1)).toMatchObject({ hash, fence, seq })
      } finally {
        await handle.close()
      }
    }),
    { numRuns: 400 },
  )
})

test('where every line goes on from the one before, it is told without the others', async () => {
  const { sessions, journal } = await place()
  await mkdir(sessions, { recursive: true })
  const calm = fc.record({ what: fc.constantFrom('append', 'lease'), text: fc.nat(6_000) })
  await fc.assert(
    fc.asyncProperty(fc.array(calm, { maxLength: 12 }), async (deeds) => {
      const bytes = written([{ what: 'lease', text: 0 }, ...deeds, { what: 'append', text: 9 }])
      await writeFile(journal, bytes)
      const handle = openForLook(journal)
      const ending = handle && (await endingOf(handle, bytes.length))
      await handle?.close()
      expect(ending?.newest.seq).toBe(ending?.last.seq)
      expect(ending?.newest.seq).toBe(1 + deeds.filter(({ what }) => what === 'append').length)
    }),
    { numRuns: 200 },
  )
})

test('what follows the last line that counts leaves it to all of them', async () => {
  const { sessions, journal } = await place()
  await mkdir(sessions, { recursive: true })
  const sound = written(['lease', 'append', 'append'].map((what) => ({ what, text: 9 })))
  const whole = decodePiece(sound.subarray(sound.lastIndexOf(10, -2) + 1, -1))
  expect(whole.kind).toBe('line')
  for (const more of ['\n{"hash":"', '\nnoise\n', '\n']) {
    await writeFile(journal, sound)
    await appendFile(journal, more)
    const handle = openForLook(journal)
    if (!handle) throw new Error('there is no journal')
    const ending = await endingOf(handle, sound.length + more.length)
    await handle.close()
    expect(ending === undefined).toBe(more !== '\n')
  }
})
