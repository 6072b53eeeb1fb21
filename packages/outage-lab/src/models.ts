/**
 * The models that the lab serves: the card of the Models API, and the habits that decide what a request may say.
 * 1. Only the card goes over the wire.
 * 2. A dated id (`…-20251101`) is the same model as the undated one.
 */
import { invalid, type ApiError } from './api-error.ts'
import type { JsonObject } from './json.ts'

/** What a model accepts. */
export interface ModelHabits {
  /** The last message may be the assistant's. */
  readonly prefill: boolean
  /** `tool_choice` may be `any` or `tool`. */
  readonly forcedToolChoice: boolean
  /** `role: "system"` may stand in `messages`. */
  readonly systemMessages: boolean
  /** A system message may set the effort from there on. */
  readonly messageEffort: boolean
  /** `temperature`, `top_p` and `top_k` may differ from their defaults. */
  readonly sampling: boolean
  /** Thinking is bound to the exact prefix. */
  readonly preservedThinking: boolean
  /** The values of `thinking.type`. */
  readonly thinking: readonly ('adaptive' | 'enabled' | 'disabled' | 'between_tools')[]
}

export interface ModelCard {
  readonly id: string
  readonly displayName: string
  readonly createdAt: string
  readonly line: 'haiku' | 'sonnet' | 'opus' | 'fable' | 'mythos'
  readonly lifecycle: 'active' | 'deprecated' | 'retired'
  readonly maxInputTokens: number
  readonly maxTokens: number
  readonly habits: ModelHabits
}

const LATEST: ModelHabits = {
  prefill: false,
  forcedToolChoice: false,
  systemMessages: true,
  messageEffort: true,
  sampling: false,
  preservedThinking: true,
  thinking: ['adaptive'],
}
const FIVE: ModelHabits = {
  ...LATEST,
  forcedToolChoice: true,
  preservedThinking: false,
  thinking: ['adaptive', 'disabled'],
}
const FOUR_SIX: ModelHabits = {
  ...FIVE,
  systemMessages: false,
  messageEffort: false,
  sampling: true,
  thinking: ['adaptive', 'enabled', 'disabled'],
}
const FOUR_FIVE: ModelHabits = { ...FOUR_SIX, prefill: true, thinking: ['enabled', 'disabled'] }

/** `card`, completed with the values of a current large model. */
export function modelCard(
  id: string,
  card: Partial<Omit<ModelCard, 'habits'>> & { readonly habits?: Partial<ModelHabits> } = {},
): ModelCard {
  const { habits, ...rest } = card
  return {
    id,
    displayName: id.replace('claude-', 'Claude ').replaceAll('-', ' '),
    createdAt: '2026-10-01T00:00:00Z',
    line: 'opus',
    lifecycle: 'active',
    maxInputTokens: 1_000_000,
    maxTokens: 128_000,
    ...rest,
    habits: { ...LATEST, ...habits },
  }
}

const OLD = { maxInputTokens: 200_000, maxTokens: 64_000, habits: FOUR_FIVE }

