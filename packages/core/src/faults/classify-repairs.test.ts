import { describe, expect, test } from 'vitest'
import { alone, answered, broken, invalid, now, page, poisoned, refused } from './classify.fixture.ts'
import { type Wire, classify } from './classify.ts'
import type { FaultKind } from './fault-kinds.ts'

describe('poisoned is not', () => {
  const server = refused(500, 'api_error', 'No')
  test.each<[string, Wire, FaultKind]>([
    [
      'a request that has failed four times',
      { ...server, elsewhere: { ...poisoned, failures: 4 } },
      'server-transient',
    ],
    [
      'one that has failed for less than 5 min',
      { ...server, elsewhere: { ...poisoned, failingForMs: 299_999 } },
      'server-transient',
    ],
    [
      'one that fails while nobody is answered',
      { ...server, elsewhere: { ...poisoned, othersSucceed: false } },
      'server-transient',
    ],
    ['overload', { ...refused(529, 'overloaded_error', 'Overloaded'), elsewhere: poisoned }, 'overloaded'],
    ['a conflict', { ...refused(409, 'conflict_error', 'Conflict'), elsewhere: poisoned }, 'server-transient'],
    [
      'a failure with a code of its own',
      { ...refused(503, 'api_error', 'No key', 'cmek_key_unreachable'), elsewhere: poisoned },
      'server-transient',
    ],
  ])('%s', (_claim, wire, kind) => {
    expect(classify(wire).kind).toBe(kind)
  })
})

test.each<[string, Wire]>([
  [
    'one session alone, which never worked',
    { ...refused(401, 'authentication_error', 'No'), elsewhere: { ...alone, othersDenied: 1 } },
  ],
  [
    'an organisation on hold',
    { ...invalid('On hold', 'organization_on_hold'), elsewhere: { ...alone, workedBefore: true } },
  ],
  [
    'a disabled organisation',
    {
      ...refused(403, 'permission_error', 'This organization has been disabled.'),
      elsewhere: { ...alone, workedBefore: true },
    },
  ],
  [
    "a key's scope",
    { ...refused(403, 'permission_error', 'Scope', 'api_key_scope_missing'), elsewhere: { ...alone, othersDenied: 9 } },
  ],
])('no outage of the login system: %s', (_claim, wire) => {
  expect(classify(wire).kind).toBe('auth-blocked')
})

describe('the repairs and places that a fault names', () => {
  test.each<[string, Wire, readonly string[] | undefined, (readonly string[])?]>([
    [
      'poison, the likeliest first',
      { ...refused(500, 'api_error', 'No'), elsewhere: poisoned },
      ['drop-container', 'drop-thread', 'drop-newest-beta', 'drop-block', 'placeholder-last-results'],
    ],
    ['a code of a thread', refused(404, 'not_found_error', 'No thread', 'thread_not_found'), ['drop-thread']],
    ['a page with 413', page(413, '413 Request Entity Too Large'), ['shrink-images', 'shorten-old-results']],
    ['a cut call', answered('output-cut'), ['raise-max-tokens']],
    ['an empty answer', answered('empty'), ['nudge']],
    [
      'a changed thinking block',
      invalid(
        'messages.7.content.0: `thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified.',
      ),
      ['restore-thinking', 'strip-thinking'],
      ['messages.7.content.0'],
    ],
    [
      'a bound signature',
      invalid(
        'messages.3.content.0: Invalid `signature` in `thinking` block. The block is bound to a different conversation.',
      ),
      ['restore-thinking', 'drop-block', 'strip-thinking'],
      ['messages.3.content.0'],
    ],
    [
      'a field of a block',
      invalid('messages.1.content.0.text.parsed: Extra inputs are not permitted'),
      ['drop-field', 'block-as-text'],
      ['messages.1.content.0.text.parsed'],
    ],
    [
      "a block in a tool's result",
      invalid('messages.2.content.0.tool_result.content.0.image.source: Field required'),
      ['block-as-text'],
      ['messages.2.content.0.tool_result.content.0.image.source'],
    ],
    [
      'a field whose name is no word',
      invalid('messages.0.content.0.text.$id: Extra inputs are not permitted'),
      ['drop-field', 'block-as-text'],
      ['messages.0.content.0.text.$id'],
    ],
    [
      'a field whose name is not of Latin letters',
      invalid('messages.0.content.0.text.meta.日本: Extra inputs are not permitted'),
      ['drop-field', 'block-as-text'],
      ['messages.0.content.0.text.meta.日本'],
    ],
    [
      'no place that cannot be read whole',
      invalid('messages.0.content.0.text.a,b: Extra inputs are not permitted'),
      ['drop-field', 'block-as-text'],
    ],
    [
      'a summary where there is no compaction',
      invalid(
        "messages.1.content.0: Input tag 'compaction' found using 'type' does not match any of the expected tags",
      ),
      ['compaction-as-text'],
      ['messages.1.content.0'],
    ],
    [
      'compaction where there is none',
      invalid(
        "context_management.edits.0: Input tag 'compact_20260112' found using 'type' does not match any of these",
      ),
      ['compaction-as-text'],
      ['context_management.edits.0'],
    ],
    ['a parameter', invalid('speed: Extra inputs are not permitted'), ['drop-field', 'drop-newest-beta'], ['speed']],
    ['nothing for a 500', refused(500, 'api_error', 'No'), undefined],
  ])('%s', (_claim, wire, repairs, paths) => {
    const fault = classify(wire)
    expect(fault.repairs).toEqual(repairs)
    expect(fault.paths).toEqual(paths)
  })

  test.each(['`messages.3.content.0`: no', 'No to messages.3.content.0.', 'Look ("messages.3.content.0").'])(
    'the punctuation around a place is none of it: %s',
    (message) => {
      expect(classify(invalid(message)).paths).toEqual(['messages.3.content.0'])
    },
  )

  test('places of the details come first, and what is no place is left out', () => {
    const details = {
      error_code: 'image_dimensions_too_large',
      paths: ['messages.0.content.1.image.source.base64', 'not a place', 7],
    }
    const error = { type: 'invalid_request_error', message: 'messages.0.content.1.image: too large', details }
    const { paths } = classify({ phase: 'status', status: 400, body: JSON.stringify({ error }), now })
    expect(paths).toEqual(['messages.0.content.1.image.source.base64', 'messages.0.content.1.image'])
  })
})

test('a fault tells what the broken answer leaves whole and what it cost', () => {
  const wire = broken({ endedPolitely: true, complete: 'calls', tokens: 1_234 })
  expect(classify(wire)).toMatchObject({ kind: 'stream-truncated', complete: 'calls', tokens: 1_234 })
  expect(classify({ ...answered('output-cut'), tokens: 9 })).toEqual({
    kind: 'output-cut',
    status: 200,
    tokens: 9,
    repairs: ['raise-max-tokens'],
  })
})
