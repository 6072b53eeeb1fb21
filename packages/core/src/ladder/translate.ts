/**
 * Translates a request that was written for one model into one that another model accepts.
 *
 * 1. Only the outgoing copy is translated; the record stays, so going back means sending what is recorded.
 * 2. Everything that the other model accepts stays the same, messages by identity.
 * 3. The same input gives the same output: the other model's own thinking and cache hold from request to request.
 * 4. A request back to the model that it was written for is changed only because of what another model left in it: a
 *    model that refuses the thinking of others does not get it, and where an answer in the open turn has none, extended
 *    thinking waits for the next turn.
 *
 * The differences between models: https://platform.claude.com/docs/en/build-with-claude/refusals-and-fallback
 */
import type { RepairNote } from '../journal/journal.ts'
import type { Outgoing } from '../repair/outgoing.ts'
import { foreignThinking, messageEffort, prefill, systemNotes } from './message-steps.ts'
import { isSameModel, type ModelCard } from './model-card.ts'
import { betas, maxTokens, ownOptions, sampling, toolChoice, tools } from './setting-steps.ts'
import type { Move, Step } from './step.ts'
import { effort, thinking } from './thinking-steps.ts'

export interface Translated {
  readonly outgoing: Outgoing
  /** One for each change, except the name of the model. */
  readonly notes: readonly RepairNote[]
}

/** Ordered: thinking depends on what the steps before it have left. */
const steps: readonly (readonly [rule: string, step: Step])[] = [
  ['fallback-foreign-thinking', foreignThinking],
  ['fallback-message-effort', messageEffort],
  ['fallback-system-notes', systemNotes],
  ['fallback-prefill', prefill],
  ['fallback-tools', tools],
  ['fallback-tool-choice', toolChoice],
  ['fallback-sampling', sampling],
  ['fallback-own-options', ownOptions],
  ['fallback-max-tokens', maxTokens],
  ['fallback-effort', effort],
  ['fallback-thinking', thinking],
  ['fallback-betas', betas],
]
const stepsHome = steps.filter(([, step]) => step === foreignThinking || step === thinking)

/** @param madeBy the model that made an assistant message; where it returns undefined, `from` counts as the maker */
export function translate(
  outgoing: Outgoing,
  from: ModelCard,
  to: ModelCard,
  madeBy: Move['madeBy'],
  wasPaused: NonNullable<Move['wasPaused']> = () => false,
): Translated {
  const move = { from, to, madeBy, wasPaused }
  const named = to.id === from.id ? outgoing : { ...outgoing, params: { ...outgoing.params, model: to.id } }
  return run(named, isSameModel(from.id, to.id) ? stepsHome : steps, move)
}

function run(outgoing: Outgoing, list: typeof steps, move: Move): Translated {
  const notes: RepairNote[] = []
  let now = outgoing
  for (const [rule, step] of list) {
    const changed = step(now, move)
    if (!changed) continue
    now = changed.outgoing
    notes.push({ rule, what: changed.what })
  }
  return { outgoing: now, notes }
}