/** Newest first, as the Models API lists them. */
export const MODELS: readonly ModelCard[] = [
  modelCard('claude-haiku-5-5', {
    createdAt: '2026-10-14T00:00:00Z',
    line: 'haiku',
    habits: { forcedToolChoice: true, thinking: ['adaptive', 'disabled'] },
  }),
  modelCard('claude-fable-5-1', { createdAt: '2026-09-22T00:00:00Z', line: 'fable' }),
  modelCard('claude-sonnet-5-5', {
    createdAt: '2026-09-10T00:00:00Z',
    line: 'sonnet',
    habits: { thinking: ['adaptive', 'between_tools'] },
  }),
  modelCard('claude-opus-5-5', { createdAt: '2026-09-02T00:00:00Z' }),
  modelCard('claude-opus-5', { createdAt: '2026-07-08T00:00:00Z', habits: FIVE }),
  modelCard('claude-sonnet-5', {
    createdAt: '2026-06-24T00:00:00Z',
    line: 'sonnet',
    habits: { ...FIVE, systemMessages: false, messageEffort: false },
  }),
  modelCard('claude-opus-4-8', { createdAt: '2026-05-28T00:00:00Z', habits: { ...FIVE, messageEffort: false } }),
  modelCard('claude-opus-4-7', {
    createdAt: '2026-04-16T00:00:00Z',
    habits: { ...FIVE, systemMessages: false, messageEffort: false },
  }),
  modelCard('claude-sonnet-4-6', { createdAt: '2026-02-17T00:00:00Z', line: 'sonnet', habits: FOUR_SIX }),
  modelCard('claude-opus-4-6', { createdAt: '2026-02-05T00:00:00Z', habits: FOUR_SIX }),
  modelCard('claude-opus-4-5', { createdAt: '2025-11-24T00:00:00Z', ...OLD }),
  modelCard('claude-haiku-4-5', { createdAt: '2025-10-15T00:00:00Z', line: 'haiku', ...OLD }),
  modelCard('claude-sonnet-4-5', { createdAt: '2025-09-29T00:00:00Z', line: 'sonnet', ...OLD }),
]

export function findModel(models: readonly ModelCard[], id: string): ModelCard | undefined {
  return models.find((card) => card.id === id) ?? models.find((card) => card.id === id.replace(/-\d{8}$/, ''))
}

/** The page of `cards` that `query` asks for: `limit` (20) of them, after or before the one that is named. */
export function pageOf(
  cards: readonly ModelCard[],
  query: URLSearchParams,
): { readonly body: JsonObject } | { readonly error: ApiError } {
  const refused = (message: string) => ({ error: invalid(message) })
  const [limit, after, before] = [query.get('limit') ?? '20', query.get('after_id'), query.get('before_id')]
  if (!/^[+-]?\d+$/.test(limit)) return refused('limit: Input should be a valid integer')
  const most = Number(limit)
  if (most < 1) return refused('limit: Input should be greater than or equal to 1')
  if (most > 1000) return refused('limit: Input should be less than or equal to 1000')
  if (after !== null && before !== null) return refused('Only one of before_id and after_id can be given')
  const cursor = after ?? before
  const at = cards.findIndex(({ id }) => id === cursor)
  if (cursor !== null && at < 0) return refused(`${after === null ? 'before_id' : 'after_id'}: Not found`)
  const rest = before === null ? cards.slice(at + 1) : cards.slice(0, at)
  const page = before === null ? rest.slice(0, most) : rest.slice(-most)
  const [first_id, last_id] = [page[0]?.id ?? null, page.at(-1)?.id ?? null]
  return { body: { data: page.map(cardBody), has_more: rest.length > page.length, first_id, last_id } }
}

/** The card as the Models API gives it. */
export function cardBody(card: ModelCard): JsonObject {
  const yes = { supported: true }
  const can = (type: ModelHabits['thinking'][number]): JsonObject => ({
    supported: card.habits.thinking.includes(type),
  })
  const strategies = { clear_thinking_20251015: yes, clear_tool_uses_20250919: yes, compact_20260112: yes }
  const modern = { supported: !card.habits.prefill }
  return {
    type: 'model',
    id: card.id,
    display_name: card.displayName,
    created_at: card.createdAt,
    line: card.line,
    lifecycle: card.lifecycle,
    deprecated_at: null,
    retires_at: null,
    max_input_tokens: card.maxInputTokens,
    max_tokens: card.maxTokens,
    capabilities: {
      batch: yes,
      citations: yes,
      code_execution: yes,
      context_management: { supported: true, ...strategies },
      effort: {
        ...modern,
        low: modern,
        medium: modern,
        high: modern,
        xhigh: { supported: !card.habits.sampling },
        max: modern,
      },
      image_input: yes,
      pdf_input: yes,
      server_tools: { supported: true, code_execution: yes, web_search: yes },
      structured_outputs: yes,
      thinking: {
        supported: true,
        types: {
          adaptive: can('adaptive'),
          enabled: can('enabled'),
          disabled: can('disabled'),
          between_tools: can('between_tools'),
        },
      },
    },
  }
}
