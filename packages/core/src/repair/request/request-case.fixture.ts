/**
 * The shape of a case for a request rule, and the parts that cases are made of.
 */
import type { Fault } from '../../faults/fault.ts'
import type { Block, Message } from '../../journal/journal.ts'
import type { ModelCard } from '../../ladder/model-card.ts'
import type { Outgoing, RepairContext } from '../outgoing.ts'

export interface RequestCase {
  /** Row of the invariant in docs/repairs.md; absent if the rule is for no invariant of a transcript. */
  readonly row?: number
  readonly rule: string
  readonly claim: string
  readonly in: Partial<Outgoing>
  readonly out: Partial<Outgoing>
  /** The name that the repair carries, where it has an argument. */
  readonly as?: string
  readonly card?: Partial<ModelCard>
  /** What the API said. */
  readonly refusal?: Pick<Fault, 'message' | 'paths'>
  readonly apiVersion?: string
  readonly recorded?: Message
  readonly container?: string
}

/** A model of the kind that is strictest with transcripts. */
export const strictCard: ModelCard = {
  id: 'claude-opus-5-5',
  source: 'built-in',
  maxInputTokens: 1_000_000,
  maxOutputTokens: 128_000,
  thinking: ['adaptive'],
  thinksByDefault: true,
  efforts: ['low', 'medium', 'high'],
  defaultEffort: 'medium',
  forcedToolChoice: false,
  prefill: false,
  sampling: false,
  systemMessages: true,
  messageEffort: true,
  preservedThinking: true,
  tokenScale: 1,
}
/** A model with extended thinking, prefill and sampling. */
export const olderCard: ModelCard = {
  ...strictCard,
  id: 'claude-sonnet-4-5',
  maxInputTokens: 200_000,
  maxOutputTokens: 64_000,
  thinking: ['enabled', 'disabled'],
  thinksByDefault: false,
  efforts: [],
  defaultEffort: undefined,
  forcedToolChoice: true,
  prefill: true,
  sampling: true,
  systemMessages: false,
  messageEffort: false,
  preservedThinking: false,
}

export const user = (...content: readonly Block[]): Message => ({ role: 'user', content: [...content] })
export const assistant = (...content: readonly Block[]): Message => ({ role: 'assistant', content: [...content] })
export const text = (value: string): Block => ({ type: 'text', text: value })
export const thought = (signature = 'c2ln'): Block => ({ type: 'thinking', thinking: 'Hm.', signature })
export const call = (id = 't1'): Block => ({ type: 'tool_use', id, name: 'read', input: {} })
export const result = (content: unknown, id = 't1'): Block => ({ type: 'tool_result', tool_use_id: id, content })
export const tool = (name: string): object => ({ name, input_schema: { type: 'object' } })
export const marked = (value: string, ttl?: string): Block => ({
  ...text(value),
  cache_control: { type: 'ephemeral', ...(ttl !== undefined && { ttl }) },
})
export const file = (id: string): Block => ({ type: 'document', source: { type: 'file', file_id: id } })

export const params = { model: strictCard.id, max_tokens: 1_000, tools: [tool('read')] }
export const talk = [user(text('Fix it.')), assistant(text('Looking.'), call()), user(result('a file'))]
export const plainRequest: Outgoing = { params, messages: talk, betas: [] }

export const withThinking = (...before: readonly Block[]) => [
  user(text('Fix it.'), ...before),
  assistant(thought(), call()),
  user(result('a file')),
]
export const dropping = { type: 'adaptive', block_binding: { prefix_mismatch_behavior: 'drop_block' } }
export const bindingBeta = 'thinking-binding-controls-2026-08-01'

export function requestOf(given: Partial<Outgoing>): Outgoing {
  return { ...plainRequest, ...given }
}

export function contextOf({ card, apiVersion, refusal, recorded, container, ...given }: RequestCase): RepairContext {
  return {
    card: { ...strictCard, ...card },
    apiVersion,
    container,
    recorded: recorded && requestOf(given.in).messages.with(1, recorded),
    ...(refusal && { fault: { kind: 'request-rejected', ...refusal } }),
  }
}
