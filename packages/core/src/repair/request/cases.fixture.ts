/**
 * What the rules for outgoing requests do, as data: at least one case for each rule. `in` is the difference from
 * `plainRequest`, `out` what the rule changes in it. Rules that a refusal calls for are in `refused-cases.fixture.ts`.
 */
import { gif, png } from './images.fixture.ts'
import {
  type RequestCase,
  assistant,
  bindingBeta,
  dropping,
  marked,
  olderCard,
  params,
  result,
  talk,
  text,
  tool,
  user,
  withThinking,
} from './request-case.fixture.ts'

export const localCases: readonly RequestCase[] = [
  {
    row: 30,
    rule: 'cache-markers',
    claim: 'of five cache markers the last four stay, including the one of the request',
    in: {
      params: { ...params, cache_control: { type: 'ephemeral' }, system: [marked('s'), marked('t')] },
      messages: [user(marked('a'), marked('b'))],
    },
    out: { params: { ...params, cache_control: { type: 'ephemeral' }, system: [text('s'), marked('t')] } },
  },
  {
    row: 30,
    rule: 'cache-markers',
    claim: 'a tool that is loaded later loses its cache marker',
    in: {
      params: {
        ...params,
        tools: [tool('read'), { ...tool('edit'), defer_loading: true, cache_control: { type: 'ephemeral' } }],
      },
    },
    out: { params: { ...params, tools: [tool('read'), { ...tool('edit'), defer_loading: true }] } },
  },
  {
    row: 31,
    rule: 'cache-ttl',
    claim: 'a marker of 5 minutes before one of an hour becomes one of an hour',
    in: { params: { ...params, system: [marked('s')] }, messages: [user(marked('a', '1h'), marked('b'))] },
    out: { params: { ...params, system: [marked('s', '1h')] } },
  },
  {
    row: 38,
    rule: 'tool-names',
    claim: 'of two tools with one name, the first stays',
    in: { params: { ...params, tools: [tool('read'), { ...tool('read'), description: 'another' }] } },
    out: { params: { ...params, tools: [tool('read')] } },
  },
  {
    row: 9,
    rule: 'tool-names',
    claim: 'a tool whose name is too long is neither declared nor forced',
    card: { forcedToolChoice: true },
    in: {
      params: {
        ...params,
        tools: [tool('read'), tool('n'.repeat(129))],
        tool_choice: { type: 'tool', name: 'n'.repeat(129) },
      },
    },
    out: { params: { ...params, tools: [tool('read')], tool_choice: { type: 'auto' } } },
  },
  {
    row: 32,
    rule: 'images',
    claim:
      'an image with a side over 8000 pixels becomes text that says so, and later thinking is protected from refusal',
    in: { messages: withThinking(png(3_000, 9_000)) },
    out: {
      messages: withThinking(text('[image 3000x9000 left out: a side is longer than 8000 pixels]')),
      params: { ...params, thinking: dropping },
      betas: [bindingBeta],
    },
  },
  {
    row: 32,
    rule: 'images',
    claim: 'in a tool result, an image that cannot be read becomes text',
    in: {
      messages: [
        ...talk.slice(0, 2),
        user(result([{ ...png(1, 1), source: base64('bm90IGFuIGltYWdl') }, text('seen')])),
      ],
    },
    out: {
      messages: [
        ...talk.slice(0, 2),
        user(result([text('[image left out: no JPEG, PNG, GIF or WebP]'), text('seen')])),
      ],
    },
  },
  {
    row: 32,
    rule: 'images',
    claim: 'an empty image becomes text',
    in: { messages: [user(text('a'), { ...png(1, 1), source: base64('') })] },
    out: { messages: [user(text('a'), text('[image left out: it is empty]'))] },
  },
  {
    row: 32,
    rule: 'images',
    claim: 'from the 21st image or document on, 2000 pixels are the limit',
    in: { messages: [user(png(2_001, 1), ...Array.from({ length: 20 }, () => png(2_000, 1)))] },
    out: {
      messages: [
        user(
          text('[image 2001x1 left out: a side is longer than 2000 pixels]'),
          ...Array.from({ length: 20 }, () => png(2_000, 1)),
        ),
      ],
    },
  },
  {
    row: 32,
    rule: 'images',
    claim: 'an image is sent with its real media type',
    in: { messages: [user({ ...gif(4, 4), source: { ...Object(gif(4, 4)['source']), media_type: 'image/png' } })] },
    out: { messages: [user(gif(4, 4))] },
  },
  {
    row: 11,
    rule: 'extra-fields',
    claim: 'fields that only client libraries know are not sent',
    in: {
      messages: [
        user({ ...text('a'), cache_control: { type: 'ephemeral', scope: 'global' } }),
        assistant({ ...text('b'), parsed: null, reasoning_details: [] }),
        user(text('c')),
      ],
    },
    out: { messages: [user(marked('a')), assistant(text('b')), user(text('c'))] },
  },
  {
    row: 35,
    rule: 'max-tokens',
    claim: "max_tokens is at most the model's limit",
    in: { params: { ...params, max_tokens: 200_000 } },
    out: { params: { ...params, max_tokens: 128_000 } },
  },
  {
    row: 23,
    rule: 'thinking-config',
    claim: 'enabled thinking becomes adaptive if the model has only that',
    in: { params: { ...params, thinking: { type: 'enabled', budget_tokens: 500 } } },
    out: { params: { ...params, thinking: { type: 'adaptive' } } },
  },
  {
    row: 23,
    rule: 'thinking-config',
    claim: 'a thinking budget that is not below max_tokens is lowered',
    card: olderCard,
    in: {
      params: { ...params, max_tokens: 4_000, thinking: { type: 'enabled', budget_tokens: 4_000 } },
      messages: [user(text('Fix it.'))],
    },
    out: { params: { ...params, max_tokens: 4_000, thinking: { type: 'enabled', budget_tokens: 2_000 } } },
  },
  {
    row: 24,
    rule: 'tool-choice',
    claim: 'a model that cannot be forced to use a tool is left free to choose',
    in: { params: { ...params, tool_choice: { type: 'any', disable_parallel_tool_use: true } } },
    out: { params: { ...params, tool_choice: { type: 'auto', disable_parallel_tool_use: true } } },
  },
  {
    row: 44,
    rule: 'sampling',
    claim: 'sampling settings are not sent to a model that does not take them',
    apiVersion: '2023-06-01',
    in: { params: { ...params, temperature: 0.2, top_k: 5 } },
    out: { params },
  },
  {
    row: 44,
    rule: 'sampling',
    claim: 'nor to any model with the newest API version',
    card: olderCard,
    in: { params: { ...params, temperature: 1 } },
    out: { params },
  },
]

function base64(data: string): object {
  return { type: 'base64', media_type: 'image/png', data }
}
