/** Things that an API refuses each time they are there, and conversations in which they are there each time. */

import { pixel } from './answering-api.ts'

export interface SentBody extends Record<string, unknown> {
  model: string
  messages: { role: string; content: unknown }[]
}

type Block = Record<string, unknown> & { type: string }

export interface LastingCause {
  rule: string
  cause: string
  model?: string
  rung?: string
  params?: Record<string, unknown>
  beta?: string
  /** The user's words in each turn. Default: some. */
  says?: (turn: number) => unknown
  /** What comes before each answer's own words. */
  answers?: (n: number) => Block[]
  container?: string
  /** The ten requests are steps of one turn, each with a result like this. Default: ten turns. */
  result?: (step: number) => unknown
  /** Follows the user's words. */
  follows?: { role: string; content: string }
  /** An agent does not send such a thing. */
  isOnlyCallers?: true
  refuses: (body: SentBody, betas: string) => string | undefined
  /** Its answer breaks off in a call, which costs as a refusal does. */
  cuts?: (body: SentBody) => boolean
  /** How often it is refused in ten requests. Default: once. */
  refusals?: number
}

/** The blocks of a request with their places, those inside results too. */
function placed({ messages }: SentBody): { block: Block; path: string }[] {
  const listOf = (content: unknown) => (Array.isArray(content) ? (content as Block[]) : [])
  return messages.flatMap(({ content }, at) =>
    listOf(content).flatMap((block, index) => {
      const path = `messages.${at}.content.${index}`
      const inner = block.type === 'tool_result' ? listOf(block['content']) : []
      return [
        { block, path },
        ...inner.map((one, deep) => ({ block: one, path: `${path}.tool_result.content.${deep}` })),
      ]
    }),
  )
}

const find = (body: SentBody, isIt: (block: Block) => boolean) => placed(body).find(({ block }) => isIt(block))?.path
const told = (path: string | undefined, words: string) => (path === undefined ? undefined : `${path}${words}`)
const isThinking = ({ type }: Block) => type === 'thinking'
const thought = (n: number) => [{ type: 'thinking', thinking: `Hm ${n}.`, signature: `signed-${n}` }]
const text = (words: string, more: object = {}) => ({ type: 'text', text: words, ...more })

const withoutPreserving = { model: 'claude-opus-4-6', rung: 'claude-sonnet-4-6' }
const unsigned = ': Invalid `signature` in `thinking` block'
const scope = { cache_control: { type: 'ephemeral', scope: 'global' } }

