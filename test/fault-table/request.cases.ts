/** Rows 15 to 18 and 20: the request is refused, and the error says what is wrong with it. */
import { gif, png } from '../../packages/core/src/repair/request/images.fixture.ts'
import { http, invalid, mended, page, refusal, times, told, well, type FaultCase } from './fault-case.ts'

const text = (value: string) => ({ type: 'text', text: value })
const ask = (...content: readonly object[]) => ({ role: 'user', content })
const read = { name: 'read', input_schema: { type: 'object' } }
const call = (id: string) => ({ type: 'tool_use', id, name: 'read', input: {} })
const result = (id: string, content: string) => ({ type: 'tool_result', tool_use_id: id, content })
const thought = { type: 'thinking', thinking: 'Hm.', signature: 'c2ln' }
const thoughtful = [ask(text('Hi.')), { role: 'assistant', content: [thought, text('Hm?')] }, ask(text('Go on.'))]
const longTalk = [
  ask(text('Hi.')),
  ...Array.from({ length: 12 }, (_, at) => [
    { role: 'assistant', content: [call(`toolu_${at}`)] },
    ask(result(`toolu_${at}`, 'x'.repeat(4_000))),
  ]).flat(),
]

export const request: readonly FaultCase[] = [
  {
    row: 15,
    signal: '400 "Invalid `signature` in `thinking` block"',
    claim: 'if the API does not recognise thinking, all thinking is left out, and the rest is sent',
    served: [invalid('messages.1.content.0: Invalid `signature` in `thinking` block')],
    given: { request: { messages: thoughtful } },
    expect: {
      faults: [mended('transcript-invalid', 'strip-thinking')],
      caller: well,
      unsent: ['c2ln'],
      entries: ['transcript-repaired'],
    },
  },
  {
    row: 15,
    signal: '400 "bound to a different conversation"',
    claim: 'the same body is not sent again: the API is asked to leave the block out',
    served: [
      invalid(
        'messages.1.content.0: Invalid `signature` in `thinking` block. The block is bound to a different conversation.',
      ),
    ],
    given: { request: { messages: thoughtful, thinking: { type: 'adaptive' } } },
    expect: {
      faults: [mended('transcript-invalid', 'drop-block')],
      caller: well,
      sent: { thinking: { block_binding: { prefix_mismatch_behavior: 'drop_block' } } },
    },
  },
  {
    row: 15,
    signal: 'the same 400 after the only repair',
    claim: "each rule is tried once; then the caller gets the API's own error",
    served: times(
      2,
      invalid('When thinking is disabled, an assistant message in the final position cannot contain thinking.'),
    ),
    given: { request: { messages: thoughtful } },
    expect: {
      faults: [mended('transcript-invalid', 'strip-thinking'), told('transcript-invalid', /no repair helped/)],
      caller: { status: 400 },
    },
  },
  {
    row: 15,
    signal: '400 about messages that no rule repairs',
    claim: 'a refusal of the conversation that no rule repairs reaches the caller unchanged',
    served: [invalid('messages.0.content.0.text.text: Input should be a valid string')],
    expect: { faults: [told('transcript-invalid', /earlier turn/)], caller: { status: 400 } },
  },
  {
    row: 15,
    signal: 'a 500 of a gateway that quotes a 400 of the API',
    claim: 'a refusal that a gateway put into a failure of its own is mended, not waited out',
    served: [
      http(
        500,
        JSON.stringify({
          error: {
            message:
              'litellm.APIError: AnthropicException - {"type":"error","error":{"type":"invalid_request_error",' +
              '"message":"messages.1.content.0: Invalid `signature` in `thinking` block"}}. Received Model Group=claude',
            type: 'None',
            code: '500',
          },
        }),
        { 'content-type': 'application/json' },
      ),
    ],
    given: { request: { messages: thoughtful } },
    expect: { faults: [mended('transcript-invalid', 'strip-thinking')], caller: well, unsent: ['c2ln'] },
  },
  {
    row: 16,
    signal: '400 "Extra inputs are not permitted"',
    claim: 'only the named field is left out',
    served: [invalid('speed: Extra inputs are not permitted')],
    given: { request: { speed: 'fast', metadata: { user_id: 'u' } } },
    expect: {
      faults: [mended('params-incompatible', 'drop-field:speed')],
      caller: well,
      sent: { metadata: { user_id: 'u' } },
      unsent: ['speed'],
    },
  },
  {
    row: 16,
    signal: '400 "not supported for this model"',
    claim: 'the named parameter is left out',
    served: [invalid('This model does not support the effort parameter.')],
    given: { request: { output_config: { effort: 'high' } } },
    expect: { faults: [mended('params-incompatible', 'drop-params:effort')], caller: well, unsent: ['effort'] },
  },
  {
    row: 16,
    signal: '400 "max_tokens: A > B"',
    claim: "the API's own number is used",
    served: [invalid('max_tokens: 9000 > 8192, which is the maximum allowed number of output tokens for this model')],
    given: { request: { max_tokens: 9_000 } },
    expect: {
      faults: [mended('params-incompatible', 'clamp-max-tokens:8192')],
      caller: well,
      sent: { max_tokens: 8_192 },
    },
  },
  {
    row: 16,
    signal: '400 that names a beta',
    claim: 'only the named beta is left out',
    served: [invalid('Unexpected value(s) `old-2025-01-01` for the `anthropic-beta` header.')],
    given: { betas: ['old-2025-01-01', 'new-2026-01-01'] },
    expect: {
      faults: [mended('params-incompatible', 'drop-params:old-2025-01-01')],
      caller: well,
      sent: { 'anthropic-beta': 'new-2026-01-01' },
    },
  },
  {
    row: 16,
    signal: '400 "invalid beta flag", then a field of that beta',
    claim: 'where no beta is named the newest goes, and then the field that only it allowed',
    served: [invalid('invalid beta flag'), invalid('context_management: Extra inputs are not permitted')],
    given: {
      betas: ['interleaved-thinking-2025-05-14', 'context-management-2025-06-27'],
      request: { context_management: { edits: [] } },
    },
    expect: {
      faults: [
        mended('params-incompatible', 'drop-newest-beta:context-management-2025-06-27'),
        mended('params-incompatible', 'drop-field:context_management'),
      ],
      caller: well,
      sent: { 'anthropic-beta': 'interleaved-thinking-2025-05-14' },
      unsent: ['context_management'],
    },
  },
  {
    row: 16,
    signal: '400 "invalid beta flag", then a 400 that names another beta',
    claim: 'a beta that the API names goes, whatever was left out before',
    served: [
      invalid('invalid beta flag'),
      invalid('Unexpected value(s) `old-2025-01-01` for the `anthropic-beta` header.'),
    ],
    given: { betas: ['old-2025-01-01', 'mid-2025-06-01', 'new-2026-01-01'] },
    expect: {
      faults: [
        mended('params-incompatible', 'drop-newest-beta:new-2026-01-01'),
        mended('params-incompatible', 'drop-params:old-2025-01-01'),
      ],
      caller: well,
      sent: { 'anthropic-beta': 'mid-2025-06-01' },
    },
  },
  {
    row: 16,
    signal: '400 "not supported" that names nothing of the request',
    claim: 'a parameter that was not sent cannot be left out: the error reaches the caller',
    served: [invalid('top_k is not supported for this model.')],
    expect: { faults: [told('params-incompatible', /Correct it/)], caller: { status: 400 } },
  },
  {
    row: 17,
    signal: '413 `request_too_large`',
    claim: 'the older half of the images becomes text',
    served: [refusal(413, 'request_too_large', 'Request exceeds the maximum size')],
    given: { request: { messages: [ask(png(8, 8), png(9, 9), text('Which one?'))] } },
    expect: {
      faults: [mended('too-large', 'shrink-images')],
      caller: well,
      sent: { messages: [{ content: [{ type: 'text' }, { type: 'image' }, {}] }] },
    },
  },
  {
    row: 17,
    signal: '413 as an HTML page',
    claim: 'a proxy that says too large is trusted',
    served: [page(413, '413 Request Entity Too Large')],
    given: { request: { messages: [ask(gif(4, 4), text('What is it?'))] } },
    expect: { faults: [mended('too-large', 'shrink-images')], caller: well, unsent: ['image/gif'] },
  },
  {
    row: 17,
    signal: '413, and nothing to leave out',
    claim: 'what cannot be made smaller is reported, not sent again',
    served: [refusal(413, 'request_too_large', 'Request exceeds the maximum size')],
    expect: { faults: [told('too-large', /too large/)], caller: { status: 413 } },
  },
  {
    row: 18,
    signal: '400 "prompt is too long"',
    claim: 'old tool results become a line each, from the local copy, without asking a model',
    served: [invalid('prompt is too long: 1000 tokens > 700 maximum')],
    given: { request: { messages: longTalk, tools: [read] } },
    expect: {
      faults: [mended('context-overflow', 'shorten-old-results')],
      caller: well,
      entries: ['transcript-repaired'],
    },
  },
  {
    row: 18,
    signal: '400 "input length and `max_tokens` exceed context limit"',
    claim: 'if a shorter answer is enough, nothing is left out',
    served: [invalid('input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000')],
    given: { request: { max_tokens: 20_000 } },
    expect: {
      faults: [mended('context-overflow', 'fit-max-tokens:200000,190000,77')],
      caller: well,
      sent: { max_tokens: 10_000 },
    },
  },
  {
    row: 18,
    signal: '400 "prompt is too long", and nothing to shorten',
    claim: 'what does not fit is reported, not sent again',
    served: [invalid('prompt is too long: 208310 tokens > 200000 maximum')],
    expect: { faults: [told('context-overflow', /does not fit the window/)], caller: { status: 400 } },
  },
  {
    row: 20,
    signal: '400 "The PDF specified was not valid"',
    claim: 'a document that is none becomes text, so that the conversation is not stuck with it',
    served: [invalid('messages.0.content.0.pdf.source.base64.data: The PDF specified was not valid.')],
    given: {
      request: {
        messages: [
          ask(
            { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0xLjQ=' } },
            text('What is it?'),
          ),
        ],
      },
    },
    expect: {
      faults: [mended('image-rejected', 'remove-images')],
      caller: well,
      sent: { messages: [{ content: [{ type: 'text' }, { text: 'What is it?' }] }] },
      unsent: ['application/pdf'],
    },
  },
  ...(
    [
      [
        '400 "image dimensions exceed"',
        invalid(
          'messages.0.content.0.image.source.base64.data: At least one of the image dimensions exceed max allowed size: 8000 pixels',
        ),
      ],
      [
        '400 `image_dimensions_too_large`',
        invalid('messages.0.content.0.image: too large', 'image_dimensions_too_large'),
      ],
      ['400 "Could not process image"', invalid('Could not process image')],
      ['400 "image cannot be empty"', invalid('messages.0.content.0.image.source.base64: image cannot be empty')],
    ] as const
  ).map(([signal, served]): FaultCase => ({
    row: 20,
    signal,
    claim: `${signal.replaceAll('`', '')}: the image becomes text that says so, and the rest is sent`,
    served: [served],
    given: { request: { messages: [ask(png(8, 8), text('What is it?'))] } },
    expect: {
      faults: [mended('image-rejected', 'remove-images')],
      caller: well,
      sent: { messages: [{ content: [{ type: 'text' }, { text: 'What is it?' }] }] },
      unsent: ['image/png'],
    },
  })),
]
