import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Block } from '../../journal/journal.ts'
import { gif, png } from './images.fixture.ts'
import { guardToolResult } from './ingest.ts'

const result = (content: unknown): Block => ({ type: 'tool_result', tool_use_id: 't1', content })
const text = (value: string): Block => ({ type: 'text', text: value })
const lone = '\uD83D'

test.each<[string, Block]>([
  ['text', result('ok')],
  ['no content', { type: 'tool_result', tool_use_id: 't1' }],
  ['the empty string, which the API takes', result('')],
  ['blocks', result([text('ok'), png(2_000, 10)])],
])('a fit result is the same object: %s', (_claim, block) => {
  expect(guardToolResult(block)).toBe(block)
})

test.each<[string, unknown, unknown]>([
  ['a half surrogate pair becomes U+FFFD', `a${lone}b`, 'a\uFFFDb'],
  ['also inside a block', [text(`a${lone}`)], [text('a\uFFFD')]],
  ['blank texts go', [text('ok'), text(''), text(' \n')], [text('ok')]],
  ['nothing left says so', [text('')], '(no output)'],
  ['an empty list says so', [], '(no output)'],
  [
    'an image with a side over 2000 pixels is named',
    [png(2_001, 9)],
    [text('[image 2001x9 left out: a side is longer than 2000 pixels]')],
  ],
  [
    'the media type is the one that the image has',
    [{ ...gif(9, 9), source: { ...source(gif(9, 9)), media_type: 'image/png' } }],
    [gif(9, 9)],
  ],
])('%s', (_claim, content, expected) => {
  expect(guardToolResult(result(content))['content']).toEqual(expected)
})

test('a long text keeps its beginning and its end, and says how much is missing', () => {
  const cut = String(guardToolResult(result(`begin${'x'.repeat(5_000)}end`), 1_000)['content'])
  expect(cut.length).toBeLessThanOrEqual(1_000)
  expect(cut).toMatch(/^begin/)
  expect(cut).toMatch(/end$/)
  expect(cut).toContain('of 5008 characters left out')
})

test.each([999, 1_000, 1_001, 1_002])('no character is cut in half (%i)', (maxChars) => {
  const cut = String(guardToolResult(result('\u{1F600}'.repeat(2_000)), maxChars)['content'])
  expect(cut.length).toBeLessThanOrEqual(maxChars)
  expect(cut.isWellFormed()).toBe(true)
})

test('of several texts the short ones stay whole', () => {
  const guarded = guardToolResult(result([text('short'), text('y'.repeat(5_000))]), 1_000)
  expect(guarded['content']).toMatchObject([text('short'), { type: 'text' }])
  expect(JSON.stringify(guarded).length).toBeLessThan(1_200)
})

const content = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 400 }),
  fc.array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 400 }).map(text),
      fc.tuple(fc.nat(4_000), fc.nat(4_000)).map(([width, height]) => png(width, height)),
      fc.string().map((data) => ({ type: 'image', source: { type: 'base64', media_type: 'image/png', data } })),
      fc.constant({ type: 'tool_reference', tool_name: lone }),
    ),
    { maxLength: 4 },
  ),
)

test('whatever a tool returned: well-formed, short, never an empty text, and fit the second time', () => {
  fc.assert(
    fc.property(content, (value) => {
      const guarded = guardToolResult(result(value), 500)
      const sent = JSON.stringify(guarded)
      expect(sent).not.toMatch(/\\ud[89a-f]/i)
      expect(sent.length).toBeLessThan(20_000)
      if (Array.isArray(guarded['content'])) expect(guarded['content']).not.toContainEqual(text(''))
      expect(guardToolResult(guarded, 500)).toBe(guarded)
    }),
    { numRuns: 500 },
  )
})

function source(block: Block): object {
  return Object(block['source'])
}
