import { describe, expect, test } from 'vitest'
import {
  alone,
  answered,
  aborted,
  apiBody,
  broken,
  inBand,
  invalid,
  jsonWith200,
  limited,
  linked,
  quoting,
  now,
  page,
  plain,
  poisoned,
  refused,
  setUp,
  tunnel,
  unreachable,
  wrapped,
} from './classify.fixture.ts'
import { type Wire, classify } from './classify.ts'
import { type FaultKind, faultKinds } from './fault-kinds.ts'

type Row = [claim: string, wire: Wire]
const says = (shouldRetry: string) => ({ 'x-should-retry': shouldRetry })

const table: [kind: FaultKind, rows: Row[]][] = [
  [
    'server-transient',
    [
      ['500 api_error', refused(500, 'api_error', 'Internal server error')],
      ['502 as the page of Cloudflare', page(502, 'api.anthropic.com | 502: Bad gateway')],
      ['503 without a body', plain(503)],
      ['503 of an Envoy', plain(503, 'upstream connect error or disconnect/reset before headers')],
      ['503 cmek_key_unreachable', refused(503, 'api_error', 'Key unreachable', 'cmek_key_unreachable')],
      ['503 cmek_context_unavailable', refused(503, 'api_error', 'No settings', 'cmek_context_unavailable')],
      ['520', page(520, 'api.anthropic.com | 520: Web server is returning an unknown error')],
      ['524', page(524, 'api.anthropic.com | 524: A timeout occurred')],
      ['504 timeout_error', refused(504, 'timeout_error', 'Request timed out')],
      ['408', plain(408)],
      ['409 conflict_error', refused(409, 'conflict_error', 'Conflict')],
      ['400 request_body_timeout: the upload was slow', invalid('Timed out reading the body', 'request_body_timeout')],
      ['an in-band api_error', inBand('api_error', 'Internal server error')],
      ['an in-band timeout_error', inBand('timeout_error', 'Request timed out')],
      ['an in-band error of a type nobody knows', inBand('flux_error', 'Something new')],
      ['an in-band error without a type', broken({ inBandError: {} })],
      ['an unknown 4xx with x-should-retry: true', plain(418, '', says('true'))],
      ['499 without a client that closed anything', plain(499, '{"error":"Client closed request"}')],
    ],
  ],
  [
    'overloaded',
    [
      ['529', refused(529, 'overloaded_error', 'Overloaded')],
      ['a 500 that says Overloaded', refused(500, 'api_error', 'Overloaded')],
      ['a 503 with overloaded_error', refused(503, 'overloaded_error', 'Overloaded')],
      ['P8: 529 with x-should-retry: false', plain(529, '', says('false'))],
      ['an in-band overloaded_error', inBand('overloaded_error', 'Overloaded')],
      ['overload that a gateway quotes in a 400', quoting(400, apiBody('overloaded_error', 'Overloaded'))],
      ['an in-band api_error that says Overloaded', inBand('api_error', 'Overloaded')],
    ],
  ],
  [
    'compaction-unavailable',
    [
      ['529 compaction_unavailable', refused(529, 'overloaded_error', 'Unavailable', 'compaction_unavailable')],
      ['the same in-band', inBand('overloaded_error', 'Unavailable', { error_code: 'compaction_unavailable' })],
    ],
  ],
  [
    'transport',
    [
      ['a refused connection', unreachable('ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:443')],
      ['a name that does not resolve', unreachable('ENOTFOUND', 'getaddrinfo ENOTFOUND api.anthropic.com')],
      ['a reset before headers', unreachable('ECONNRESET', 'read ECONNRESET')],
      ["undici's time-out of headers", unreachable('UND_ERR_HEADERS_TIMEOUT', 'Headers Timeout Error')],
      ['a TLS handshake that takes too long', unreachable('ERR_TLS_HANDSHAKE_TIMEOUT', 'TLS handshake timeout')],
      ['our own watchdog before headers', { phase: 'connect', timer: 'first-event', now }],
      ['nothing known at all', { phase: 'connect', now }],
      ['502 of a proxy, at the tunnel', tunnel(502)],
    ],
  ],
  [
    'config',
    [
      ['a self-signed certificate', unreachable('SELF_SIGNED_CERT_IN_CHAIN', 'self-signed certificate in chain')],
      ['an expired certificate', unreachable('CERT_HAS_EXPIRED', 'certificate has expired')],
      ['an unknown issuer', unreachable('UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'unable to get local issuer certificate')],
      ['an unknown signer', unreachable('UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'unable to verify the first certificate')],
      ['a certificate for another host', unreachable('ERR_TLS_CERT_ALTNAME_INVALID', 'does not match altnames')],
      ['http where https was asked', unreachable('ERR_SSL_WRONG_VERSION_NUMBER', 'wrong version number')],
      ['a base URL that is none', unreachable('ERR_INVALID_URL', 'Invalid URL', 'Failed to parse URL from api')],
      ['a port that fetch refuses', { phase: 'connect', cause: setUp('bad port'), now }],
      ['a scheme that is none', { phase: 'connect', cause: setUp('unknown scheme'), now }],
      ['a key with a control character', { phase: 'connect', cause: setUp('"k" is an invalid header value.'), now }],
      ['an option of ours that cannot be', unreachable('bad-option', 'credentials are not a valid header value')],
      ['407 of a proxy', plain(407)],
      ['407 of a proxy, at the tunnel', tunnel(407)],
      ['403 of a proxy that does not let the host through', tunnel(403)],
      ['a redirect for good', plain(308, '', { location: '/elsewhere' })],
      ['403 sandbox_egress_restricted', refused(403, 'permission_error', 'Sandbox', 'sandbox_egress_restricted')],
    ],
  ],
  [
    'stream-cut',
    [
      ['a reset', broken({ cause: wrapped('ECONNRESET', 'read ECONNRESET', 'terminated') })],
      ['an unfinished chunk', broken({ cause: wrapped('UND_ERR_SOCKET', 'other side closed', 'terminated') })],
      ["undici's time-out of the body", broken({ cause: wrapped('UND_ERR_BODY_TIMEOUT', 'Body Timeout Error') })],
      ['terminated, and no more said', broken({ cause: new TypeError('terminated') })],
      ['a reset before the first event', broken({ eventsSeen: 0, cause: new TypeError('terminated') })],
      ['an impolite end without a cause', broken({ endedPolitely: false })],
    ],
  ],
  ['stream-truncated', [['a polite end without message_stop', broken({ endedPolitely: true })]]],
  [
    'stream-stalled',
    [
      [
        'no first event, and the abort of our watchdog',
        broken({ timer: 'first-event', eventsSeen: 0, cause: aborted }),
      ],
      ['pings but no further event', broken({ timer: 'between-events' })],
    ],
  ],
  [
    'bad-gateway',
    [
      ['a 200 with HTML', page(200, 'Sign in to the network', 'body')],
      ['a 200 with HTML that does not say so', broken({ eventsSeen: 0, body: '<!doctype html><title>Hi</title>' })],
      ['a 200 with an empty body', broken({ eventsSeen: 0, endedPolitely: true, body: '' })],
      ['a 200 with a JSON error', jsonWith200(apiBody('overloaded_error', 'Overloaded'))],
      ['a 200 with some other JSON', jsonWith200('{"ok":true}')],
    ],
  ],
  [
    'rate-limited',
    [
      ['429 with retry-after', plain(429, apiBody('rate_limit_error', 'Too many tokens'), { 'retry-after': '17' })],
      ['429 without retry-after', limited('Number of requests has exceeded your rate limit')],
      ['429 with hours of retry-after', plain(429, '', { 'retry-after': '9000' })],
      ['429 ramp_limit_exceeded', limited('Usage grew too fast', 'ramp_limit_exceeded')],
      ['429 without a body', plain(429)],
      ['an in-band rate_limit_error', inBand('rate_limit_error', 'This request would exceed your rate limit')],
    ],
  ],
  [
    'spend-blocked',
    [
      ['402 billing_error', refused(402, 'billing_error', 'Payment required')],
      ['429 enforced_spend_limit_reached', limited('Spend limit reached', 'enforced_spend_limit_reached')],
      ['429 contract_spend_limit_reached', limited('Spend limit reached', 'contract_spend_limit_reached')],
      ['402 of a linked organisation', linked('linked_organization_billing_unavailable')],
      ["402 of a linked organisation's limit", linked('linked_organization_spend_limit_reached')],
      ['429 for want of extra usage', limited('Extra usage is required for long context requests.')],
      [
        '400 of a limit',
        invalid('You have reached your specified API usage limits. You will regain access on 2026-12-01.'),
      ],
      ['400 of an empty balance', invalid('Your credit balance is too low to access the Anthropic API.')],
      ['429 of a budget of LiteLLM', plain(429, '{"error":{"message":"No","type":"budget_exceeded","code":"429"}}')],
      ['400 of a budget of LiteLLM, without a type', quoting(400, 'ExceededBudget: User=1 over budget. Spend=10.6')],
      [
        '400 of a plan that other programs do not draw from',
        invalid('Third-party apps now draw from your extra usage, not your plan limits.'),
      ],
      ['an in-band spend limit', inBand('rate_limit_error', 'Limit', { error_code: 'enforced_spend_limit_reached' })],
      ['a 200 with a JSON error that no wait mends', jsonWith200(apiBody('billing_error', 'Payment required'))],
    ],
  ],
  [
    'auth-blocked',
    [
      ['401', refused(401, 'authentication_error', 'invalid x-api-key')],
      ['403', refused(403, 'permission_error', 'Your API key does not have permission to use the specified resource.')],
      ["403 of Cloudflare's challenge", page(403, 'Just a moment...')],
      ['400 of a disabled organisation', invalid('This organization has been disabled.')],
      ['403 of a disabled organisation', refused(403, 'permission_error', 'This organization has been disabled.')],
      [
        '401 of an organisation that may not',
        refused(401, 'authentication_error', 'OAuth authentication is currently not allowed for this organization.'),
      ],
      ['403 api_key_scope_missing', refused(403, 'permission_error', 'Scope', 'api_key_scope_missing')],
      ['400 cmek_key_disabled', invalid('Key disabled', 'cmek_key_disabled')],
      ['400 organization_on_hold', invalid('Your organization is on hold', 'organization_on_hold')],
      ['an in-band authentication_error', inBand('authentication_error', 'OAuth token has expired')],
    ],
  ],
  [
    'transcript-invalid',
    [
      ['400 of an unanswered tool call', invalid('messages.3: `tool_use` ids were found without `tool_result` blocks')],
      ['400 tool_reference_unresolved', invalid('No such tool', 'tool_reference_unresolved')],
      ['400 compaction_block_ambiguous', invalid('Two blocks', 'compaction_block_ambiguous')],
      ['400 compaction_block_misplaced', invalid('Not first', 'compaction_block_misplaced')],
      ['400 compaction_content_mismatch', invalid('Changed', 'compaction_content_mismatch')],
      ['400 compaction_signature_invalid', invalid('Signature', 'compaction_signature_invalid')],
      ['400 compaction_tool_changes_mismatch', invalid('Tools', 'compaction_tool_changes_mismatch')],
      [
        '400 that LiteLLM quotes',
        quoting(400, apiBody('invalid_request_error', 'messages: `tool_use` ids must be unique')),
      ],
      ['a 400 in a 500 of LiteLLM', quoting(500, apiBody('invalid_request_error', 'messages.2.content.1: no'))],
      [
        '400 that OpenRouter quotes',
        plain(
          400,
          JSON.stringify({
            error: {
              message: 'Provider returned error',
              code: 400,
              metadata: { raw: apiBody('invalid_request_error', 'messages.2.content.1: no'), provider_name: 'Azure' },
            },
          }),
        ),
      ],
      [
        '400 that one gateway quotes from another',
        quoting(
          500,
          JSON.stringify({
            error: { message: 'No', metadata: { raw: apiBody('invalid_request_error', 'messages.2: no') } },
          }),
        ),
      ],
      [
        '400 of the model behind Amazon',
        plain(400, '{"message":"The model returned the following errors: messages.2.content.1: no"}'),
      ],
      [
        '400 of a document in an answer',
        invalid('messages.1.content.0: `document` blocks are not supported in assistant messages'),
      ],
      ['an in-band refusal of a block', inBand('invalid_request_error', 'messages.1.content.0: Invalid `signature`')],
    ],
  ],
  [
    'params-incompatible',
    [
      [
        '400 of max_tokens',
        invalid('max_tokens: 128000 > 64000, which is the maximum allowed number of output tokens'),
      ],
      ['400 of a beta', invalid('Unexpected value(s) `old-2025-01-01` for the `anthropic-beta` header.')],
      ['400 of a thinking type', invalid('"thinking.type.enabled" is not supported for this model.')],
      ['400 of an extra parameter', invalid('speed: Extra inputs are not permitted')],
      ['400 tool_name_conflict', invalid('Two tools', 'tool_name_conflict')],
      ['400 available_tools_limit_exceeded', invalid('Too many tools', 'available_tools_limit_exceeded')],
      ['400 of a beta that is not open', invalid('Not enrolled', 'organization_not_enrolled_in_beta')],
      [
        'an in-band refusal of a parameter',
        inBand('invalid_request_error', 'temperature: Extra inputs are not permitted'),
      ],
    ],
  ],
  [
    'image-rejected',
    [
      ['400 image_dimensions_too_large', invalid('Too many pixels', 'image_dimensions_too_large')],
      ['400 of a broken image', invalid('Could not process image')],
      [
        '400 of a locked PDF',
        invalid('messages.4.content.1.pdf.source.base64.data: The PDF specified is password protected.'),
      ],
      ['400 of what is no base64', invalid('messages.1.content.1.image.source.base64: invalid base64 data')],
      ['400 of an empty image', invalid('messages.0.content.1.image.source.base64: image cannot be empty')],
      ['400 of a format', invalid('Image format image/png not supported')],
    ],
  ],
  [
    'too-large',
    [
      ['413', plain(413, '{"error":{"type":"request_too_large","message":"Request exceeds the maximum size"}}')],
      ['413 as HTML', page(413, '413 Request Entity Too Large')],
      ['413 after decoding', refused(413, 'request_too_large', 'Too large', 'request_body_too_large_after_decoding')],
      ['an in-band request_too_large', inBand('request_too_large', 'Request exceeds the maximum size')],
    ],
  ],
  [
    'context-overflow',
    [
      ['400 of a long prompt', invalid('prompt is too long: 208310 tokens > 200000 maximum')],
      [
        '400 of max_tokens on top',
        invalid('input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000'),
      ],
      ['413 of a window', refused(413, 'invalid_request_error', 'Request size exceeds model context window')],
    ],
  ],
  [
    'server-object-lost',
    [
      ['404 thread_not_found', refused(404, 'not_found_error', 'No thread', 'thread_not_found')],
      ['400 thread_already_continued', invalid('Continued', 'thread_already_continued')],
      ['400 thread_continue_in_flight', invalid('In flight', 'thread_continue_in_flight')],
      ['400 thread_fingerprint_mismatch', invalid('Differs', 'thread_fingerprint_mismatch')],
      ['400 thread_unsupported_request', invalid('Cannot', 'thread_unsupported_request')],
      ['404 file_expired', refused(404, 'not_found_error', 'File expired', 'file_expired')],
      ['404 of a file', refused(404, 'not_found_error', 'File not found: file_011')],
      ['400 of a container', invalid('container: Container container_01 has expired.')],
    ],
  ],
  [
    'poisoned',
    [
      ['500 that only this request gets, again and again', { ...refused(500, 'api_error', 'No'), elsewhere: poisoned }],
      ['the same in-band', { ...inBand('api_error', 'Internal server error'), elsewhere: poisoned }],
    ],
  ],
  [
    'auth-outage',
    [
      [
        '401 of three sessions at once',
        { ...refused(401, 'authentication_error', 'invalid x-api-key'), elsewhere: { ...alone, othersDenied: 2 } },
      ],
      [
        '403 of a key that was answered within the hour',
        { ...refused(403, 'permission_error', 'No'), elsewhere: { ...alone, workedBefore: true } },
      ],
      [
        'the same in-band',
        { ...inBand('authentication_error', 'Expired'), elsewhere: { ...alone, workedBefore: true } },
      ],
    ],
  ],
  ['broken-call', [['an answer whose call has input that is no JSON', answered('broken-call')]]],
  ['output-cut', [['an answer whose only call was cut by max_tokens', answered('output-cut')]]],
  ['empty-answer', [['an answer that says nothing', answered('empty')]]],
  [
    'output-filtered',
    [
      ['400 of the content filter', invalid('Output blocked by content filtering policy')],
      ['the content filter in-band', inBand('invalid_request_error', 'Output blocked by content filtering policy')],
      ['the content filter as an in-band api_error', inBand('api_error', 'Output blocked by content filtering policy')],
    ],
  ],
  [
    'model-gone',
    [
      ['404 of a model', refused(404, 'not_found_error', 'model: claude-3-5-sonnet-20241022')],
      [
        '404 of a suspended model',
        refused(404, 'not_found_error', 'Claude Fable 5 is not available. Please use Opus 4.8.'),
      ],
      [
        '400 of OpenRouter',
        plain(400, JSON.stringify({ error: '{"error":{"message":"a/b is not a valid model ID"}}' })),
      ],
      ['400 of LiteLLM', plain(400, `{"error":{"message":"400: {'error': 'Invalid model name passed in model=m'}"}}`)],
    ],
  ],
  [
    'request-rejected',
    [
      ['400 that nothing is known of', invalid('A reason of next year')],
      ['400 whatever x-should-retry says', plain(400, apiBody('invalid_request_error', 'No'), says('true'))],
      ['400 request_body_encoding_invalid', invalid('Not gzip', 'request_body_encoding_invalid')],
      ['400 compaction_nothing_to_summarize', invalid('Nothing', 'compaction_nothing_to_summarize')],
      ['400 compaction_incomplete_turn', invalid('Open turn', 'compaction_incomplete_turn')],
      ['400 compaction_too_many_tool_references', invalid('Many', 'compaction_too_many_tool_references')],
      ['another 404', refused(404, 'not_found_error', 'Not Found')],
      ['404 of a wrong base URL', plain(404, '404 page not found')],
      ['422', plain(422, '{"detail":"unprocessable"}')],
      ['an unknown 4xx', plain(418)],
      ['an unknown 4xx with x-should-retry: false', plain(418, '', says('false'))],
    ],
  ],
]

describe.each(table)('%s:', (kind, rows) => {
  test.each(rows)('%s', (_claim, wire) => {
    expect(classify(wire).kind).toBe(kind)
  })
})

test('every kind of fault has a row', () => {
  expect(new Set(table.map(([kind]) => kind))).toEqual(new Set(faultKinds))
})
