/**
 * What a model takes: enough to know whether a request can go to it, and what has to be translated.
 *
 * 1. The Models API knows best (`modelCardFrom`); the built-in table (`cardOf`) is of a date and stands in when it cannot be asked.
 * 2. For a model that neither knows, the card of a current large model is a guess, and says so.
 * 3. A card keeps the id that it was asked for: what a provider calls the model is what goes on the wire.
 */

/** The values of `thinking.type`. */
export const thinkingTypes = ['adaptive', 'enabled', 'disabled', 'between_tools'] as const

export interface ModelCard {
  readonly id: string
  readonly source: 'models-api' | 'built-in' | 'guess'
  /** Tokens. */
  readonly maxInputTokens: number
  readonly maxOutputTokens: number
  /** The values of `thinking.type` that it takes. None of them: leave `thinking` out. */
  readonly thinking: readonly (typeof thinkingTypes)[number][]
  /** It thinks when a request says nothing about it. */
  readonly thinksByDefault: boolean
  /** The values of `output_config.effort`; empty when it has none. */
  readonly efforts: readonly string[]
  /** The effort of a request that names none. */
  readonly defaultEffort: string | undefined
  /** `tool_choice` may be `any` or `tool`. */
  readonly forcedToolChoice: boolean
  /** The last message may be the assistant's. */
  readonly prefill: boolean
  /** `temperature`, `top_p` and `top_k` may differ from their defaults. */
  readonly sampling: boolean
  /** `role: "system"` may stand in `messages`. */
  readonly systemMessages: boolean
  /** A system message may set the effort from there on. */
  readonly messageEffort: boolean
  /** Thinking is bound to the exact prefix; blocks of other models are left out by the API, without an error. */
  readonly preservedThinking: boolean
  /** Tokens for the same text, against the models before 4.7. */
  readonly tokenScale: number
  /** Types of tools that it is known not to take, with their date or, for all of them, without. Default: none. */
  readonly unsupportedTools?: readonly string[]
}

/** Nothing is taken from a request because of a guess. */
export function permissive(card: ModelCard): ModelCard {
  if (card.source !== 'guess') return card
  return {
    ...card,
    maxInputTokens: Infinity,
    maxOutputTokens: Infinity,
    thinking: thinkingTypes,
    forcedToolChoice: true,
    prefill: true,
    sampling: true,
    systemMessages: true,
    messageEffort: true,
  }
}

/** The values of `output_config.effort`, from the least to the most. */
export const effortLevels = ['low', 'medium', 'high', 'xhigh', 'max'] as const

/** Whether both ids are of one model, however a provider calls it. */
export function isSameModel(one: string, other: string): boolean {
  return plainModelId(one) === plainModelId(other)
}

/**
 * `claude-opus-4-5` for `claude-opus-4-5-20251101`, `us.anthropic.claude-opus-4-5-20251101-v1:0`, its ARN and
 * `claude-opus-4-5@20251101`; any other id as it is.
 * https://platform.claude.com/docs/en/about-claude/models/overview
 */
export function plainModelId(id: string): string {
  return id
    .replace(/^.*\//, '')
    .replace(/^([a-z-]+\.)?anthropic\./, '')
    .replace(/-v\d+(:\d+)?$/, '')
    .replace(/@.*$|-\d{8}$/, '')
}
