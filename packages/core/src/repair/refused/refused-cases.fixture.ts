/** What the rules that only a refusal of the API calls for do, as data, like `cases.fixture.ts`. */
import type { Message } from '../../journal/journal.ts'
import { png } from '../request/images.fixture.ts'
import { refusedFields } from './refused-fields.fixture.ts'
import { refusedParams } from './refused-params.fixture.ts'
import {
  type RequestCase,
  assistant,
  bindingBeta,
  call,
  dropping,
  file,
  olderCard,
  params,
  result,
  talk,
  text,
  thought,
  user,
  withThinking,
} from '../request/request-case.fixture.ts'

const spoiled = [user(text('Fix it.')), assistant(thought('bad'), call()), user(result('a file'))]
const long = 'x'.repeat(40_000)
const manyTurns = (content: string) => [
  user(text('Fix it.')),
  ...Array.from({ length: 12 }, (_, at) => [
    assistant(thought(), call(`t${at}`)),
    user(result(at < 2 ? content : 'short', `t${at}`)),
  ]).flat(),
]
const grown = `[result of ${JSON.stringify(result(long, 't0')).length} characters left out: the conversation had outgrown the model's window]`

const linked = (type: string) => ({ type, source: { type: 'url', url: 'https://example.com/a' } })

export const refusedCases: readonly RequestCase[] = [
  {
    row: 18,
    rule: 'restore-thinking',
    as: 'restore-thinking:3',
    claim: 'a changed answer is sent again as it was recorded',
    in: { messages: spoiled },
    recorded: assistant(thought(), call()),
    out: { messages: [spoiled[0]!, assistant(thought(), call()), spoiled[2]!] },
  },
  {
    row: 20,
    rule: 'drop-block',
    claim: 'the API is asked to leave out thinking that does not fit its place',
    in: { messages: withThinking() },
    out: { params: { ...params, thinking: dropping }, betas: [bindingBeta] },
  },
  {
    row: 19,
    rule: 'strip-thinking',
    claim: 'all thinking is left out at once, and no message stays empty',
    in: {
      messages: [
        user(text('a')),
        assistant(thought()),
        user(text('b')),
        assistant(thought(), text('c')),
        user(text('d')),
      ],
    },
    out: {
      messages: [user(text('a')), assistant(text('(no text)')), user(text('b')), assistant(text('c')), user(text('d'))],
    },
  },
  {
    row: 21,
    rule: 'thinking-off',
    claim: 'thinking is turned off, and so is the clearing of thinking',
    card: olderCard,
    in: {
      params: {
        ...params,
        thinking: { type: 'enabled', budget_tokens: 500 },
        context_management: { edits: [{ type: 'clear_thinking_20251015' }] },
      },
    },
    out: { params: { ...params, thinking: { type: 'disabled' } } },
  },
  {
    row: 23,
    rule: 'thinking-off-with',
    as: 'thinking-off-with:enabled,500,any',
    claim: 'thinking is turned off in this request and in every further one in which a tool is forced beside it',
    card: olderCard,
    in: { params: { ...params, thinking: { type: 'enabled', budget_tokens: 500 }, tool_choice: { type: 'any' } } },
    out: { params: { ...params, thinking: { type: 'disabled' }, tool_choice: { type: 'any' } } },
  },
  ...refusedFields,
  {
    row: 40,
    rule: 'compaction-as-text',
    claim: 'for a model without compaction, the last summary is written as text in place of what it sums up',
    refusal: {
      message:
        "messages.1.content.0: Input tag 'compaction' found using 'type' does not match any of the expected tags",
    },
    in: {
      params: { ...params, context_management: { edits: [{ type: 'compact_20260112' }] } },
      messages: [
        user(text('a')),
        assistant({ type: 'compaction', content: 'They said a.' }, text('b')),
        user(text('c')),
      ],
      betas: ['compact-2026-01-12'],
    },
    out: {
      params,
      messages: [
        user(text('The conversation so far, summed up:\n\nThey said a.')),
        assistant(text('b')),
        user(text('c')),
      ],
      betas: [],
    },
  },
  {
    row: 40,
    rule: 'compaction-as-text',
    claim: 'and a compaction that failed is left out',
    refusal: { message: "messages.1.content.0: Input tag 'compaction' found using 'type' does not match" },
    in: { messages: [user(text('a')), assistant({ type: 'compaction', content: null }, text('b')), user(text('c'))] },
    out: { messages: [user(text('a')), assistant(text('b')), user(text('c'))] },
  },
  {
    row: 32,
    rule: 'remove-images',
    claim: 'the images that the API named become text',
    as: 'remove-images:messages.0.content.1',
    refusal: { paths: ['messages.0.content.1.image.source.base64'] },
    in: { messages: [user(text('a'), png(8, 8), png(9, 9))] },
    out: { messages: [user(text('a'), text('[image 8x8 left out: the API refused it]'), png(9, 9))] },
  },
  {
    row: 32,
    rule: 'remove-images',
    claim: 'if it named none, the older half is left out',
    as: 'remove-images:messages.0.content.0',
    refusal: { message: 'Could not process image' },
    in: { messages: [user(png(8, 8), png(9, 9))] },
    out: { messages: [user(text('[image 8x8 left out: the API refused it]'), png(9, 9))] },
  },
  {
    row: 32,
    rule: 'remove-images',
    claim: 'of media that the API could not fetch the older half is left out, and none that the request holds',
    as: 'remove-images:messages.0.content.1',
    refusal: { message: 'Unable to download the file. Please verify the URL and try again.' },
    in: { messages: [user(png(8, 8), linked('document'), linked('image'))] },
    out: { messages: [user(png(8, 8), text('[document left out: the API refused it]'), linked('image'))] },
  },
  {
    row: 36,
    rule: 'shrink-images',
    claim: 'if a request has too many bytes, the older half of the images is left out',
    as: 'shrink-images:messages.0.content.0,messages.0.content.1',
    in: { messages: [user(png(7, 7), png(8, 8), png(9, 9))] },
    out: {
      messages: [
        user(
          text('[image 7x7 left out: the API refused it]'),
          text('[image 8x8 left out: the API refused it]'),
          png(9, 9),
        ),
      ],
    },
  },
  {
    row: 35,
    rule: 'clamp-max-tokens',
    claim: "max_tokens becomes the API's own number",
    as: 'clamp-max-tokens:64000',
    refusal: { message: 'max_tokens: 100000 > 64000, which is the maximum allowed number of output tokens for x' },
    in: { params: { ...params, max_tokens: 100_000 } },
    out: { params: { ...params, max_tokens: 64_000 } },
  },
  {
    row: 34,
    rule: 'clamp-max-tokens',
    claim: 'max_tokens becomes the room that the input leaves in the window',
    as: `fit-max-tokens:200000,190000,${sizeOf({ ...params, max_tokens: 20_000 })}`,
    refusal: { message: 'input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000' },
    in: { params: { ...params, max_tokens: 20_000 } },
    out: { params: { ...params, max_tokens: 10_000 } },
  },
  {
    row: 34,
    rule: 'fit-max-tokens',
    claim: 'the same, under its own rule name',
    as: `fit-max-tokens:200000,190000,${sizeOf({ ...params, max_tokens: 20_000 })}`,
    refusal: { message: 'input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000' },
    in: { params: { ...params, max_tokens: 20_000 } },
    out: { params: { ...params, max_tokens: 10_000 } },
  },
  {
    rule: 'raise-max-tokens',
    claim: "after an answer that was cut in its only call, max_tokens is the model's limit",
    as: 'raise-max-tokens:128000',
    in: {},
    out: { params: { ...params, max_tokens: 128_000 } },
  },
  ...refusedParams,
  {
    row: 28,
    rule: 'drop-container',
    claim: 'a container that the server no longer has is left out; its skills stay',
    as: 'drop-container:container_01',
    in: { params: { ...params, container: { id: 'container_01', skills: [] } } },
    out: { params: { ...params, container: { skills: [] } } },
  },
  {
    row: 28,
    rule: 'name-container',
    claim: 'the container in which code waits for results is named where the request does not',
    container: 'container_01',
    in: { params: { ...params, container: { skills: [] } } },
    out: { params: { ...params, container: { skills: [], id: 'container_01' } } },
  },
  {
    rule: 'drop-thread',
    claim: 'a thread that the server no longer has is left out',
    in: { params: { ...params, thread: { type: 'continue', previous_message_id: 'msg_1' } } },
    out: { params },
  },
  {
    row: 29,
    rule: 'drop-files',
    claim: 'a file that the server no longer has becomes text',
    as: 'drop-files:file_01',
    refusal: { message: 'File not found: file_01' },
    in: { messages: [user(file('file_01'), file('file_02'))] },
    out: {
      messages: [user(text('[document file_01 left out: the server no longer has the file]'), file('file_02'))],
    },
  },
  {
    row: 34,
    rule: 'shorten-old-results',
    claim: 'old results become a line each until the request fits, and thinking after them is protected from refusal',
    as: `shorten-old-results:chars=${shortLimit(manyTurns(long))}`,
    refusal: { message: 'prompt is too long: 1000 tokens > 700 maximum' },
    in: { messages: manyTurns(long) },
    out: {
      messages: manyTurns(long).map((message, at) => (at === 2 ? user(result(grown, 't0')) : message)),
      params: { ...params, thinking: dropping },
      betas: [bindingBeta],
    },
  },
  {
    rule: 'placeholder-last-results',
    claim: 'the newest results become a line each',
    as: 'placeholder-last-results:2',
    in: { messages: [...talk.slice(0, 2), user(result('y'.repeat(500)), text('and?'))] },
    out: {
      messages: [
        ...talk.slice(0, 2),
        user(
          result(
            `[result of ${JSON.stringify(result('y'.repeat(500))).length} characters left out: the server fails on it]`,
          ),
          text('and?'),
        ),
      ],
    },
  },
  {
    row: 15,
    rule: 'convert-system',
    claim: 'a system message becomes a user message',
    in: {
      messages: [user(text('a')), { role: 'system', content: 'Be brief.' }, assistant(text('b')), user(text('c'))],
    },
    out: {
      messages: [
        user(text('a')),
        user(text('<system-note>\nBe brief.\n</system-note>')),
        assistant(text('b')),
        user(text('c')),
      ],
    },
  },
  {
    row: 17,
    rule: 'continue-after-prefill',
    claim: 'an unfinished answer at the end is quoted to the model',
    in: { messages: [user(text('a')), assistant(text('It is'))] },
    out: {
      messages: [
        user(text('a')),
        assistant(text('It is')),
        {
          role: 'user',
          content: 'Your previous response was interrupted and ended with "It is". Continue from where you left off.',
        },
      ],
    },
  },
  {
    rule: 'nudge',
    claim: 'after an empty answer the model is asked to continue',
    as: 'nudge:3',
    in: {},
    out: { messages: [...talk, { role: 'user', content: 'Please continue.' }] },
  },
]

/** 700 of 1000 tokens with the margin of 5 %, in characters of the request. */
function shortLimit(messages: readonly Message[]): number {
  return Math.floor((sizeOf(params, messages) / 1_000) * 700 * 0.95)
}

/** In characters; each list of blocks is counted with one comma too many. */
function sizeOf(settings: object, messages: readonly Message[] = talk): number {
  return JSON.stringify(settings).length + JSON.stringify(messages).length - 1
}
