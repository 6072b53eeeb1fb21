import { describe, expect, test } from 'vitest'
import { aborted, apiBody, broken, limited, quoting, now, page, plain } from './classify.fixture.ts'
import { type Wire, classify } from './classify.ts'

describe('the fault', () => {
  test('carries what the API said: status, type, code, words, request id, pause', () => {
    const wire = limited('Usage grew too fast', 'ramp_limit_exceeded')
    wire.headers?.set('retry-after', '17')
    wire.headers?.set('x-should-retry', 'true')
    expect(classify(wire)).toEqual({
      kind: 'rate-limited',
      status: 429,
      errorType: 'rate_limit_error',
      errorCode: 'ramp_limit_exceeded',
      message: 'Usage grew too fast',
      requestId: 'req_011CZLrUfBVk',
      retryAfterMs: 17_000,
      shouldRetry: true,
    })
  })

  test('carries the codes of the whole cause chain, also of a host with several addresses', () => {
    const refusedV6 = Object.assign(new Error('connect ECONNREFUSED ::1:443'), { code: 'ECONNREFUSED' })
    const cause = new TypeError('fetch failed', { cause: new AggregateError([refusedV6]) })
    expect(classify({ phase: 'connect', cause, now })).toEqual({
      kind: 'transport',
      message: 'fetch failed: connect ECONNREFUSED ::1:443',
      causes: ['ECONNREFUSED'],
    })
  })

  test('is what a gateway quotes: its words, its places, the id of its request', () => {
    const quoted = apiBody('invalid_request_error', 'messages.1.content.0.text.parsed: Extra inputs are not permitted')
    expect(classify(quoting(400, quoted))).toEqual({
      kind: 'transcript-invalid',
      status: 400,
      errorType: 'invalid_request_error',
      message: 'messages.1.content.0.text.parsed: Extra inputs are not permitted',
      requestId: 'req_011CZLrUfBVk',
      repairs: ['drop-field', 'block-as-text'],
      paths: ['messages.1.content.0.text.parsed'],
    })
  })

  test.each(['{"input": {"message": "hi", "to": "you"}}', '{"error": "n', '{"a":1}{"b":2}'])(
    'is not what a message quotes that is no error: %s',
    (object) => {
      expect(classify(quoting(400, object)).message).toBe(
        `litellm.BadRequestError: AnthropicException - ${object}. Received`,
      )
    },
  )

  test('waits for the end of a window that is used up where no retry-after says so', () => {
    const reset = String(now / 1_000 + 7_200)
    const used = (status: string) => ({
      'anthropic-ratelimit-unified-status': status,
      'anthropic-ratelimit-unified-reset': reset,
    })
    expect(classify(plain(429, '', used('rejected'))).retryAfterMs).toBe(7_200_000)
    expect(classify(plain(429, '', { ...used('rejected'), 'retry-after': '9' })).retryAfterMs).toBe(9_000)
    expect(classify(plain(429, '', used('allowed'))).retryAfterMs).toBeUndefined()
  })

  test('takes the request id from the body when the header is missing', () => {
    expect(classify(plain(500, apiBody('api_error', 'No')))).toMatchObject({ requestId: 'req_011CZLrUfBVk' })
    expect(classify(plain(500, '{"error":{"message":"Overloaded"},"request_id":null}'))).toEqual({
      kind: 'overloaded',
      status: 500,
      message: 'Overloaded',
    })
  })

  test.each<[Wire, string]>([
    [page(502, 'api.anthropic.com | 502: Bad gateway'), 'api.anthropic.com | 502: Bad gateway'],
    [plain(502, `<html><body>${'x'.repeat(60_000)}`), '502 with an HTML page'],
    [plain(301, '<html>', { location: 'https://api.example/v1?key=a' }), 'redirected to https://api.example/v1'],
    [plain(503, 'upstream connect error\r\n'), 'upstream connect error'],
    [plain(422, '{"detail":"unprocessable"}'), 'unprocessable'],
    [broken({ endedPolitely: true }), 'the stream ended after 7 events without a stop reason or message_stop'],
    [broken({ stopReasonSeen: true }), 'the stream ended after 7 events without message_stop'],
    [broken({ timer: 'between-events', cause: aborted }), 'no further event arrived in the time allowed, after 7'],
    [broken({ eventsSeen: 0 }), 'the answer contained no events'],
  ])('says what happened where the API has no words (%#)', (wire, message) => {
    expect(classify(wire).message).toBe(message)
  })
})
