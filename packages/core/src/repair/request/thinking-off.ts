/** Turning thinking off, as far as the model allows. */
import { isRecord, without } from '../../json.ts'
import { thinks, withoutClearing } from '../../ladder/thinking-steps.ts'
import type { ModelCard } from '../../ladder/model-card.ts'
import type { Params } from '../outgoing.ts'

/** Undefined when thinking is off already or cannot be turned off. */
export function thinkingTurnedOff(params: Params, card: ModelCard): Params | undefined {
  const asked = params['thinking']
  const type = isRecord(asked) ? asked['type'] : undefined
  if (type === 'disabled' || (type === undefined && !card.thinksByDefault)) return undefined
  const canSay = card.thinking.includes('disabled')
  // A model that always thinks adaptively does not mind a missing block: an absent setting demands nothing.
  if (!canSay && type !== 'enabled') return undefined
  const off = canSay ? { ...params, thinking: { type: 'disabled' } } : without(params, ['thinking'])
  return withoutIdleClearing(off, card)
}

/** The server cannot clear thinking that is off. */
export function withoutIdleClearing(params: Params, card: ModelCard): Params {
  return thinks(params['thinking'], card) ? params : withoutClearing(params)
}
