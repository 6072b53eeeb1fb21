/** Requests that the API refuses, each with the rule that repairs it, and the building blocks of such requests. */
import { MODELS, signThinking, type LabOptions } from '@lastgood/outage-lab'
import type { Block, Message } from '../../packages/core/src/journal/journal.ts'
import type { Outgoing } from '../../packages/core/src/repair/outgoing.ts'
import { png } from '../../packages/core/src/repair/request/images.fixture.ts'

export interface BrokenRequest {
  readonly claim: string
  readonly row?: number
  /** The rule that repairs it: the first that the fault names and that applies. */
  readonly rule: string
  readonly request: Outgoing
  readonly recorded?: readonly Message[]
  readonly lab?: Partial<LabOptions>
  readonly apiVersion?: string
  /** Our own check before sending finds it too. */
  readonly local?: true
}

export const strict = 'claude-opus-5-5'
const older = 'claude-sonnet-4-5'
const tools = [{ name: 'read', input_schema: { type: 'object' } }]

export const user = (...content: Block[]): Message => ({ role: 'user', content })
export const assistant = (...content: Block[]): Message => ({ role: 'assistant', content })
export const say = (value: string): Block => ({ type: 'text', text: value })
export const think = (value = 'Hm.'): Block => ({ type: 'thinking', thinking: value, signature: '' })
export const call = (id = 't1'): Block => ({ type: 'tool_use', id, name: 'read', input: {} })
export const result = (content: unknown = 'a file', id = 't1'): Block => ({
  type: 'tool_result',
  tool_use_id: id,
  content,
})
const mark = (value: string, ttl?: string): Block => ({
  ...say(value),
  cache_control: { type: 'ephemeral', ...(ttl && { ttl }) },
})

/** A request with its thinking signed as by the API. */
export function talk(messages: Message[], params: object = {}, betas: readonly string[] = []): Outgoing {
  const body = { model: strict, max_tokens: 1_000, tools, ...params }
  const signed = signThinking({ ...body, messages })
  return { params: body, messages: signed.messages, betas }
}

export const hi = [user(say('hi'))]
export const sound = talk([user(say('hi')), assistant(think('one'), say('Looking.'), call()), user(result())])
const [first, second, third] = sound.messages as [Message, Message, Message]
const blocksOf = ({ content }: Message) => (typeof content === 'string' ? [] : content)
const changed = assistant({ ...blocksOf(second)[0]!, thinking: 'two' }, ...blocksOf(second).slice(1))
export const enabled = { model: older, max_tokens: 2_000, thinking: { type: 'enabled', budget_tokens: 1_024 } }
const lostContainer = 'container_01zzzzzzzzzz'

/** Two long results in front of many short ones. */
export const grown = talk([
  user(say('hi')),
  ...Array.from({ length: 14 }, (_, at) => [
    assistant(think(String(at)), call(`t${at}`)),
    user(result(at < 2 ? 'x'.repeat(30_000) : 'short', `t${at}`)),
  ]).flat(),
])
const small = MODELS.map((card) => ({ ...card, maxInputTokens: 10_000 }))

