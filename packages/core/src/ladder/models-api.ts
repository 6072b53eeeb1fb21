/**
 * A card from an answer of the Models API: https://platform.claude.com/docs/en/api/models/retrieve
 *
 * 1. What the answer lacks, or gives in another shape than documented, is taken from the built-in card.
 * 2. For a model that is not in the table, the types of thinking that it accepts tell which generation to guess.
 */
import { z } from 'zod'
import { cardOf } from './built-in-cards.ts'
import { effortLevels, thinkingTypes, type ModelCard } from './model-card.ts'
import { lazily } from '../lazily.ts'

const supportSchema = lazily(() => z.looseObject({ supported: z.boolean() }))
const supportsSchema = lazily(() => z.record(z.string(), z.unknown()).nullish().catch(undefined))
const tokensSchema = lazily(() => z.number().int().positive().nullish().catch(undefined))

const modelInfoSchema = lazily(() =>
  z.looseObject({
    id: z.string().min(1),
    max_input_tokens: tokensSchema(),
    max_tokens: tokensSchema(),
    capabilities: z
      .looseObject({
        thinking: z.looseObject({ types: supportsSchema() }).nullish().catch(undefined),
        effort: supportsSchema(),
        server_tools: supportsSchema(),
      })
      .nullish()
      .catch(undefined),
  }),
)

/** The card of the model that the answer describes; undefined if the answer describes none. */
export function modelCardFrom(body: unknown): ModelCard | undefined {
  const parsed = modelInfoSchema().safeParse(body)
  if (!parsed.success) return undefined
  const { id, max_input_tokens, max_tokens, capabilities } = parsed.data
  const thinking = told(thinkingTypes, capabilities?.thinking?.types)
  const known = baseOf(id, thinking)
  const unsupportedTools = new Set([...(known.unsupportedTools ?? []), ...lackingIn(capabilities?.server_tools)])
  return {
    ...known,
    id,
    source: 'models-api',
    maxInputTokens: max_input_tokens ?? known.maxInputTokens,
    maxOutputTokens: max_tokens ?? known.maxOutputTokens,
    thinking: thinking ?? known.thinking,
    efforts: effortsIn(capabilities?.effort) ?? known.efforts,
    ...(unsupportedTools.size > 0 && { unsupportedTools: [...unsupportedTools] }),
  }
}

function baseOf(id: string, thinking: readonly string[] | undefined): ModelCard {
  const known = cardOf(id)
  if (known.source === 'built-in' || !thinking) return known
  if (!thinking.includes('adaptive')) return cardOf('claude-sonnet-4-5')
  return thinking.includes('enabled') ? cardOf('claude-opus-4-6') : known
}

type Supports = Readonly<Record<string, unknown>> | null | undefined

/** Those of `names` that are supported; undefined if the answer mentions none of them. */
function told<T extends string>(names: readonly T[], supports: Supports): T[] | undefined {
  const isTold = names.some((name) => isSupported(supports?.[name]) !== undefined)
  return isTold ? names.filter((name) => isSupported(supports?.[name]) === true) : undefined
}

function effortsIn(supports: Supports): string[] | undefined {
  return supports?.['supported'] === false ? [] : told(effortLevels, supports)
}

function lackingIn(tools: Supports): string[] {
  return Object.keys(tools ?? {}).filter((name) => isSupported(tools?.[name]) === false)
}

function isSupported(value: unknown): boolean | undefined {
  return supportSchema().safeParse(value).data?.supported
}
