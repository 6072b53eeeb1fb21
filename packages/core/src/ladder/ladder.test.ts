import { describe, expect, test } from 'vitest'
import { cardOf } from './built-in-cards.ts'
import { type Rung, type RungChoice, chooseRung, validateLadder } from './ladder.ts'

const ladder: Rung[] = [
  { model: 'claude-opus-5-5', endpoint: 'https://a.test' },
  { model: 'claude-haiku-4-5', endpoint: 'https://a.test' },
  { model: 'claude-opus-5-5', endpoint: 'https://b.test' },
  { model: 'claude-opus-4-6', endpoint: 'https://b.test' },
]
const choice: RungChoice = {
  rungs: ladder,
  current: 0,
  isDown: () => false,
  needsTokens: { input: 1_000, output: 0 },
  cardOf,
  scope: 'model',
}

describe('the next rung', () => {
  const cases: { name: string; given: Partial<RungChoice>; rung: number | undefined }[] = [
    { name: 'is the one below', given: {}, rung: 1 },
    { name: 'is none that is known to be down', given: { isDown: (rung) => rung === ladder[1] }, rung: 2 },
    { name: 'is none whose window is too small', given: { needsTokens: { input: 200_001, output: 0 } }, rung: 2 },
    { name: 'is none without room for an answer', given: { needsTokens: { input: 150_000, output: 50_001 } }, rung: 2 },
    { name: 'answers as long as it can', given: { needsTokens: { input: 136_000, output: 128_000 } }, rung: 1 },
    { name: 'may be filled to the brim', given: { needsTokens: { input: 200_000, output: 0 } }, rung: 1 },
    { name: 'is elsewhere when the endpoint is gone', given: { scope: 'endpoint' }, rung: 2 },
    { name: 'is never one above', given: { current: 3 }, rung: undefined },
    {
      name: 'is none when all below are down',
      given: { current: 1, isDown: (rung) => rung !== ladder[0] },
      rung: undefined,
    },
    {
      name: 'has room for a third more tokens than an older model counted',
      given: { current: 1, needsTokens: { input: 800_000, output: 0 } },
      rung: 3,
    },
    {
      name: 'of the same tokenizer counts the same',
      given: { current: 0, needsTokens: { input: 800_000, output: 0 } },
      rung: 2,
    },
    { name: 'of a rung that is not there is none', given: { current: 9 }, rung: undefined },
  ]
  test.each(cases)('$name', ({ given, rung }) => {
    expect(chooseRung({ ...choice, ...given })).toBe(rung)
  })
})

test.each([
  ['no rung', []],
  ['the same rung twice', [{ model: 'a' }, { model: 'b' }, { model: 'a' }]],
  ['the same rung of an endpoint twice', [ladder[0], ladder[0]]],
  ['an empty name', [{ model: ' ' }]],
  ['a rung that is nothing', [null]],
  ['one name, which is no list,', 'claude-opus-5-5'],
  ['more than 8 rungs', Array.from({ length: 9 }, (_, at) => ({ model: `${at}` }))],
])('a ladder with %s is refused', (_what, rungs) => {
  expect(() => validateLadder(rungs as unknown as Rung[])).toThrow(
    expect.objectContaining({ code: 'bad-option', hint: expect.any(String) }),
  )
})

test('a ladder may have one model at several endpoints, and 8 rungs', () => {
  expect(() => validateLadder(ladder)).not.toThrow()
  expect(() => validateLadder(Array.from({ length: 8 }, (_, at) => ({ model: `${at}` })))).not.toThrow()
})
