import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Wire, classify, retryAfterMs } from './classify.ts'
import { faultSchema } from './fault.ts'

const now = Date.parse('2026-11-20T12:00:00Z')

function refused(message: string): Wire {
  const body = JSON.stringify({ type: 'error', error: { type: 'invalid_request_error', message } })
  return { phase: 'status', status: 400, body, now }
}

describe('message', () => {
  test('is at most 500 characters', () => {
    expect(classify(refused('tools: '.repeat(9_000))).message).toHaveLength(500)
  })

  test.each([
    ['invalid key sk-ant-api03-abcDEF_123-xyz given', 'invalid key sk-ant-…[secret] given'],
    ['bad header Authorization: Bearer eyJhbGciOi.JIUzI1NiJ9.x-_y', 'bad header Authorization: Bearer [secret]'],
    ['x-api-key: 0123456789abcdef is unknown', 'x-api-key: [secret] is unknown'],
    ['connect to http://user:hunter2@proxy:8080 failed', 'connect to http://user:[secret]@proxy:8080 failed'],
    ['two\nlines\u001B[31m and \u202Ecolour', 'two lines [31m and colour'],
    ['half a pair \uD83D here', 'half a pair  here'],
    ['Bearer authentication required', 'Bearer authentication required'],
  ])('never carries credentials or terminal controls: %j', (said, kept) => {
    expect(classify(refused(said)).message).toBe(kept)
    expect(classify({ phase: 'connect', cause: new Error(said), now }).message).toBe(kept)
  })

  test.each<Partial<Wire>>([
    { phase: 'body', status: 200, body: '{"type":"message","content":[{"type":"text","text":"the plan' },
    { phase: 'body', status: 200, body: 'data: the plan' },
    { phase: 'status', status: 422, body: '{"detail":[{"loc":["body"],"msg":"invalid","input":"the plan"}]}' },
    { phase: 'status', status: 400, body: '{"messages":["the plan"' },
  ])('never quotes what may hold the conversation (%#)', (seen) => {
    expect(JSON.stringify(classify({ phase: 'status', now, ...seen }))).not.toContain('the plan')
  })

  test('takes no time that grows with the square of a hostile body', () => {
    // Of the processor: others use it as well.
    const before = process.cpuUsage()
    for (const unit of [
      ' ',
      'a',
      '://',
      'api-key: ',
      'bearer ',
      '<title',
      '\uD83D',
      'messages.0',
      'file container ',
      'a.',
      '{"',
      '{"\\"',
    ]) {
      const text = unit.repeat(65_536 / unit.length)
      classify({ phase: 'status', status: 500, body: text, now })
      classify(refused(text))
    }
    expect(process.cpuUsage(before).user / 1_000).toBeLessThan(2_000)
  })
})

describe('retry-after', () => {
  test.each<[Record<string, string>, number | undefined]>([
    [{}, undefined],
    [{ 'retry-after': '2' }, 2_000],
    [{ 'retry-after': '1.5' }, 1_500],
    [{ 'retry-after': '0' }, 0],
    [{ 'retry-after-ms': '250', 'retry-after': '9' }, 250],
    [{ 'retry-after-ms': 'soon', 'retry-after': '9' }, 9_000],
    [{ 'retry-after': 'Fri, 20 Nov 2026 12:01:30 GMT' }, 90_000],
    [{ 'retry-after': 'Fri, 20 Nov 2026 11:00:00 GMT' }, 0],
    // By the clock of the server, which is five hours ahead of ours.
    [{ date: 'Fri, 20 Nov 2026 17:00:00 GMT', 'retry-after': 'Fri, 20 Nov 2026 17:00:30 GMT' }, 30_000],
    [{ date: '5', 'retry-after': 'Fri, 20 Nov 2026 12:01:30 GMT' }, 90_000],
    [{ 'retry-after': '-5' }, undefined],
    [{ 'retry-after': 'soon' }, undefined],
    [{ 'retry-after': 'Infinity' }, undefined],
    // An epoch instead of a wait.
    [{ 'retry-after': '1795176000' }, undefined],
  ])('%j is %s ms', (headers, expected) => {
    expect(retryAfterMs(new Headers(headers), now)).toBe(expected)
  })
})

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
const headersArbitrary = fc
  .dictionary(
    fc.constantFrom('retry-after', 'retry-after-ms', 'x-should-retry', 'request-id', 'content-type'),
    fc.stringMatching(/^[ -~]*$/),
  )
  .map((fields) => new Headers(fields))
const thrown = fc.oneof(
  fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true }),
  fc.string().map((message) => new Error(message, { cause: { code: message, cause: [message] } })),
  fc.constant(
    new Proxy(
      {},
      {
        get: () => {
          throw new Error('no')
        },
      },
    ),
  ),
)
const cyclic: { cause?: unknown; code: string } = { code: 'EPIPE' }
cyclic.cause = cyclic

const wireArbitrary: fc.Arbitrary<Wire> = fc.record({
  phase: fc.constantFrom('connect', 'status', 'body'),
  status: optional(fc.oneof(fc.integer({ min: 100, max: 599 }), fc.double())),
  headers: optional(headersArbitrary),
  contentType: optional(fc.oneof(fc.string(), fc.constantFrom('text/html', 'text/event-stream', 'application/json'))),
  body: optional(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc
        .string()
        .map((text) => JSON.stringify({ error: { type: text, message: text, details: { error_code: text } } })),
    ),
  ),
  inBandError: optional(
    fc.record({ type: optional(fc.string()), message: optional(fc.string()), details: fc.anything() }),
  ),
  cause: fc.oneof(thrown, fc.constant(cyclic)),
  timer: optional(fc.constantFrom('first-event', 'between-events')),
  eventsSeen: optional(fc.nat()),
  stopReasonSeen: optional(fc.boolean()),
  endedPolitely: optional(fc.boolean()),
  complete: fc.constantFrom('calls', 'text', undefined),
  tokens: optional(fc.nat()),
  answer: fc.constantFrom('output-cut', 'broken-call', 'empty', undefined, undefined, undefined, undefined),
  elsewhere: optional(
    fc.record({
      failures: fc.nat(9),
      failingForMs: fc.nat(900_000),
      othersSucceed: fc.boolean(),
      othersDenied: fc.nat(4),
      workedBefore: fc.boolean(),
    }),
  ),
  now: fc.nat(4e12),
})

test('whatever was seen, it gives a fault that the journal takes', () => {
  fc.assert(
    fc.property(wireArbitrary, (wire) => {
      const fault = classify(wire)
      expect(faultSchema().safeParse(fault).success).toBe(true)
      expect((fault.message ?? '').length).toBeLessThanOrEqual(500)
    }),
    { numRuns: 2_000 },
  )
})
