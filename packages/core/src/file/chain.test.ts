import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { changed } from '../journal/changed.fixture.ts'
import { entriesAfter, head, owner } from '../testing/entries.ts'
import {
  type Content,
  type Line,
  beginningOf,
  decodePiece,
  encodeLine,
  genesis,
  goesOn,
  isSurelyLine,
  judge,
  lineSchema,
} from './chain.ts'

const lease: Content = { prev: genesis.hash, fence: 1, seq: 0, lease: { owner: owner('ann'), since: 1, expiresAt: 2 } }

/** An append of `count` entries after `prev`. */
function append(prev: Pick<Line, 'hash' | 'seq'>, count = 1, fence = 1): Content {
  const entries = entriesAfter(prev.seq, count, fence)
  return { prev: prev.hash, fence, seq: prev.seq + count, entries, head: head('s', prev.seq + count) }
}

/** The line between its two newlines. */
function bare(content: Content): Buffer {
  return encodeLine(content).bytes.subarray(1, -1)
}

function lineOf(content: Content): Line {
  const piece = decodePiece(bare(content))
  if (piece.kind !== 'line') throw new Error(piece.kind)
  return piece.line
}

describe('a line', () => {
  test('is one JSON object between two newlines, hash first', () => {
    const { hash, bytes } = encodeLine(append(genesis, 2))
    const text = bytes.toString()
    expect(text.startsWith('\n{"hash":"')).toBe(true)
    expect(text.endsWith('}\n')).toBe(true)
    expect(text.trim()).not.toContain('\n')
    expect(JSON.parse(text)).toMatchObject({ hash, prev: genesis.hash, seq: 2, head: head('s', 2) })
  })

  test('cut at any byte is torn, and only whole is it a line', () => {
    for (const content of [lease, append(genesis)]) {
      const bytes = bare(content)
      for (let length = 1; length < bytes.length; length++) {
        expect([length, decodePiece(bytes.subarray(0, length)).kind]).toEqual([length, 'torn'])
      }
      expect(decodePiece(bytes).kind).toBe('line')
    }
  })

  test('with any one bit flipped is altered, never torn and never a line', () => {
    const bytes = bare(append(genesis))
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes)
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect([bit, decodePiece(flipped).kind]).toEqual([bit, 'altered'])
    }
  })

  test('whose pages never reached the disk is torn [a power cut leaves NUL]', () => {
    const bytes = bare(append(genesis))
    expect(decodePiece(Buffer.from(bytes).fill(0, 100, 200)).kind).toBe('torn')
    expect(decodePiece(Buffer.alloc(4096)).kind).toBe('torn')
    expect(decodePiece(Buffer.from(bytes).fill(0, 100, 101)).kind).toBe('altered')
  })

  test('of a newer version is told apart from damage', () => {
    const newer = { v: 2, ...lease, novelty: true }
    expect(decodePiece(bare(newer))).toEqual({ kind: 'newer', v: 2 })
    expect(decodePiece(bare({ ...lease, v: 'x' } as Content)).kind).toBe('altered')
    expect(decodePiece(Buffer.from('{"a":1}')).kind).toBe('altered')
  })
})

describe('a line counts', () => {
  const first = lineOf(lease)
  const second = lineOf(append(first, 2))
  const counted = new Set([first.hash, second.hash])

  test('when it continues from the last one that counted', () => {
    expect(judge(first, genesis, new Set())).toBe('counts')
    expect(judge(second, first, counted)).toBe('counts')
    expect(judge(lineOf(append(second)), second, counted)).toBe('counts')
    expect(judge(lineOf({ ...lease, prev: second.hash, fence: 2, seq: 2 }), second, counted)).toBe('counts')
  })

  test('not when another line came first (P3)', () => {
    expect(judge(lineOf(append(first)), second, counted)).toBe('lost')
    expect(judge(lineOf({ ...lease, fence: 9 }), second, counted)).toBe('lost')
  })

  test('not when the line before it is unknown', () => {
    expect(judge(lineOf(append({ hash: 'f'.repeat(64), seq: 2 })), second, counted)).toBe('orphan')
  })

  test('not with a fence or a sequence that does not follow, though its hashes are right (P3)', () => {
    const { hash } = second
    const bad = [
      append(second, 1, 2),
      append({ hash, seq: 3 }),
      append({ hash, seq: 1 }),
      { ...append(second), seq: 4 },
      { ...append(second), entries: entriesAfter(2, 1, 7) },
      { ...lease, prev: hash, fence: 1, seq: 2 },
      { ...lease, prev: hash, fence: 2, seq: 3 },
    ]
    for (const content of bad) expect(judge(lineOf(content), second, counted)).toBe('broken')
  })
})

describe('what is told without looking at all of a line', () => {
  const lines = [lineOf(lease), lineOf(append(genesis, 2))]

  test.each(lines)('what is surely a line the schema takes too, whatever was changed in it', (line) => {
    expect(isSurelyLine(line, line.hash)).toBe(true)
    const sure = fc.property(changed(line), (value) => {
      expect(isSurelyLine(value, line.hash) && !lineSchema().safeParse(value).success).toBe(false)
    })
    fc.assert(sure, { numRuns: 1000 })
  })

  test.each([lease, append(genesis, 2)])('the beginning of a line is that of the whole one', (content) => {
    const { hash, prev, fence, seq } = lineOf(content)
    expect(beginningOf(bare(content))).toEqual({ hash, prev, fence, seq, isLease: 'lease' in content })
  })

  test('no line that was altered or torn has a beginning', () => {
    const bytes = bare(append(genesis, 2))
    const altered = fc.property(fc.nat(bytes.length - 1), fc.nat(7), (at, bit) => {
      const copy = Buffer.from(bytes)
      copy[at] = (copy[at] ?? 0) ^ (1 << bit)
      expect(beginningOf(copy)).toBeUndefined()
    })
    fc.assert(altered, { numRuns: 500 })
    const torn = fc.property(fc.nat(bytes.length - 1), (end) => {
      expect(beginningOf(bytes.subarray(0, end))).toBeUndefined()
    })
    fc.assert(torn)
  })

  test('a line that goes on is one that counts, its entries aside', () => {
    const first = lineOf(lease)
    const tips = [genesis, first, { ...first, fence: 2 }, { ...first, seq: 1 }, { ...first, hash: genesis.hash }]
    for (const tip of tips) {
      for (const content of [lease, append(first, 2), append(genesis, 1), { ...lease, prev: first.hash, fence: 2 }]) {
        const beginning = beginningOf(bare(content))
        const counts = judge(lineOf(content), tip, new Set()) === 'counts'
        expect(counts && !(beginning && goesOn(beginning, tip))).toBe(false)
      }
    }
  })
})
