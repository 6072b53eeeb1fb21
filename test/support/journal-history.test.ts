/** The checkers find what they are there for: hand-made histories that cannot be true, and some that can. */
import { describe, expect, test } from 'vitest'
import { type Operation, type Placed, violations } from './journal-history.ts'
import { notLinearizable } from './linearizable.ts'

type Span = [invokedAt: number, returnedAt: number]
const never = Number.POSITIVE_INFINITY
const during = ([invokedAt, returnedAt]: Span, client = 'ann') => ({ client, invokedAt, returnedAt })

const acquire = (
  span: Span,
  fence: number | 'busy' | 'unknown',
  owner = `of ${fence}`,
  takeover?: number,
): Operation => ({
  ...during(span),
  kind: 'acquire',
  owner,
  takeover,
  outcome: typeof fence === 'number' ? { fence } : fence,
})
const append = (
  span: Span,
  fence: number,
  afterSeq: number,
  ids: string,
  outcome: Extract<Operation, { kind: 'append' }>['outcome'] = 'acknowledged',
): Operation => ({
  ...during(span),
  kind: 'append',
  fence,
  owner: `of ${fence}`,
  afterSeq,
  ids: ids.split(''),
  outcome,
})
const read = (span: Span, ids: string): Operation => ({ ...during(span, 'bob'), kind: 'read', outcome: ids.split('') })
const release = (span: Span, fence: number): Operation => ({
  ...during(span),
  kind: 'release',
  fence,
  owner: `of ${fence}`,
  outcome: 'done',
})
const remove = (span: Span, outcome: 'removed' | 'busy'): Operation => ({ ...during(span), kind: 'remove', outcome })

/** `a1 b1 c2`: entry a under fence 1, and so on. */
const journal = (text: string): Placed[] =>
  text.split(' ').flatMap((word, i) => (word === '' ? [] : [{ id: word[0]!, seq: i + 1, fence: Number(word[1]) }]))

interface Case {
  name: string
  history: Operation[]
  journal: string
}

const granted = acquire([0, 1], 1)
const takenOver = acquire([10, 11], 2, 'of 2', 1)

const possible: Case[] = [
  { name: 'nothing at all', history: [], journal: '' },
  {
    name: 'a writer, a reader, a takeover, and the late writer refused',
    history: [
      granted,
      append([2, 3], 1, 0, 'ab'),
      read([4, 5], 'ab'),
      takenOver,
      append([12, 13], 1, 2, 'c', 'lease-lost'),
      append([14, 15], 2, 2, 'd'),
      read([16, 17], 'abd'),
    ],
    journal: 'a1 b1 d2',
  },
  {
    name: 'an append without an answer that is there',
    history: [granted, append([2, never], 1, 0, 'ab', 'unknown'), append([20, 21], 1, 2, 'c')],
    journal: 'a1 b1 c1',
  },
  {
    name: 'an append without an answer that is nowhere',
    history: [granted, append([2, never], 1, 0, 'ab', 'unknown'), append([20, 21], 1, 0, 'c')],
    journal: 'c1',
  },
  {
    name: 'an append that was repeated until it was acknowledged',
    history: [granted, append([2, never], 1, 0, 'a', 'unknown'), append([4, 5], 1, 0, 'a'), append([6, 7], 1, 0, 'a')],
    journal: 'a1',
  },
  {
    name: 'an append that was applied, and refused when it was repeated after a takeover',
    history: [granted, append([2, never], 1, 0, 'a', 'unknown'), takenOver, append([12, 13], 1, 0, 'a', 'lease-lost')],
    journal: 'a1',
  },
  {
    name: 'a read that overlaps an append, with it or without',
    history: [granted, append([2, 9], 1, 0, 'a'), read([3, 4], ''), read([5, 6], 'a')],
    journal: 'a1',
  },
  {
    name: 'an append that overlaps the takeover, acknowledged after it',
    history: [granted, takenOver, append([9, 20], 1, 0, 'a'), append([12, 19], 2, 1, 'b')],
    journal: 'a1 b2',
  },
]

