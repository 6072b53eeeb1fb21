/**
 * What a model accepts: enough to know whether a request can go to it, and what has to be translated.
 *
 * 1. The Models API knows best (`modelCardFrom`); the built-in table (`cardOf`) dates from a given day and is used when
 *    the API cannot be asked.
 * 2. For a model that neither knows, the card is a guess, that of a current large model, and says so.
 * 3. A card keeps the id that it was asked for: the provider's name of the model is what goes on the wire.
 */

/** The values of `thinking.type`. */
export const thinkingTypes = ['adaptive', 'enabled', 'disabled', 'between_tools'] as const

export interface ModelCard {
  readonly id: string
  readonly source: 'models-api' | 'built-in' | 'guess'
  /** Tokens. */
  readonly maxInputTokens: number
  readonly maxOutputTokens: number
  /** The values of `thinking.type` that the model accepts. If empty, `thinking` is left out. */
  readonly thinking: readonly (typeof thinkingTypes)[number][]
  /** The model thinks when a request says nothing about thinking. */
  readonly thinksByDefault: boolean
  /** The values of `output_config.effort`; empty if the model has none. */
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
  /** Thinking is bound to the exact prefix; the API leaves out blocks of other models without an error. */
  readonly preservedThinking: boolean
  /** Tokens for the same text, relative to the models before 4.7. */
  readonly tokenScale: number
  /** Types of tools that the model is known to refuse, with a date, or without one for all dates. Default: none. */
  readonly unsupportedTools?: readonly string[]
}

/** The card, or for a guess one that allows everything: nothing is removed from a request because of a guess. */
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

/** The values of `output_config.effort`, lowest first. */
export const effortLevels = ['low', 'medium', 'high', 'xhigh', 'max'] as const

/** Whether both ids name the same model, whatever a provider calls it. */
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
