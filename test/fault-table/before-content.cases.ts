/** Rows 1 to 4 and 9: failures before any content of an answer. */
import { ended, said, started, textBlock } from '../support/scripted-api.ts'
import {
  again,
  fellBack,
  http,
  page,
  parked,
  refusal,
  resent,
  stream,
  times,
  told,
  well,
  type FaultCase,
} from './fault-case.ts'

const whole = {
  id: 'msg_whole',
  type: 'message',
  role: 'assistant',
  model: 'claude-opus-5-5',
  content: [{ type: 'text', text: 'Whole.' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 9, output_tokens: 5 },
}
const internal = refusal(500, 'api_error', 'Internal server error')
const overload = refusal(529, 'overloaded_error', 'Overloaded')
const shouldRetry = (value: string) => ({ 'x-should-retry': value })

export const beforeContent: readonly FaultCase[] = [
  {
    row: 1,
    signal: '500 `api_error`',
    claim: 'a 500 is sent again after a drawn wait, the same bytes',
    served: [internal, internal],
    expect: { faults: [again('server-transient', 0, 1_000), again('server-transient', 0, 2_000)], caller: well },
  },
  {
    row: 1,
    signal: '502, 503, 520 to 524 as an HTML page',
    claim: 'error pages of a proxy are waited out, and only their titles are quoted',
    served: [page(502, '502: Bad gateway'), page(503, 'Unavailable'), page(520, 'Unknown'), page(524, 'Timeout')],
    expect: {
      faults: [
        again('server-transient', 0, 1_000, { fault: { status: 502, message: '502: Bad gateway' } }),
        again('server-transient', 0, 2_000),
        again('server-transient', 0, 4_000),
        again('server-transient', 0, 8_000),
      ],
      caller: well,
    },
  },
  {
    row: 1,
    signal: '504 `timeout_error`',
    claim: 'a request that took the server too long is sent again',
    served: [refusal(504, 'timeout_error', 'Request timed out')],
    expect: { faults: [again('server-transient', 0, 1_000)], caller: well },
  },
  {
    row: 1,
    signal: '408, 409, 425, 499',
    claim: 'the 4xx that only mean "not now" are waited out',
    served: [http(408), refusal(409, 'conflict_error', 'Conflict'), http(425), http(499)],
    expect: {
      faults: [
        again('server-transient', 0, 1_000),
        again('server-transient', 0, 2_000),
        again('server-transient', 0, 4_000),
        again('server-transient', 0, 8_000),
      ],
      caller: well,
    },
  },
  {
    row: 1,
    signal: 'an unknown 4xx with `x-should-retry: true`',
    claim: 'the server may ask for a re-send after an unknown error',
    served: [http(418, '', shouldRetry('true'))],
    expect: { faults: [again('server-transient', 0, 1_000, { fault: { shouldRetry: true } })], caller: well },
  },
  {
    row: 1,
    signal: '5xx with `x-should-retry: false`',
    claim: 'the server may ask for no re-send: the session is parked, not lost',
    served: [refusal(500, 'api_error', 'No', '', shouldRetry('false'))],
    expect: {
      faults: [parked('server-transient', /asks not to be retried/, undefined, { waitMs: [900_000, 901_000] })],
      caller: { error: 'session-suspended' },
    },
  },
  {
    row: 1,
    signal: '5xx with `retry-after: 30`',
    claim: 'a failing server may say when to come back: not sooner, and with jitter on top',
    served: [refusal(503, 'api_error', 'Later', '', { 'retry-after': '30' })],
    expect: { faults: [again('server-transient', 30_000, 31_000)], caller: well },
  },
  {
    row: 1,
    signal: '500 for a minute, with a ladder',
    claim: 'the next rung takes over after three failures and a minute, not before',
    served: times(3, refusal(500, 'api_error', 'No', '', { 'retry-after': '40' })),
    given: { ladder: ['claude-sonnet-5-5'] },
    expect: {
      faults: [
        again('server-transient', 40_000, 41_000),
        again('server-transient', 40_000, 42_000),
        fellBack('server-transient'),
      ],
      caller: well,
      sent: { model: 'claude-sonnet-5-5' },
    },
  },
  {
    row: 1,
    signal: '5xx beyond the horizon',
    claim: 'an outage longer than the horizon parks the session, with a time for the next try',
    served: times(2, refusal(500, 'api_error', 'No', '', { 'retry-after': '45' })),
    given: { policy: { horizonMs: 60_000 } },
    expect: {
      faults: [
        again('server-transient', 45_000, 46_000),
        parked('server-transient', /no progress within 60 s/, undefined, { waitMs: [900_000, 900_000] }),
      ],
      caller: { error: 'session-suspended' },
    },
  },
  {
    row: 2,
    signal: '529 `overloaded_error`',
    claim: 'overload is waited out for longer than other failures',
    served: [overload, overload],
    expect: { faults: [again('overloaded', 0, 2_000), again('overloaded', 0, 4_000)], caller: well },
  },
  {
    row: 2,
    signal: '500 with the text `Overloaded`',
    claim: 'a 500 that says Overloaded counts as overload',
    served: [refusal(500, 'api_error', 'Overloaded')],
    expect: { faults: [again('overloaded', 0, 2_000)], caller: well },
  },
  {
    row: 2,
    signal: '529 with `x-should-retry: true`',
    claim: 'the header changes nothing about overload',
    served: [refusal(529, 'overloaded_error', 'Overloaded', '', shouldRetry('true'))],
    expect: { faults: [again('overloaded', 0, 2_000)], caller: well },
  },
  {
    row: 2,
    signal: '529, with a ladder',
    claim: 'another model has its own capacity: it takes the turn after one re-send',
    served: [overload, overload],
    given: { ladder: ['claude-sonnet-5-5'] },
    expect: {
      faults: [again('overloaded', 0, 2_000), fellBack('overloaded')],
      caller: well,
      sent: { model: 'claude-sonnet-5-5' },
      entries: ['rung-changed'],
    },
  },
  {
    row: 3,
    signal: '529 `compaction_unavailable`',
    claim: 'when the server cannot compact, the request waits, and no other model is asked to',
    served: times(3, refusal(529, 'overloaded_error', 'Unavailable', 'compaction_unavailable')),
    given: { ladder: ['claude-sonnet-5-5'] },
    expect: {
      faults: [
        again('compaction-unavailable', 0, 2_000),
        again('compaction-unavailable', 0, 4_000),
        again('compaction-unavailable', 0, 8_000),
      ],
      caller: well,
      sent: { model: 'claude-opus-5-5' },
    },
  },
  {
    row: 4,
    signal: '`ECONNREFUSED`, `ENOTFOUND`, `ECONNRESET` before headers',
    claim: 'no answer at all is waited out, whatever the reason',
    served: [
      { unreachable: 'connect ECONNREFUSED 127.0.0.1:443', code: 'ECONNREFUSED' },
      { unreachable: 'getaddrinfo ENOTFOUND api.anthropic.com', code: 'ENOTFOUND' },
      { unreachable: 'read ECONNRESET', code: 'ECONNRESET' },
    ],
    expect: {
      faults: [
        again('transport', 0, 500, { fault: { causes: ['ECONNREFUSED'] } }),
        again('transport', 0, 1_000),
        again('transport', 0, 2_000),
      ],
      caller: well,
    },
  },
  {
    row: 4,
    signal: '`UND_ERR_HEADERS_TIMEOUT`',
    claim: 'a time-out of the network counts as no answer',
    served: [{ unreachable: 'Headers Timeout Error', code: 'UND_ERR_HEADERS_TIMEOUT' }],
    expect: { faults: [again('transport', 0, 500)], caller: well },
  },
  {
    row: 4,
    signal: 'no headers for 120 s',
    claim: 'a server that takes the request and says nothing is given up after two minutes',
    served: [{ silent: true }],
    expect: { faults: [again('transport', 0, 500)], caller: well },
  },
  {
    row: 4,
    signal: 'no answer for minutes, with a ladder of models',
    claim: 'another model at the same host does not help when the host does not answer',
    served: times(6, { unreachable: 'read ETIMEDOUT', code: 'ETIMEDOUT' }),
    given: { ladder: ['claude-sonnet-5-5'], policy: { rules: { transport: { minMs: 60_000 } } } },
    expect: {
      faults: times(6, again('transport', 60_000, 90_000)),
      caller: well,
      sent: { model: 'claude-opus-5-5' },
    },
  },
  ...['SELF_SIGNED_CERT_IN_CHAIN', 'CERT_HAS_EXPIRED', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'].map((code): FaultCase => ({
    row: 4,
    signal: `\`${code}\``,
    claim: `no wait fixes a certificate: ${code} is reported at once`,
    served: [{ unreachable: 'certificate', code }],
    expect: { faults: [told('config', /NODE_EXTRA_CA_CERTS/)], caller: { error: 'request-failed' } },
  })),
  {
    row: 9,
    signal: '200 with an HTML page',
    claim: 'an HTML page instead of a stream is no answer, and its title is reported',
    served: [page(200, 'Sign in to the network')],
    expect: {
      faults: [again('bad-gateway', 0, 500, { fault: { message: 'Sign in to the network' } })],
      caller: well,
    },
  },
  {
    row: 9,
    signal: '200 with a JSON error of the server',
    claim: 'a JSON error that can pass is waited out, although it came with a 200',
    served: [
      http(200, '{"type":"error","error":{"type":"api_error","message":"No"}}', { 'content-type': 'application/json' }),
    ],
    expect: { faults: [again('bad-gateway', 0, 500)], caller: well },
  },
  {
    row: 9,
    signal: '200 with a JSON error about money',
    claim: 'a JSON error that cannot pass is not waited out just because it came with a 200',
    served: [
      http(200, '{"type":"error","error":{"type":"billing_error","message":"Pay"}}', {
        'content-type': 'application/json',
      }),
    ],
    expect: { faults: [parked('spend-blocked', /Raise it/, 3_600_000)], caller: { error: 'session-suspended' } },
  },
  {
    row: 9,
    signal: '200 with an empty stream',
    claim: 'a stream without an event is no answer',
    served: [stream(), http(200)],
    expect: { faults: [again('bad-gateway', 0, 500), again('bad-gateway', 0, 1_000)], caller: well },
  },
  {
    row: 9,
    signal: '200 with a whole message, where a stream was asked for',
    claim: 'what was paid and came whole is the answer, in the form that was asked for',
    served: [http(200, JSON.stringify(whole), { 'content-type': 'application/json' })],
    expect: { faults: [], caller: { says: 'Whole.' }, recorded: { content: [{ text: 'Whole.' }] } },
  },
  {
    row: 9,
    signal: '200 with a stream, where a message was asked for',
    claim: 'a stream that came whole is a message',
    served: [stream(said('Whole.'))],
    given: { whole: true },
    expect: { faults: [], caller: { says: 'Whole.' }, recorded: { content: [{ text: 'Whole.' }] } },
  },
  {
    row: 9,
    signal: '200 with a stream whose `content-type` is missing or another',
    claim: 'a stream is known by what it says, as the SDK does it',
    served: [http(200, said('Whole.')), http(200, said('No.'), { 'content-type': 'text/plain' })],
    expect: { faults: [], caller: { says: 'Whole.' } },
  },
  {
    row: 9,
    signal: '200 with a stream without the lines `event:`',
    claim: 'an event is named by its data where a gateway left its name out',
    served: [stream(said('Whole.').replaceAll(/^event: .*\n/gm, ''))],
    expect: { faults: [], caller: { says: 'Whole.' }, recorded: { content: [{ text: 'Whole.' }] } },
  },
  {
    row: 9,
    signal: '200 with JSON that is not a message',
    claim: 'a caller that does not stream never gets JSON that is not a message',
    served: [http(200, '{"ok":true}', { 'content-type': 'application/json' }), page(200, 'Sign in')],
    given: { whole: true },
    expect: { faults: [again('bad-gateway', 0, 500), again('bad-gateway', 0, 1_000)], caller: well },
  },
  {
    row: 1,
    signal: '401 in between many 5xx',
    claim: 'each kind is treated in its own way, also when they alternate',
    served: [internal, refusal(401, 'authentication_error', 'invalid x-api-key'), internal],
    expect: {
      faults: [again('server-transient', 0, 1_000), resent('auth-blocked'), again('server-transient', 0, 4_000)],
      caller: well,
    },
  },
  {
    row: 9,
    signal: 'a complete answer with `content-type: text/event-stream; charset=UTF-8`',
    claim: 'a good answer is not a fault',
    served: [stream(said('Fine.'))],
    expect: { faults: [], caller: { says: 'Fine.', stop: 'end_turn' }, recorded: { stop_reason: 'end_turn' } },
  },
  {
    row: 9,
    signal: 'pings and comments before the first event',
    claim: 'what only keeps a connection open does not count as an event and does no harm',
    served: [
      stream(
        ': keep-alive\n\n',
        'event: ping\ndata: {"type":"ping"}\n\n',
        started(),
        textBlock(0, 'Fine.'),
        ended('end_turn'),
      ),
    ],
    expect: { faults: [], caller: { says: 'Fine.' } },
  },
]
