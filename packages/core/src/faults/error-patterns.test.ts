import { expect, test } from 'vitest'
import { errorPatterns, meaningOfText } from './error-patterns.ts'

const kindByText = (status: number, text: string) => meaningOfText(status, text)?.kind

test('every pattern cites a public source', () => {
  for (const { source } of errorPatterns) {
    expect(source).toMatch(
      /^https:\/\/(github\.com\/[^/]+\/[^/]+\/(issues|pull)\/\d+|(platform\.claude\.com\/docs\/en\/|fetch\.spec\.whatwg\.org\/#).+)$/,
    )
  }
})

test('P6: no text of a 4xx leads to a kind that is waited out', () => {
  const waited =
    /^(server-transient|overloaded|compaction-unavailable|transport|stream-.*|bad-gateway|rate-limited|auth-outage|poisoned)$/
  const endless = errorPatterns.filter(({ statuses, kind }) => waited.test(kind) && statuses.some((code) => code < 500))
  expect(endless).toEqual([])
})

test('a pattern holds only under the statuses that it was seen with', () => {
  expect(kindByText(500, 'Overloaded')).toBe('overloaded')
  expect(kindByText(400, 'Overloaded')).toBeUndefined()
  expect(kindByText(500, 'prompt is too long')).toBeUndefined()
})

/** As the API worded them in public reports. */
const transcriptTexts = [
  'messages.3: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_01. Each `tool_use` block must have a corresponding `tool_result` block in the next message.',
  'messages.0.content.0: unexpected `tool_use_id` found in `tool_result` blocks: toolu_01. Each `tool_result` block must have a corresponding `tool_use` block in the previous message.',
  'messages: `tool_use` ids must be unique',
  'each tool_use must have a single result. Found multiple `tool_result` blocks with id: toolu_01',
  "messages.5.content.1.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'",
  'messages.1.content.0.text.parsed: Extra inputs are not permitted',
  'messages: text content blocks must be non-empty',
  'cache_control cannot be set for empty text blocks',
  'messages: first message must use the "user" role',
  'messages: roles must alternate between "user" and "assistant", but found multiple "user" roles in a row',
  "role 'system' is not supported on this model",
  'messages: final assistant content cannot end with trailing whitespace',
  'This model does not support assistant message prefill. The conversation must end with a user message.',
  'messages.7.content.0: `thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified. These blocks must remain as they were in the original response.',
  'messages.7.content.0: Invalid `signature` in `thinking` block',
  'messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`.',
  'When thinking is disabled, an assistant message in the final position cannot contain thinking. To use thinking blocks, enable thinking in your request.',
  '`web_search` tool use with id `srvtoolu_01` was found without a corresponding `web_search_tool_result` block',
  'The request body is not valid JSON: no low surrogate in string: line 1 column 162',
  'due to tool use concurrency issues',
]

test.each(transcriptTexts)('the transcript is named by: %s', (text) => {
  expect(kindByText(400, text)).toBe('transcript-invalid')
})

const parameterTexts = [
  'max_tokens: 128000 > 64000, which is the maximum allowed number of output tokens for claude-sonnet-4-5',
  'tools.3.custom.name: String should have at most 128 characters',
  '`max_tokens` must be greater than `thinking.budget_tokens`',
  'adaptive thinking is not supported on this model',
  'tool_choice: type "tool" and "any" are not supported for this model.',
  'A maximum of 4 blocks with cache_control may be provided. Found 5.',
  'temperature: Extra inputs are not permitted',
  '`temperature` is not supported for this model or API version.',
  '`temperature` may only be set to 1 when thinking is enabled.',
  "'claude-opus-5-5' does not support tool types: computer_20251124",
  'This model does not support the effort parameter.',
  "messages.0.content.0.cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block.",
  'tools: Tool names must be unique.',
  'Schema is too complex for compilation. Try reducing the number of tools or simplifying tool schemas.',
  'Schemas contains too many optional parameters (41), which would make grammar compilation inefficient.',
  'Schemas contains too many parameters with union types (41 parameters with type arrays or anyOf). This causes exponential compilation cost.',
]

test.each(parameterTexts)('parameters, not the transcript, are named by: %s', (text) => {
  expect(kindByText(400, text)).toBe('params-incompatible')
})

const imageTexts = [
  'messages.7.content.2.image.source.base64.data: At least one of the image dimensions exceed max allowed size: 8000 pixels',
  'Could not process image',
  'messages.2.content.0.tool_result.content.1.image.source.base64: image cannot be empty',
  'Image format image/png not supported',
]

test.each(imageTexts)('an image is named by: %s', (text) => {
  expect(meaningOfText(400, text)).toMatchObject({ kind: 'image-rejected', repairs: ['remove-images'] })
})

/** As Anthropic, other clouds, routers and proxies say that nobody serves this model to this account. */
const modelTexts: readonly (readonly [status: number, text: string])[] = [
  [404, "model 'claude-haiku-4-5-20251001' not found"],
  [400, 'system: Invalid model name'],
  [400, 'Invalid model ID. Please select a different model to continue.'],
  [401, "key not allowed to access model. This key can only access models=['small']. Tried to access claude-opus-5-5"],
  [403, "team not allowed to access model. This team can only access models=['small']."],
  [400, 'The requested model is not supported.'],
  [404, 'No endpoints found for anthropic/claude-3.7-sonnet.'],
  [404, 'No endpoints found that support tool use. To learn more about provider routing, visit: https://openrouter.ai'],
  [404, 'No endpoints available matching your guardrail restrictions and data policy.'],
  [404, 'No allowed providers are available for the selected model.'],
  [
    404,
    'The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again.',
  ],
  [404, 'This model version has reached the end of its life. Please refer to the AWS documentation for more details.'],
  [
    404,
    'Access denied. This Model is marked by provider as Legacy and you have not been actively using the model in the last 30 days.',
  ],
  [404, 'Model use case details have not been submitted for this account.'],
  [400, 'You have not filled out the required use-case form for this model.'],
  [
    400,
    'Publisher Model `projects/p/locations/us-central1/publishers/anthropic/models/claude-sonnet-4-6@default` is not servable in region us-central1.',
  ],
]

test.each(modelTexts)('the model is named by: %s %s', (status, text) => {
  expect(kindByText(status, text)).toBe('model-gone')
})
