/** Row 5: an error inside a stream that began with a 200. It means what it would mean as a status. */
import { event, started } from '../support/scripted-api.ts'
import { keptCalls, openCall, openText, textAndCall } from './answer-parts.ts'
import { again, inBand, kept, mended, parked, stream, told, well, type FaultCase } from './fault-case.ts'

const inBandErrors: readonly FaultCase[] = (
  [
    ['overloaded_error', 'Overloaded', again('overloaded', 0, 2_000)],
    ['api_error', 'Internal server error', again('server-transient', 0, 1_000)],
    ['timeout_error', 'Request timed out', again('server-transient', 0, 1_000)],
    ['rate_limit_error', 'Too many tokens', again('rate-limited', 0, 5_000)],
    ['flux_error', 'A type that nobody knows', again('server-transient', 0, 1_000)],
  ] as const
).map(([type, message, verdict]) => ({
  row: 5,
  signal: `SSE \`error\` \`${type}\` after a 200`,
  claim: `an in-band ${type} is its own class, though it came with a 200`,
  served: [stream(started(), openText(0, 'Half'), inBand(type, message))],
  expect: { faults: [{ ...verdict, fault: { errorType: type, status: 200 } }], caller: { says: 'Half|All is well.' } },
}))

/** As LiteLLM writes errors, whatever API its client speaks. */
const unnamed = (message: string, code: string) => ({ message, type: 'None', param: 'None', code })

export const inBandCases: readonly FaultCase[] = [
  ...inBandErrors,
  {
    row: 5,
    signal: 'SSE `error` as the first event',
    claim: 'an error as the first event counts as one before the answer',
    served: [stream(inBand('overloaded_error', 'Overloaded'))],
    expect: { faults: [again('overloaded', 0, 2_000)], caller: well },
  },
  {
    row: 5,
    signal: 'SSE `error` without a type',
    claim: 'an error without a type counts as a failure of the server',
    served: [stream(started(), event('error', {}))],
    expect: { faults: [again('server-transient', 0, 1_000)], caller: well },
  },
  {
    row: 5,
    signal: 'an error of a gateway without `event:`, `code` 503',
    claim: 'an error in the dialect of another API is one, and its code is its status',
    served: [
      stream(started(), openText(0, 'Half'), `data: ${JSON.stringify({ error: unnamed('Unavailable', '503') })}\n\n`),
    ],
    expect: {
      faults: [again('server-transient', 0, 1_000, { fault: { message: 'Unavailable' } })],
      caller: { says: 'Half|All is well.' },
    },
  },
  {
    row: 5,
    signal: 'an error of a gateway without `event:` about a budget',
    claim: 'what a gateway refuses inside a stream is not waited out',
    served: [stream(`data: ${JSON.stringify({ error: unnamed('Budget has been exceeded!', '400') })}\n\n`)],
    expect: { faults: [parked('spend-blocked', /Raise it/, 3_600_000)], caller: { error: 'session-suspended' } },
  },
  {
    row: 5,
    signal: 'SSE `error` without the envelope, and as plain text',
    claim: 'an error is read as it stands where a gateway wrote it its own way',
    served: [
      stream(started(), 'event: error\ndata: {"type":"overloaded_error","message":"Overloaded"}\n\n'),
      stream(started(), 'event: error\ndata: upstream died\n\n'),
    ],
    expect: {
      faults: [
        again('overloaded', 0, 2_000),
        again('server-transient', 0, 2_000, { fault: { message: 'upstream died' } }),
      ],
      caller: well,
    },
  },
  {
    row: 5,
    signal: 'SSE `error` after a complete tool call',
    claim: 'complete tool calls are kept although the server was overloaded afterwards',
    served: [stream(...textAndCall, inBand('overloaded_error', 'Overloaded'))],
    expect: { faults: [kept('overloaded')], ...keptCalls },
  },
  {
    row: 5,
    signal: 'SSE `error` inside a tool call',
    claim: 'a call that an error cut never runs, not even with the empty input that it began with',
    served: [stream(started(), openCall(0, ''), inBand('overloaded_error', 'Overloaded'))],
    expect: { faults: [again('overloaded', 0, 2_000)], caller: well, unrecorded: ['toolu_half'] },
  },
  {
    row: 5,
    signal: 'SSE `invalid_request_error` about money',
    claim: 'a spend limit inside a stream parks the session',
    served: [stream(started(), inBand('invalid_request_error', 'Your credit balance is too low'))],
    expect: { faults: [parked('spend-blocked', /Raise it/, 3_600_000)], caller: { error: 'session-suspended' } },
  },
  {
    row: 5,
    signal: 'SSE `authentication_error`',
    claim: 'a login that expires inside a stream is not retried again and again',
    served: [stream(started(), inBand('authentication_error', 'Expired'))],
    expect: {
      faults: [parked('auth-blocked', /refused the credentials/, 300_000)],
      caller: { error: 'session-suspended' },
    },
  },
  {
    row: 5,
    signal: 'SSE `invalid_request_error` that names a message',
    claim: 'a refusal of the conversation inside a stream is reported when no rule repairs it',
    served: [stream(started(), inBand('invalid_request_error', 'messages: `tool_use` ids must be unique'))],
    expect: { faults: [told('transcript-invalid', /refused the conversation/)], caller: { error: 'request-failed' } },
  },
  {
    row: 5,
    signal: 'SSE `error` that names thinking',
    claim: 'a refusal inside a stream is repaired like one before it',
    served: [stream(started(), inBand('invalid_request_error', 'This model does not support the effort parameter.'))],
    given: { request: { output_config: { effort: 'high' } } },
    expect: { faults: [mended('params-incompatible', 'drop-params:effort')], caller: well, unsent: ['effort'] },
  },
]
