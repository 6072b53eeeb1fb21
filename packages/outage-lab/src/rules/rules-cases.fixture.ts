/** Every rule by example: a request that it refuses, a nearly equal one that is valid, and the error text. */
import type { JsonObject } from '../json.ts'
import { text } from '../reply.ts'
import { BINDING_BETA } from '../transcript.ts'
import {
  type Case,
  user,
  assistant,
  call,
  result,
  marked,
  tool,
  toolset,
  NEW,
  OLD,
  talk,
  search,
  found,
  reference,
  searchTool,
  summary,
  fallback,
  summarize,
  thought,
  thoughtOld,
  answered,
  png,
  image,
  manyImages,
} from './rules.fixture.ts'

export const CASES: { readonly [rule: string]: readonly [bad: Case, good: Case, message: string] } = {
  settings: [[{ ...NEW, betas: [] }], [{ ...NEW, context_management: {} }], 'betas: Extra inputs are not permitted'],
  'tool-names-length': [
    [{ ...NEW, tools: [tool('n'.repeat(129))] }],
    [{ ...NEW, tools: [tool('n'.repeat(128))] }],
    'tools.0.custom.name: String should have at most 128 characters',
  ],
  'tool-shape': [
    [{ ...NEW, tools: [{ name: 'a' }] }],
    [{ ...NEW, tools: [{ type: 'bash_20250124', name: 'bash' }] }],
    'tools.0.custom.input_schema: Field required',
  ],
  'tool-names-unique': [
    [{ ...NEW, tools: [tool('a'), tool('a')] }],
    [{ ...NEW, tools: [tool('a'), tool('b'), toolset('x'), toolset('y')] }],
    'tools: Tool names must be unique.',
  ],
  'message-count': [
    [talk(...Array<JsonObject>(100_001).fill(user('x')))],
    [talk(...Array<JsonObject>(1000).fill(user('x')))],
    'messages: List should have at most 100000 items, not 100001',
  ],
  'block-shape': [
    [talk(user({ ...text('hi'), parsed: null }))],
    [talk(user({ ...text('hi'), citations: null }))],
    'messages.0.content.0.text.parsed: Extra inputs are not permitted',
  ],
  'tool-id-pattern': [
    [talk(user('a'), assistant(call('call:1')), user(result('call:1')))],
    [talk(user('a'), assistant(call('call_1-x')), user(result('call_1-x')))],
    "messages.1.content.0.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'",
  ],
  'tool-use-name-length': [
    [talk(user('a'), assistant({ ...call('t'), name: 'n'.repeat(201) }), user(result('t')))],
    [talk(user('a'), assistant({ ...call('t'), name: 'n'.repeat(200) }), user(result('t')))],
    'messages.1.content.0.tool_use.name: String should have at most 200 characters',
  ],
  'tool-input-object': [
    [talk(user('a'), assistant({ ...call('t'), input: '{}' }), user(result('t')))],
    [talk(user('a'), assistant(call('t')), user(result('t')))],
    'messages.1.content.0.tool_use.input: Input should be a valid dictionary',
  ],
  'document-in-assistant': [
    [talk(user('a'), assistant({ type: 'document', source: {} }), user('b')), { version: '2026-10-21' }],
    [talk(user('a'), assistant({ type: 'document', source: {} }), user('b'))],
    'messages.1.content.0: `document` blocks are not supported in assistant messages',
  ],
  'citations-in-user': [
    [talk(user({ ...text('a'), citations: [{}] })), { version: '2026-10-21' }],
    [talk(user({ ...text('a'), citations: [{}] }))],
    'messages.0.content.0: `citations` are not supported on text blocks in user messages',
  ],
  sampling: [
    [{ ...OLD, temperature: 1 }, { version: '2026-10-21' }],
    [{ ...OLD, temperature: 0.5 }],
    '`temperature` is not supported for this model or API version.',
  ],
  'thinking-type': [
    [{ ...NEW, thinking: { type: 'enabled', budget_tokens: 10 } }],
    [{ ...OLD, thinking: { type: 'enabled', budget_tokens: 10 } }],
    '"thinking.type.enabled" is not supported for this model.',
  ],
  'thinking-adaptive': [
    [{ ...OLD, thinking: { type: 'adaptive' } }],
    [{ ...NEW, thinking: { type: 'adaptive' } }],
    'adaptive thinking is not supported on this model',
  ],
  'thinking-budget': [
    [{ ...OLD, thinking: { type: 'enabled', budget_tokens: 100 } }],
    [{ ...OLD, thinking: { type: 'enabled', budget_tokens: 99 } }],
    '`max_tokens` must be greater than `thinking.budget_tokens`',
  ],
  'max-tokens': [
    [{ ...OLD, max_tokens: 64_001 }],
    [{ ...OLD, max_tokens: 64_000 }],
    'max_tokens: 64001 > 64000, which is the maximum allowed number of output tokens for claude-sonnet-4-5',
  ],
  'forced-tool': [
    [{ ...NEW, tool_choice: { type: 'any' } }],
    [{ ...NEW, tool_choice: { type: 'auto' } }],
    'tool_choice: type "tool" and "any" are not supported for this model.',
  ],
  'cache-markers': [
    [
      {
        ...NEW,
        cache_control: { type: 'ephemeral' },
        system: [marked(), marked()],
        messages: [user(marked(), marked())],
      },
    ],
    [{ ...NEW, system: [marked(), marked()], messages: [user(marked(), marked())] }],
    'A maximum of 4 blocks with cache_control may be provided. Found 5.',
  ],
  'cache-deferred': [
    [{ ...NEW, tools: [tool('a'), { ...tool('b'), defer_loading: true, cache_control: { type: 'ephemeral' } }] }],
    [
      {
        ...NEW,
        tools: [
          { ...tool('a'), cache_control: { type: 'ephemeral' } },
          { ...tool('b'), defer_loading: true },
        ],
      },
    ],
    "Tool 'b' cannot have both defer_loading=true and cache_control set. Tools with defer_loading cannot use prompt caching.",
  ],
  'cache-order': [
    [{ ...NEW, system: [marked()], messages: [user(marked('1h'))] }],
    [{ ...NEW, system: [marked('1h')], messages: [user(marked())] }],
    "messages.0.content.0.cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. Note that blocks are processed in the following order: `tools`, `system`, `messages`.",
  ],
  'first-user': [
    [talk(assistant('a'), user('b'))],
    [talk(user('a'), user('b'))],
    'messages: first message must use the "user" role',
  ],
  'system-role': [
    [{ ...talk(user('a'), { role: 'system', content: 's' }), model: 'claude-sonnet-5' }],
    [talk(user('a'), { role: 'system', content: 's' })],
    "role 'system' is not supported on this model",
  ],
  'system-place': [
    [talk(user('a'), { role: 'system', content: 's' }, user('b'))],
    [talk(user('a'), { role: 'system', content: 's' }, assistant('b'), user('c'))],
    "messages.1: a message with role 'system' must follow a user message and precede an assistant message or the end",
  ],
  'message-effort': [
    [talk(user('a'), { role: 'user', content: 'b', output_config: { effort: 'low' } })],
    [talk(user('a'), user('b'))],
    'messages.1.output_config: Extra inputs are not permitted',
  ],
  'message-empty': [
    [talk(user('a'), assistant(), user('b'))],
    [{ ...OLD, messages: [user('a'), { role: 'assistant', content: '' }] }],
    'messages.1: all messages must have non-empty content except for the optional final assistant message',
  ],
  'text-empty-marked': [
    [talk(user('a', { ...marked(), text: '' }))],
    [talk(user('a', marked()))],
    'messages.0.content.1.text: cache_control cannot be set for empty text blocks',
  ],
  'text-empty': [[talk(user('a', ''))], [talk(user('a', 'b'))], 'messages: text content blocks must be non-empty'],
  'text-blank': [
    [talk(user('a', ' \n'))],
    [talk(user('a', ' b '))],
    'messages: text content blocks must contain non-whitespace text',
  ],
  'system-empty': [
    [{ ...NEW, system: [text('')] }],
    [{ ...NEW, system: '' }],
    'system: text content blocks must be non-empty',
  ],
  'tool-use-role': [
    [talk(user(call('t')))],
    [talk(user('a'), assistant(call('t')), user(result('t')))],
    'messages.0: `tool_use` blocks can only be in `assistant` messages',
  ],
  'tool-result-role': [
    [talk(user('a'), assistant(result('t')), user('b'))],
    [talk(user('a'), assistant(call('t')), user(result('t')))],
    'messages.1: `tool_result` blocks can only be in `user` messages',
  ],
  'tool-id-unique': [
    [talk(user('a'), assistant(call('t')), user(result('t')), assistant(call('t')), user(result('t')))],
    [talk(user('a'), assistant(call('t')), user(result('t')), assistant(call('u')), user(result('u')))],
    'messages.3.content.0: `tool_use` ids must be unique',
  ],
  'results-single': [
    [talk(user('a'), assistant(call('t')), user(result('t'), result('t')))],
    [talk(user('a'), assistant(call('t'), call('u')), user(result('u'), result('t')))],
    'messages.2.content.1: each tool_use must have a single result. Found multiple `tool_result` blocks with id: t',
  ],
  'results-known': [
    [talk(user('a'), assistant('b'), user(result('t')))],
    [talk(user('a'), assistant('b', call('t')), user(result('t')))],
    'messages.2.content.0: unexpected `tool_use_id` found in `tool_result` blocks: t. Each `tool_result` block must have a corresponding `tool_use` block in the previous message.',
  ],
  'results-present': [
    [talk(user('a'), assistant(call('t'), call('u'), call('v')), user(result('t')))],
    [talk(user('a'), assistant(call('t')), user(result('t'), 'b'), user('c'))],
    'messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: u, v. Each `tool_use` block must have a corresponding `tool_result` block in the next message.',
  ],
  'results-together': [
    [talk(user('a'), assistant(call('t'), call('u')), user(result('t')), user(result('u')))],
    [talk(user('a'), assistant(call('t')), assistant(call('u')), user(result('t'), result('u')))],
    'messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: u. Each `tool_use` block must have a corresponding `tool_result` block in the next message.',
  ],
  'results-first': [
    [talk(user('a'), assistant(call('t')), user('b', result('t')))],
    [talk(user('a'), assistant(call('t')), user(result('t'), 'b'))],
    'messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: t. Each `tool_use` block must have a corresponding `tool_result` block in the next message.',
  ],
  'calls-last': [
    [talk(user('a'), assistant(call('t'), 'b'), user(result('t')))],
    [talk(user('a'), assistant('b', call('t')), user(result('t')))],
    'messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: t. Each `tool_use` block must have a corresponding `tool_result` block in the next message.',
  ],
  'server-call-answered': [
    [talk(user('a'), assistant(search, 'b'), user('c'))],
    [talk(user('a'), assistant(search, found, 'b'), user('c'))],
    'messages.1: `web_search` tool use with id `srvtoolu_1` was found without a corresponding `web_search_tool_result` block',
  ],
  'server-result-known': [
    [talk(user('a'), assistant(found, search), user('c'))],
    [{ ...talk(user('a'), assistant(search)), tools: [searchTool] }],
    'messages.1.content.0: unexpected `tool_use_id` found in `web_search_tool_result` blocks: srvtoolu_1. Each `web_search_tool_result` block must have a corresponding `server_tool_use` block before it.',
  ],
  'paused-unchanged': [
    [{ ...talk(user('a'), assistant(search)), tools: [searchTool] }, { pauseOf: () => 'changed' }],
    [{ ...talk(user('a'), assistant(search)), tools: [searchTool] }, { pauseOf: () => 'same' }],
    'messages.1: the content of a paused turn must be sent back unchanged',
  ],
  'pending-results-only': [
    [{ ...talk(user('a'), assistant(call('t'), search), user(result('t'), 'b')), tools: [searchTool] }],
    [{ ...talk(user('a'), assistant(call('t'), search), user(result('t')), assistant(found, 'c'), user('d')) }],
    'messages.2.content.1: after a server tool call without a result, a user message can only contain `tool_result` blocks',
  ],
  'pending-tool-declared': [
    [talk(user('a'), assistant(call('t'), search), user(result('t')))],
    [{ ...talk(user('a'), assistant(call('t'), search), user(result('t'))), tools: [searchTool] }],
    'messages.1: `web_search` tool use with id `srvtoolu_1` was found without a corresponding `web_search_tool_result` block, but no `web_search` tool was provided',
  ],
  'caller-known': [
    [talk(user('a'), assistant({ ...call('t'), caller: { type: 'code_execution_20250825', tool_id: 'srvtoolu_9' } }))],
    [
      {
        ...talk(
          user('a'),
          assistant(search, { ...call('t'), caller: { type: 'code_execution_20250825', tool_id: 'srvtoolu_1' } }),
          user(result('t')),
        ),
        tools: [searchTool],
      },
    ],
    'messages.1.content.0: source tool srvtoolu_9 not found for tool use block',
  ],
  'tool-reference-known': [
    [talk(user('a'), assistant(call('t')), user({ ...result('t'), content: [reference] }))],
    [
      {
        ...talk(user('a'), assistant(call('t')), user({ ...result('t'), content: [reference] })),
        tools: [tool('grep')],
      },
    ],
    "messages.2.content.0: Tool reference 'grep' not found in available tools",
  ],
  'fallback-before': [
    [talk(user('a'), assistant('b', call('t'), fallback, 'c'), user('d'))],
    [talk(user('a'), assistant('b', fallback, call('t')), user(result('t')))],
    'messages.1.content.1: a `tool_use` block of the model that declined cannot stand before a `fallback` block',
  ],
  'compaction-empty': [
    [talk(user({ ...summary, content: '' }, 'b'))],
    [talk(user('a'), assistant({ ...summary, content: null }, 'b'), user('c'))],
    'messages.0.content.0.compaction.content: String should have at least 1 character',
  ],
  'compaction-single': [
    [talk(user(summary), assistant(summary, 'b'), user('c'))],
    [talk(user(summary), assistant({ type: 'compaction', content: 'b', encrypted_content: 'x' }), user('c'))],
    'messages.1.content.0: `messages` can hold only one `compaction` block with content',
  ],
  'compaction-first': [
    [talk(user('a'), assistant(summary), user('b'))],
    [talk(assistant(summary), user('b'))],
    'messages.1.content.0: a `compaction` block must be the first block of the conversation',
  ],
  'compaction-signature': [
    [talk(user({ type: 'compaction', content: 'x' }, 'b'))],
    [talk(user(summary, 'b'))],
    'messages.0.content.0: Invalid `signature` in `compaction` block',
  ],
  'compaction-content': [
    [talk(user({ ...summary, content: 'So far: b.' }, 'b'))],
    [talk(user({ ...summary, cache_control: { type: 'ephemeral' } }, 'b'))],
    'messages.0.content.0: the `content` of the `compaction` block is not the one that was signed',
  ],
  'compaction-nothing': [
    [{ ...talk(user(summary)), ...summarize }],
    [{ ...talk(user(summary), assistant('b')), ...summarize }],
    'compaction: there is nothing to summarize',
  ],
  'compaction-turn': [
    [{ ...talk(user('a'), assistant(call('t'))), ...summarize }],
    [{ ...talk(user('a'), assistant(call('t')), user(result('t'))), ...summarize }],
    'compaction: the last assistant turn is not finished',
  ],
  'thinking-modified': [
    [talk(user('hi'), assistant(...thought.slice(1)), user(result('t1')))],
    [talk(user('hi'), ...answered)],
    'messages.1.content.0: `thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified. These blocks must remain as they were in the original response.',
  ],
  'thinking-signature': [
    [talk(user('hi'), assistant({ ...thought[0], signature: 'abc' }, ...thought.slice(1)), user(result('t1')))],
    [talk(user('hi'), assistant(thought[0], thought[2]), user(result('t1')))],
    'messages.1.content.0: Invalid `signature` in `thinking` block',
  ],
  'thinking-binding': [
    [talk(user('ho'), ...answered)],
    [
      {
        ...talk(user('ho'), ...answered),
        thinking: { type: 'adaptive', block_binding: { prefix_mismatch_behavior: 'drop_block' } },
      },
      { betas: [BINDING_BETA] },
    ],
    'messages.1.content.0: Invalid `signature` in `thinking` block. The block is bound to a different conversation. Remove the block, or set `thinking.block_binding.prefix_mismatch_behavior` to "drop_block".',
  ],
  'thinking-first': [
    [
      {
        ...OLD,
        thinking: { type: 'enabled', budget_tokens: 10 },
        messages: [user('hi'), assistant(call('t1')), user(result('t1'))],
      },
    ],
    [
      {
        ...OLD,
        thinking: { type: 'enabled', budget_tokens: 10 },
        messages: [user('hi'), assistant(...thoughtOld), user(result('t1'))],
      },
    ],
    'messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`. When `thinking` is enabled, a final `assistant` message must start with a thinking block (preceeding the lastmost set of `tool_use` and `tool_result` blocks). We recommend you include thinking blocks from previous turns. To avoid this requirement, disable `thinking`.',
  ],
  'thinking-disabled': [
    [{ ...OLD, messages: [user('hi'), assistant(thoughtOld[0], 'so')] }],
    [{ ...OLD, messages: [user('hi'), assistant(...thoughtOld), user(result('t1'))] }],
    'When thinking is disabled, an assistant message in the final position cannot contain thinking. To use thinking blocks, enable thinking in your request.',
  ],
  'image-count': [
    [{ ...OLD, messages: [user(...Array.from({ length: 101 }, () => png(100)))] }],
    [{ ...NEW, messages: [user(...Array.from({ length: 600 }, () => png(100)))] }],
    'messages: at most 100 images may be provided. Found 101.',
  ],
  'image-bytes': [
    [talk(user(image('A'.repeat(10 * 1024 * 1024 + 4))))],
    [talk(user(png(100)))],
    'messages.0.content.0.image.source.base64: image exceeds 10485760 bytes: 10485764 bytes',
  ],
  'image-empty': [
    [talk(user(image('')))],
    [talk(user({ type: 'image', source: { type: 'url', url: '' } }))],
    'messages.0.content.0.image.source.base64: image cannot be empty',
  ],
  'image-broken': [[talk(user(image('aGVsbG8=')))], [talk(user(png(100)))], 'Could not process image'],
  'image-size': [
    [talk(user('a'), assistant(call('t')), user({ ...result('t'), content: [png(2001)] }, ...manyImages))],
    [talk(user(...manyImages.slice(1), png(8000)))],
    'messages.2.content.0.tool_result.content.0.image.source.base64.data: At least one of the image dimensions exceed max allowed size for many-image requests: 2000 pixels',
  ],
  prefill: [
    [talk(user('a'), assistant('b'))],
    [talk(user('a'), assistant('b')), { pauseOf: () => 'same' }],
    'This model does not support assistant message prefill. The conversation must end with a user message.',
  ],
  'trailing-whitespace': [
    [{ ...OLD, messages: [user('a'), assistant('b ')] }],
    [{ ...OLD, messages: [user('a'), assistant('b')] }],
    'messages: final assistant content cannot end with trailing whitespace',
  ],
  'context-window': [
    [{ ...NEW, model: 'tiny', messages: [user('x'.repeat(500))] }],
    [{ ...NEW, model: 'tiny', messages: [user('x'.repeat(200))] }],
    'prompt is too long: 132 tokens > 100 maximum',
  ],
}
