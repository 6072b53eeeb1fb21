/** Rows 22 to 24, 30 and 31: refusals and failures that do not say what is wrong, or name what only the server had. */
import {
  again,
  fellBack,
  http,
  invalid,
  mended,
  parked,
  refusal,
  times,
  told,
  well,
  type FaultCase,
} from './fault-case.ts'

const lostThread = refusal(404, 'not_found_error', 'No such thread', 'thread_not_found')
const slow500 = refusal(500, 'api_error', 'Internal server error', '', { 'retry-after': '90' })
const failing = again('server-transient', 90_000, 99_000)
/** The jitter grows with the attempts. */
const failsOn = again('server-transient', 90_000, 150_000)
/** From the fifth failure on, a request of two words is sent each time; five answers to it in a row are the proof. */
const failingAlone = [...times(4, failing), ...times(4, failsOn)]
const sumUp = {
  role: 'user',
  content: [
    { type: 'document', source: { type: 'file', file_id: 'file_01' } },
    { type: 'text', text: 'Sum up.' },
  ],
}

export const serverHeld: readonly FaultCase[] = [
  {
    row: 22,
    signal: 'an unknown 400',
    claim: "an error that is not known to pass is reported at once, in the API's words",
    served: [invalid('That will not do')],
    expect: { faults: [told('request-rejected', /would refuse it again/)], caller: { status: 400 } },
  },
  {
    row: 22,
    signal: 'an unknown 400, with `x-should-retry: true`',
    claim: 'a header does not cause a refused request to be sent again',
    served: [refusal(400, 'invalid_request_error', 'That will not do', '', { 'x-should-retry': 'true' })],
    expect: { faults: [told('request-rejected', /would refuse it again/)], caller: { status: 400 } },
  },
  {
    row: 22,
    signal: 'an unknown 422',
    claim: 'other refusals are treated alike',
    served: [http(422, '{"detail":"Unprocessable"}', { 'content-type': 'application/json' })],
    expect: { faults: [told('request-rejected', /Unprocessable/)], caller: { status: 422 } },
  },
  {
    row: 23,
    signal: '404 "model: …"',
    claim: 'a model that is gone is reported',
    served: [refusal(404, 'not_found_error', 'model: claude-opus-5-5')],
    expect: { faults: [told('model-gone', /another model/)], caller: { status: 404 } },
  },
  {
    row: 23,
    signal: '404 "model: …", with a ladder',
    claim: 'the next rung takes over at once',
    served: [refusal(404, 'not_found_error', 'model: claude-opus-5-5')],
    given: { ladder: ['claude-sonnet-5-5'] },
    expect: { faults: [fellBack('model-gone')], caller: well, sent: { model: 'claude-sonnet-5-5' } },
  },
  {
    row: 24,
    signal: '500 five times over five minutes while others are answered',
    claim: 'a request that fails alone is repaired, not waited out for ever',
    served: times(9, slow500),
    given: { others: 'answered', pingIsAnswered: true, request: { container: 'container_01' } },
    expect: {
      faults: [...failingAlone, mended('poisoned', 'drop-container:container_01')],
      caller: well,
      unsent: ['container_01'],
    },
  },
  {
    row: 24,
    signal: '500 five times over five minutes, others are answered now and then, and two words are not',
    claim: 'a partial outage is not taken for a poisoned conversation',
    served: times(9, slow500),
    given: { others: 'answered' },
    expect: { faults: [...times(4, failing), ...times(5, failsOn)], caller: well },
  },
  {
    row: 24,
    signal: '500 five times over five minutes, and no other session is there',
    claim: 'a request of two words shows whether the model answers at all',
    served: times(9, slow500),
    given: { pingIsAnswered: true, request: { container: 'container_01' } },
    expect: { faults: [...failingAlone, mended('poisoned', 'drop-container:container_01')], caller: well },
  },
  {
    row: 24,
    signal: '500 five times over five minutes while no session is answered',
    claim: 'a server that answers nobody is an outage: waited out',
    served: times(5, slow500),
    given: { request: { container: 'container_01' } },
    expect: { faults: [...times(4, failing), again('server-transient', 90_000, 106_000)], caller: well },
  },
  {
    row: 24,
    signal: 'poison that no rule removes',
    claim: 'if nothing helps, the session is parked with the advice to go back a turn',
    served: times(9, slow500),
    given: { others: 'answered', pingIsAnswered: true, request: { model: 'claude-haiku-4-5' } },
    expect: {
      faults: [...failingAlone, parked('poisoned', /Go back to an earlier turn/)],
      caller: { error: 'session-suspended' },
    },
  },
  {
    row: 30,
    signal: '404 `thread_not_found`',
    claim: 'a recorded conversation never depends on a thread: it is written out in full',
    served: [],
    given: { request: { thread: { type: 'create' } } },
    expect: { faults: [], caller: well, unsent: ['thread'] },
  },
  ...[
    'thread_not_found',
    'thread_already_continued',
    'thread_continue_in_flight',
    'thread_fingerprint_mismatch',
    'thread_unsupported_request',
  ].map((code): FaultCase => ({
    row: 30,
    signal: `\`${code}\` without a thread in the request`,
    claim: `${code} for a request without a thread is reported, not sent again`,
    served: [code === 'thread_not_found' ? lostThread : invalid('Thread', code)],
    expect: {
      faults: [told('server-object-lost', /no longer has/)],
      caller: { status: code === 'thread_not_found' ? 404 : 400 },
    },
  })),
  {
    row: 31,
    signal: '400 "container … expired", or a 500 with that text',
    claim: 'a lost container is left out: the server makes a new one',
    served: [refusal(500, 'api_error', 'Container container_01 has expired')],
    given: { request: { container: 'container_01' } },
    expect: {
      faults: [mended('server-object-lost', 'drop-container:container_01')],
      caller: well,
      unsent: ['container_01'],
    },
  },
  {
    row: 31,
    signal: '404 `file_expired`',
    claim: 'a lost file becomes text that says so',
    served: [refusal(404, 'not_found_error', 'File file_01 has expired', 'file_expired')],
    given: {
      request: { messages: [sumUp] },
    },
    expect: {
      faults: [mended('server-object-lost', 'drop-files:file_01')],
      caller: well,
      sent: { messages: [{ content: [{ type: 'text' }, { text: 'Sum up.' }] }] },
    },
  },
]