export const brokenRequests: readonly BrokenRequest[] = [
  {
    claim: 'five cache markers',
    row: 30,
    rule: 'cache-markers',
    local: true,
    request: talk([user(mark('a'), mark('b'), mark('c'), mark('d'), mark('e'))]),
  },
  {
    claim: 'a marker of an hour behind a short one',
    row: 31,
    rule: 'cache-ttl',
    local: true,
    request: talk([user(mark('b', '1h'))], { system: [mark('a')] }),
  },
  {
    claim: 'two tools of one name',
    row: 38,
    rule: 'tool-names',
    local: true,
    request: talk(hi, { tools: [...tools, ...tools] }),
  },
  {
    claim: 'a tool with a long name',
    row: 9,
    rule: 'tool-names',
    local: true,
    request: talk(hi, { tools: [...tools, { ...tools[0], name: 'n'.repeat(129) }] }),
  },
  {
    claim: 'an image that is too large',
    row: 32,
    rule: 'remove-images',
    local: true,
    request: talk([user(png(9_000, 10)), assistant(think(), call()), user(result([png(9, 9)]))]),
  },
  {
    claim: 'an image that is too large among many',
    row: 32,
    rule: 'remove-images',
    local: true,
    request: talk([user(say('hi'), png(2_001, 1), ...Array.from({ length: 20 }, () => png(1, 1)))]),
  },
  {
    claim: 'an image that is none, in a result',
    row: 32,
    rule: 'remove-images',
    local: true,
    request: talk([
      user(say('hi')),
      assistant(call()),
      user(result([{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } }])),
    ]),
  },
  {
    claim: 'an empty image',
    row: 32,
    rule: 'remove-images',
    local: true,
    request: talk([user(say('hi'), { type: 'image', source: { type: 'base64', media_type: 'image/png', data: '' } })]),
  },
  {
    claim: 'too many images',
    row: 32,
    rule: 'shrink-images',
    local: true,
    request: talk([user(say('hi'), ...Array.from({ length: 601 }, () => png(1, 1)))]),
  },
  {
    claim: 'enabled thinking',
    row: 23,
    rule: 'drop-params',
    local: true,
    request: talk(hi, { thinking: { type: 'enabled', budget_tokens: 100 } }),
  },
  {
    claim: 'adaptive thinking',
    row: 23,
    rule: 'drop-params',
    local: true,
    request: talk(hi, { model: older, thinking: { type: 'adaptive' } }),
  },
  {
    claim: 'a budget as large as the answer',
    row: 23,
    rule: 'thinking-config',
    local: true,
    request: talk(hi, { ...enabled, max_tokens: 2_048, thinking: { type: 'enabled', budget_tokens: 2_048 } }),
  },
  {
    claim: 'a forced tool',
    row: 24,
    rule: 'drop-params',
    local: true,
    request: talk(hi, { tool_choice: { type: 'any' } }),
  },
  { claim: 'sampling', row: 44, rule: 'drop-params', local: true, request: talk(hi, { temperature: 0.5 }) },
  {
    claim: 'sampling under the newest version',
    row: 44,
    rule: 'drop-params',
    local: true,
    apiVersion: '2026-10-21',
    request: talk(hi, { model: older, temperature: 1 }),
  },
  { claim: 'max_tokens', row: 35, rule: 'clamp-max-tokens', local: true, request: talk(hi, { max_tokens: 200_000 }) },
  {
    claim: 'a field that a library put in',
    row: 11,
    rule: 'drop-field',
    local: true,
    request: talk([user(say('hi')), assistant({ ...say('Yes?'), parsed: null }), user(say('so'))]),
  },
  {
    claim: 'a field that nobody knows',
    row: 11,
    rule: 'drop-field',
    request: talk([
      user(say('hi')),
      assistant({ ...say('Yes?'), flavour: 1 }),
      user(say('so')),
      assistant(think(), say('Well.')),
      user(say('go')),
    ]),
  },
  { claim: 'a setting that nobody knows', row: 11, rule: 'drop-field', request: talk(hi, { flavour: 1 }) },
  {
    claim: 'a setting without its beta',
    row: 11,
    rule: 'drop-field',
    request: talk(hi, { thinking: { type: 'adaptive', block_binding: {} } }),
  },
  {
    claim: 'an unfinished answer at the end',
    row: 17,
    rule: 'continue-after-prefill',
    request: talk([...hi, assistant(say('It is'))]),
  },
  {
    claim: 'a system message',
    row: 15,
    rule: 'convert-system',
    request: talk([...hi, { role: 'system', content: 'Be brief.' }, assistant(say('Yes?')), user(say('so'))], {
      model: 'claude-sonnet-5',
    }),
  },
  {
    claim: 'thinking that was changed, and is recorded',
    row: 18,
    rule: 'restore-thinking',
    request: { ...sound, messages: [first, changed, third] },
    recorded: sound.messages,
  },
  {
    claim: 'thinking that was changed',
    row: 18,
    rule: 'strip-thinking',
    request: { ...sound, messages: [first, changed, third] },
  },
  {
    claim: 'a signature that is none',
    row: 19,
    rule: 'strip-thinking',
    request: { ...sound, messages: [first, assistant({ ...think(), signature: 'abc' }, call()), third] },
  },
  {
    claim: 'thinking of another conversation, and what was answered is recorded',
    row: 20,
    rule: 'drop-block',
    request: { ...sound, messages: [user(say('ho')), second, third] },
    recorded: sound.messages,
  },
  {
    claim: 'thinking that is missing where it is enabled',
    row: 21,
    rule: 'thinking-off',
    request: talk([user(say('hi')), assistant(call()), user(result())], enabled),
  },
  {
    claim: 'thinking at the end where it is off',
    row: 22,
    rule: 'strip-thinking',
    request: talk([user(say('hi')), assistant(think(), say('It is'))], { model: older }),
  },
  {
    claim: 'a conversation past the window',
    row: 34,
    rule: 'shorten-old-results',
    request: grown,
    lab: { models: small },
  },
  {
    claim: 'too many bytes, of images',
    row: 36,
    rule: 'shrink-images',
    request: talk([user(say('hi'), ...Array.from({ length: 30 }, () => png(1, 1)))]),
    lab: { maxBodyBytes: 3_500 },
  },
  {
    claim: 'too many bytes, of results',
    row: 36,
    rule: 'shorten-old-results',
    request: grown,
    lab: { maxBodyBytes: 50_000 },
  },
  {
    claim: 'a container that is not there',
    row: 28,
    rule: 'drop-container',
    request: talk(hi, { container: lostContainer }),
  },
  {
    claim: 'a thread that is not there',
    rule: 'drop-thread',
    request: talk(hi, { tools: undefined, thread: { type: 'continue', previous_message_id: 'msg_1' } }, [
      'message-threads-2026-08-12',
    ]),
  },
  {
    claim: "a block of another protocol in a tool's result",
    row: 11,
    rule: 'block-as-text',
    request: talk([
      user(say('hi')),
      assistant(think(), call()),
      user(result([say('a file'), { type: 'resource', resource: { uri: 'file:///a', text: 'a file' } }])),
    ]),
  },
  {
    claim: "an image of another protocol in a tool's result",
    row: 11,
    rule: 'block-as-text',
    request: talk([
      user(say('hi')),
      assistant(think(), call()),
      user(result([{ type: 'image', data: 'AAAA', mimeType: 'image/png' }])),
    ]),
  },
  {
    claim: 'a file that is not there',
    rule: 'drop-files',
    request: talk([
      user(say('hi'), { type: 'document', source: { type: 'file', file_id: 'file_01' } }),
      assistant(think(), say('Yes?')),
      user(say('so')),
    ]),
    lab: { files: ['file_02'] },
  },
]