export const lastingCauses: readonly LastingCause[] = [
  {
    rule: 'drop-block',
    cause: 'thinking that is bound to another conversation',
    answers: thought,
    refuses: (body, betas) =>
      betas.includes('thinking-binding')
        ? undefined
        : told(find(body, isThinking), `${unsigned}. The block is bound to a different conversation.`),
  },
  {
    rule: 'strip-thinking',
    cause: 'thinking of every answer, in steps of one turn: the second one tells that it will be so in the next',
    ...withoutPreserving,
    answers: thought,
    result: () => 'seen',
    refuses: (body) => told(find(body, isThinking), unsigned),
    refusals: 2,
  },
  {
    rule: 'strip-thinking',
    cause: 'thinking of every answer, in turns: the second one tells that it will be so in the next',
    ...withoutPreserving,
    answers: thought,
    refuses: (body) => told(find(body, isThinking), unsigned),
    refusals: 2,
  },
  {
    rule: 'thinking-off-with',
    cause: 'thinking beside a forced tool',
    ...withoutPreserving,
    params: { thinking: { type: 'enabled', budget_tokens: 2_000 }, tool_choice: { type: 'any' } },
    refuses: ({ thinking }) =>
      (thinking as Block).type === 'enabled'
        ? 'Thinking may not be enabled when tool_choice forces tool use.'
        : undefined,
  },
  {
    rule: 'drop-field',
    cause: 'a setting that it does not know',
    params: { flavour: 1 },
    refuses: (body) => ('flavour' in body ? 'flavour: Extra inputs are not permitted' : undefined),
  },
  {
    rule: 'drop-field',
    cause: 'a field in the words of each turn',
    says: (turn) => [text(`Turn ${turn}`, { flavour: 1 })],
    refuses: (body) =>
      told(
        find(body, (block) => 'flavour' in block),
        '.text.flavour: Extra inputs are not permitted',
      ),
  },
  {
    rule: 'drop-field',
    cause: 'a field in each result',
    result: (step) => [text(`Result ${step}`, { flavour: 1 })],
    refuses: (body) =>
      told(
        find(body, (block) => 'flavour' in block),
        '.text.flavour: Extra inputs are not permitted',
      ),
  },
  {
    rule: 'drop-field',
    cause: 'a field in the cache marker of each turn',
    isOnlyCallers: true,
    says: (turn) => [text(`Turn ${turn}`, scope)],
    refuses: (body) =>
      told(
        find(body, ({ cache_control: marker }) => marker !== undefined && 'scope' in (marker as object)),
        '.text.cache_control.ephemeral.scope: Extra inputs are not permitted',
      ),
  },
  {
    rule: 'block-type-as-text',
    cause: 'a type of block in each result',
    result: (step) => [{ type: 'resource_link', uri: `file:///${step}` }],
    refuses: (body) =>
      told(
        find(body, ({ type }) => type === 'resource_link'),
        ": Input tag 'resource_link' found using 'type' does not match any of the expected tags: 'text'",
      ),
  },
  {
    rule: 'compaction-as-text',
    cause: 'compaction, which it does not have',
    params: { context_management: { edits: [{ type: 'compact_20260112' }] } },
    refuses: (body) =>
      body['context_management'] === undefined
        ? undefined
        : "context_management.edits.0: Input tag 'compact_20260112' found using 'type' does not match any of the expected tags",
  },
  {
    rule: 'shrink-images',
    cause: 'more than three pictures, of which each refusal leaves half',
    says: (turn) => [text(`Turn ${turn}`), pixel()],
    refuses: (body) =>
      placed(body).filter(({ block }) => block.type === 'image').length > 3 ? 'too many images' : undefined,
    refusals: 4,
  },
  {
    rule: 'clamp-max-tokens',
    cause: 'a longer answer than it gives',
    params: { max_tokens: 20_000 },
    refuses: ({ max_tokens: most }) =>
      Number(most) > 8_192
        ? `max_tokens: ${String(most)} > 8192, which is the maximum allowed number of output tokens for this model`
        : undefined,
  },
  {
    rule: 'raise-max-tokens',
    cause: 'calls that are cut, in steps of one turn, and then the length that its card allows',
    params: { max_tokens: 100 },
    result: () => 'seen',
    cuts: ({ max_tokens: most }) => Number(most) < 1_000,
    refuses: ({ max_tokens: most }) =>
      Number(most) > 64_000
        ? `max_tokens: ${String(most)} > 64000, which is the maximum allowed number of output tokens for this model`
        : undefined,
    refusals: 2,
  },
  {
    rule: 'fit-max-tokens',
    cause: 'an answer for which the window has no room any more',
    params: { max_tokens: 8_000, system: 'word '.repeat(12_000) },
    says: (turn) => `Turn ${turn}: ${'word '.repeat(100)}`,
    refuses: ({ system, messages, max_tokens: most }) => {
      const input = Math.floor(JSON.stringify([system, messages]).length / 4)
      const sum = `${input} + ${String(most)} > 20000`
      return input + Number(most) > 20_000 ? `input length and \`max_tokens\` exceed context limit: ${sum}` : undefined
    },
  },
  {
    rule: 'drop-params',
    cause: 'a parameter',
    params: { service_tier: 'auto' },
    refuses: (body) => ('service_tier' in body ? 'service_tier is not supported by this model' : undefined),
  },
  {
    rule: 'drop-newest-beta',
    cause: 'a beta',
    beta: 'new-2026-01-01',
    refuses: (_body, betas) => (betas.includes('new-2026-01-01') ? 'invalid beta flag' : undefined),
  },
  {
    rule: 'drop-container',
    cause: 'a container that is gone',
    params: { container: 'container_1' },
    refuses: ({ container }) => (container === 'container_1' ? 'container: container_1 has expired' : undefined),
  },
  {
    rule: 'name-container',
    cause: 'results for code in a container that is not named',
    result: () => 'seen',
    container: 'container_9',
    refuses: (body) =>
      body['container'] === undefined && find(body, ({ type }) => type === 'tool_result')
        ? 'container_id is required when there are pending tool uses generated by code execution with tools.'
        : undefined,
  },
  {
    rule: 'drop-files',
    cause: 'a lost file that each turn names',
    says: (turn) => [text(`Turn ${turn}`), { type: 'document', source: { type: 'file', file_id: 'file_1' } }],
    refuses: (body) => (find(body, ({ type }) => type === 'document') ? 'File not found: file_1' : undefined),
  },
  {
    rule: 'convert-system',
    cause: 'a system message in each turn',
    isOnlyCallers: true,
    follows: { role: 'system', content: 'Be brief.' },
    refuses: ({ messages }) =>
      messages.some(({ role }) => role === 'system') ? "role 'system' is not supported on this model" : undefined,
  },
  {
    rule: 'continue-after-prefill',
    cause: 'a beginning of each answer',
    model: 'claude-sonnet-4-5',
    rung: 'claude-haiku-4-5',
    isOnlyCallers: true,
    follows: { role: 'assistant', content: 'It is' },
    refuses: ({ messages }) =>
      messages.at(-1)?.role === 'assistant' ? 'This model does not support assistant message prefill.' : undefined,
  },
]

/** Of the other rules, why what calls for them may be refused more than once. */
export const refusedAgain: Readonly<Record<string, string>> = {
  'restore-thinking': 'an answer that came since then may need the repair that this one takes back',
  'thinking-off': 'the next turn is to think again',
  'block-as-text': 'a block that lacks a field is like no other',
  'unreadable-results': 'what was found since then can be read',
  'remove-images': 'each picture is refused for itself',
  'shorten-old-results':
    'what is shortened is lost to the model, so that it has to be necessary; each makes room for turns',
  'drop-thread': 'no thread leaves: the conversation is sent in full',
  'raise-max-tokens': 'the next turn is to have the length that its caller wants',
  'placeholder-last-results': 'only the newest results are suspected',
  nudge: 'an empty answer is no refusal',
}
