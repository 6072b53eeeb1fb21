/**
 * How thinking survives an edit. On models with preserved thinking each thinking block is signed against everything
 * before it, so an edit in the middle makes the API refuse the request.
 * https://platform.claude.com/docs/en/build-with-claude/preserved-thinking
 *
 * 1. Thinking is never removed from some messages only: either the whole transcript loses it, or the API drops the
 *    blocks that do not fit.
 * 2. Where no thinking follows the edit, nothing is done.
 */
import { isRecord, without } from '../../json.ts'
import { hasThinking, withoutThinking } from '../../journal/message.ts'
import type { ModelCard } from '../../ladder/model-card.ts'
import type { Outgoing, Params, Repaired } from '../outgoing.ts'
import type { LocalRule } from '../rule.ts'
import { mapKeeping } from '../blocks.ts'

export const bindingBeta = 'thinking-binding-controls-2026-08-01'

/**
 * Tells the API to leave out thinking that does not fit its place; undefined when the request says so already, or when
 * its type of thinking cannot carry the setting.
 */
export function droppingBlocks({ params, betas, messages }: Outgoing, card: ModelCard): Outgoing | undefined {
  const asked = params['thinking']
  const config = isRecord(asked) ? asked : card.thinking.includes('adaptive') ? { type: 'adaptive' } : undefined
  if (!config || (config['type'] !== 'adaptive' && config['type'] !== 'enabled')) return undefined
  if (!isRecord(asked) && !card.thinksByDefault) return undefined
  if (dropsBlocks({ params, betas, messages })) return undefined
  const binding = isRecord(config['block_binding']) ? config['block_binding'] : {}
  const thinking = { ...config, block_binding: { ...binding, prefix_mismatch_behavior: 'drop_block' } }
  return {
    params: { ...params, thinking },
    messages,
    betas: betas.includes(bindingBeta) ? betas : [...betas, bindingBeta],
  }
}

/**
 * Adds to a repair of `before` whatever keeps the thinking after its edits from being refused. That is a repair of its
 * own, and a standing one, as the edits are.
 */
export function keepingSignatures(before: Outgoing, repaired: Repaired, card: ModelCard): Repaired {
  const { outgoing, repairs } = repaired
  if (!isUnbound(before, outgoing, card) || dropsBlocks(outgoing)) return repaired
  const told = droppingBlocks(outgoing, card)
  if (told) return { ...repaired, outgoing: told, repairs: [...repairs, dropBlockNote] }
  return { ...repaired, outgoing: stripped(outgoing), repairs: [...repairs, stripNote] }
}

/** Whether an edit precedes thinking that is signed against what it edits. */
export function isUnbound(before: Outgoing, { messages }: Outgoing, { preservedThinking }: ModelCard): boolean {
  const firstChange = messages.findIndex((message, at) => message !== before.messages[at])
  return preservedThinking && firstChange >= 0 && messages.slice(firstChange).some(hasThinking)
}

export const stripped = (outgoing: Outgoing): Outgoing => ({
  ...outgoing,
  messages: mapKeeping(outgoing.messages, withoutThinking),
})
export const stripNote = {
  rule: 'strip-thinking',
  row: 19,
  what: 'left out all thinking, since a message before it was changed',
} as const

/** The rule, with what its edits take to keep the thinking after them. */
export function withSignaturesKept<Name extends string>(rule: LocalRule<Name>): LocalRule<Name> {
  return {
    ...rule,
    repair(outgoing, context) {
      const repaired = rule.repair(outgoing, context)
      return repaired && keepingSignatures(outgoing, repaired, context.card)
    },
  }
}

const dropBlockNote = { rule: 'drop-block', row: 20, what: 'prefix_mismatch_behavior drop_block' } as const

function dropsBlocks({ params, betas }: Outgoing): boolean {
  const binding = isRecord(params['thinking']) ? params['thinking']['block_binding'] : undefined
  return isRecord(binding) && binding['prefix_mismatch_behavior'] === 'drop_block' && betas.includes(bindingBeta)
}

/** The params without `block_binding`, for requests that lose its beta. */
export function withoutBinding(params: Params): Params {
  const { thinking } = params
  if (!isRecord(thinking) || thinking['block_binding'] === undefined) return params
  return { ...params, thinking: without(thinking, ['block_binding']) }
}
