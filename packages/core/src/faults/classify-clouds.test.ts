/** The errors of other clouds that have the API: Amazon Bedrock, Google's Vertex AI. */
import { expect, test } from 'vitest'
import { inBand, plain, quoting, refused } from './classify.fixture.ts'
import { classify, type Wire } from './classify.ts'
import type { FaultKind } from './fault-kinds.ts'

const table: readonly [kind: FaultKind, claim: string, wire: Wire][] = [
  [
    'server-transient',
    '424 of Bedrock: the model failed',
    plain(424, '{"message":"The system encountered an unexpected error."}'),
  ],
  [
    'server-transient',
    'internalServerException in a stream of Bedrock',
    inBand('internalServerException', 'Try again.'),
  ],
  ['server-transient', 'serviceUnavailableException there', inBand('serviceUnavailableException', 'Try again.')],
  ['server-transient', 'modelStreamErrorException there', inBand('modelStreamErrorException', 'Try again.')],
  ['server-transient', 'modelTimeoutException there', inBand('modelTimeoutException', 'It timed out')],
  [
    'server-transient',
    '503 of Bedrock, quoted',
    quoting(503, '{"message":"Bedrock is unable to process your request."}'),
  ],
  ['server-transient', '499 of Google', plain(499, '[{"error":{"code":499,"status":"CANCELLED"}}]')],
  ['rate-limited', 'throttlingException in a stream of Bedrock', inBand('throttlingException', 'Too many tokens')],
  ['context-overflow', '413 of Vertex about a window', refused(413, 'invalid_request_error', 'Prompt is too long')],
  [
    'context-overflow',
    '400 of Bedrock about a window',
    plain(400, '{"message":"Input is too long for requested model."}'),
  ],
  ['context-overflow', 'the same in a stream', inBand('validationException', 'Input is too long for requested model.')],
  ['model-gone', '400 of Bedrock', plain(400, '{"message":"The provided model identifier is invalid."}')],
  [
    'model-gone',
    '403 of Bedrock',
    plain(403, '{"message":"You don\'t have access to the model with the specified model ID."}'),
  ],
  [
    'model-gone',
    '404 of Vertex',
    plain(404, '[{"error":{"code":404,"message":"Publisher Model `m` was not found","status":"NOT_FOUND"}}]'),
  ],
  [
    'request-rejected',
    'validationException in a stream of Bedrock',
    inBand('validationException', 'Malformed input request'),
  ],
]

test.each(table)('%s: %s', (kind, _claim, wire) => {
  expect(classify(wire).kind).toBe(kind)
})
