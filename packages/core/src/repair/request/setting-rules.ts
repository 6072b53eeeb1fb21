/**
 * Settings that the model or the API version does not accept.
 *
 * 1. With a guessed card nothing is changed because of the model: the API's refusal says more than a guess.
 * 2. None of these settings is part of the prefix, so thinking and cache stay valid.
 */
import { isRecord, without } from '../../json.ts'
import { beginsWithThinking } from '../../ladder/message-steps.ts'
import type { ModelCard } from '../../ladder/model-card.ts'
import { maxTokens, toolChoice } from '../../ladder/setting-steps.ts'
import { within, type Step } from '../../ladder/step.ts'
import { thinking } from '../../ladder/thinking-steps.ts'
import type { Outgoing } from '../outgoing.ts'
import { localRule, mendedBy } from '../rule.ts'
import { withoutIdleClearing } from './thinking-off.ts'

/** Sampling settings are refused from this version on: https://platform.claude.com/docs/en/api/versioning */
const versionWithoutSampling = '2026-10-21'

export const maxTokensRule = localRule(
  { name: 'max-tokens', row: 35, invariant: "max_tokens is at most the model's limit." },
  ofModel((outgoing, card) => maxTokens(outgoing, within(card))),
)

export const toolChoiceRule = localRule(
  { name: 'tool-choice', row: 24, invariant: 'tool_choice forces a tool only on models that can be forced.' },
  ofModel((outgoing, card) => toolChoice(outgoing, within(card))),
)

export const thinkingConfig = localRule(
  {
    name: 'thinking-config',
    row: 23,
    invariant: 'The type of thinking is one that the model takes, and its budget is below max_tokens.',
  },
  ofModel((outgoing, card) => {
    if (!isUnfit(outgoing, card)) return undefined
    // As if the request came from a model that thinks the same way by default: then the type is mapped.
    const changed = thinking(outgoing, { ...within(card), from: { ...card, id: '' } })
    if (!changed) return undefined
    const { params } = changed.outgoing
    return { ...changed, outgoing: { ...changed.outgoing, params: withoutIdleClearing(params, card) } }
  }),
)

export const sampling = localRule(
  {
    name: 'sampling',
    row: 44,
    invariant: 'temperature, top_p and top_k are only sent if model and API version take them.',
  },
  ({ params }, { card, apiVersion = versionWithoutSampling }) => {
    const isRefused = (name: string) =>
      params[name] !== undefined &&
      (apiVersion >= versionWithoutSampling ||
        (card.source !== 'guess' && !card.sampling && !(name === 'temperature' && params[name] === 1)))
    const names = ['temperature', 'top_p', 'top_k'].filter(isRefused)
    if (names.length === 0) return undefined
    return { params: without(params, names), mends: [{ what: `left out ${names.join(', ')}` }] }
  },
)

/** With it the budget may exceed max_tokens: https://platform.claude.com/docs/en/build-with-claude/extended-thinking */
const interleavedBeta = 'interleaved-thinking-2025-05-14'

function isUnfit({ params, messages, betas }: Outgoing, card: ModelCard): boolean {
  const config = params['thinking']
  if (!isRecord(config)) return false
  const { type, budget_tokens: budget } = config
  if (!card.thinking.some((taken) => taken === type)) return true
  const isInterleaved = betas.includes(interleavedBeta) && Array.isArray(params['tools']) && params['tools'].length > 0
  const isTooLarge = !isInterleaved && Number(budget) >= Number(params['max_tokens'])
  return type === 'enabled' && (isTooLarge || !beginsWithThinking(messages))
}

function ofModel(step: (outgoing: Outgoing, card: ModelCard) => ReturnType<Step>): Parameters<typeof localRule>[1] {
  return (outgoing, { card }) => (card.source === 'guess' ? undefined : mendedBy(step(outgoing, card)))
}