const impossible: (Case & { why: RegExp })[] = [
  {
    name: 'an acknowledged append that is not there',
    history: [granted, append([2, 3], 1, 0, 'a')],
    journal: '',
    why: /acknowledged, and not where it was put/,
  },
  {
    name: 'an acknowledged append of which the last entry is missing',
    history: [granted, append([2, 3], 1, 0, 'ab')],
    journal: 'a1',
    why: /acknowledged, and not where it was put/,
  },
  {
    name: 'an acknowledged append in another place',
    history: [granted, append([2, 3], 1, 0, 'a'), append([2, never], 1, 0, 'b', 'unknown')],
    journal: 'b1 a1',
    why: /acknowledged, and not where it was put/,
  },
  {
    name: 'an entry that is there twice',
    history: [granted, append([2, 3], 1, 0, 'a')],
    journal: 'a1 a1',
    why: /is there twice/,
  },
  {
    name: 'an entry of nobody',
    history: [granted, append([2, 3], 1, 0, 'a')],
    journal: 'a1 b1',
    why: /appended by nobody/,
  },
  {
    name: 'a refused append that is there',
    history: [granted, append([2, 3], 1, 0, 'a', 'lease-lost')],
    journal: 'a1',
    why: /refused, and in the journal/,
  },
  {
    name: 'a part of an append without an answer',
    history: [granted, append([2, never], 1, 0, 'abc', 'unknown')],
    journal: 'a1 b1',
    why: /only a part of it/,
  },
  {
    name: 'an entry of the old fence behind one of the new',
    history: [granted, takenOver, append([12, 13], 2, 0, 'b'), append([3, never], 1, 1, 'a', 'unknown')],
    journal: 'b2 a1',
    why: /follows a greater fence/,
  },
  {
    name: 'a late writer that is acknowledged after the takeover',
    history: [granted, takenOver, append([12, 13], 1, 0, 'a')],
    journal: 'a1',
    why: /although fence 2 had been granted/,
  },
  {
    name: 'a writer that is acknowledged after it gave its lease back',
    history: [granted, release([2, 3], 1), append([4, 5], 1, 0, 'a')],
    journal: 'a1',
    why: /had been given back/,
  },
  {
    name: 'a writer that never had a lease',
    history: [granted, append([2, 3], 3, 0, 'a')],
    journal: 'a3',
    why: /without a grant/,
  },
  {
    name: 'a read without what was acknowledged before',
    history: [granted, append([2, 3], 1, 0, 'a'), append([4, 5], 1, 1, 'b'), read([6, 7], 'a')],
    journal: 'a1 b1',
    why: /without append b/,
  },
  {
    name: 'a read with what was begun later',
    history: [granted, read([2, 3], 'a'), append([4, 5], 1, 0, 'a')],
    journal: 'a1',
    why: /begun later/,
  },
  {
    name: 'a read with what is not in the journal',
    history: [granted, append([2, never], 1, 0, 'a', 'unknown'), read([3, 4], 'a')],
    journal: '',
    why: /no beginning of the journal/,
  },
  {
    name: 'a read with a part of an append',
    history: [granted, append([2, 9], 1, 0, 'ab'), read([3, 4], 'a')],
    journal: 'a1 b1',
    why: /with a part of/,
  },
  {
    name: 'a read that is shorter than one before it',
    history: [granted, append([2, 9], 1, 0, 'a'), read([3, 4], 'a'), read([5, 6], '')],
    journal: 'a1',
    why: /shorter than the one before/,
  },
  {
    name: 'two appends in the wrong order',
    history: [granted, append([6, 7], 1, 0, 'b'), append([2, 3], 1, 1, 'a')],
    journal: 'b1 a1',
    why: /which was over when it began/,
  },
  {
    name: 'one fence for two',
    history: [granted, acquire([0, 2], 1, 'another')],
    journal: '',
    why: /was granted to/,
  },
  {
    name: 'a fence that is smaller than one before it',
    history: [acquire([0, 1], 2), acquire([2, 3], 1, 'of 1', 2)],
    journal: '',
    why: /after the greater/,
  },
]

/** With a read of the whole journal at the end, which is all that the search knows of it. */
const withLastRead = ({ history, journal: text }: Case): Operation[] => [
  ...history,
  { ...read([1e6, 1e6 + 1], ''), outcome: journal(text).map(({ id }) => id) } as Operation,
]

describe.each(possible)('$name', (one) => {
  test('can be true', () => {
    expect(violations(one.history, journal(one.journal))).toEqual([])
    expect(notLinearizable(withLastRead(one))).toBeUndefined()
  })
})

describe.each(impossible)('$name', (one) => {
  test('cannot be true', () => {
    expect(violations(one.history, journal(one.journal)).join('\n')).toMatch(one.why)
    expect(notLinearizable(withLastRead(one))).toContain('no order explains')
  })
})

describe('removals', () => {
  test('start the session anew, with fences from the beginning', () => {
    const history = [granted, append([2, 3], 1, 0, 'a'), release([4, 5], 1), remove([6, 7], 'removed')]
    const anew = [...history, acquire([8, 9], 1, 'of 1'), append([10, 11], 1, 0, 'b'), read([12, 13], 'b')]
    expect(notLinearizable(anew)).toBeUndefined()
    expect(notLinearizable([...history, read([8, 9], 'a')])).toContain('no order explains')
    expect(notLinearizable([...history, acquire([8, 9], 'busy', 'other')])).toContain('no order explains')
  })

  test('do not happen to a held session', () => {
    expect(notLinearizable([granted, remove([2, 3], 'busy')])).toBeUndefined()
    expect(notLinearizable([granted, remove([2, 3], 'removed')])).toContain('no order explains')
    expect(notLinearizable([remove([2, 3], 'busy')])).toContain('no order explains')
  })
})
