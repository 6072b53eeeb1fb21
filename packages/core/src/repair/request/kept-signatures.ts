/**
 * Thinking that survives an edit. On models with preserved thinking each thinking block is signed against everything
 * before it, so an edit in the middle makes the API refuse the request.
 * https://platform.claude.com/docs/en/build-with-claude/preserved-thinking
 *
 * 1. Thinking of one message is never thinned out: all of the transcript's goes, or the API drops what does not fit.
 * 2. What is not asked for by an edit is not done: no thinking behind the edit, nothing to keep.
 */
import { isRecord, without } from '../../json.ts'
import { hasThinking, withoutThinking } from '../../journal/message.ts'
import type { ModelCard } from '../../ladder/model-card.ts'
import type { Outgoing, Repaired } from '../outgoing.ts'
import { mapKeeping } from './blocks.ts'

export const bindingBeta = 'thinking-binding-controls-2026-08-01'

/**
 * Tells the API to leave out thinking that does not fit its place; undefined when it is told so already, or when the
 * way of thinking that the request asks for cannot carry the setting.
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
 * The repair with what its edits of `before` need so that thinking behind them is not refused. That is a repair of its
 * own, and one that stands: the edits do too.
 */
export function keepingSignatures(before: Outgoing, repaired: Repaired, card: ModelCard): Repaired {
  const { outgoing, repairs } = repaired
  const firstChange = outgoing.messages.findIndex((message, at) => message !== before.messages[at])
  const isBound = card.preservedThinking && firstChange >= 0 && outgoing.messages.slice(firstChange).some(hasThinking)
  if (!isBound || dropsBlocks(outgoing)) return repaired
  const told = droppingBlocks(outgoing, card)
  if (told) return { ...repaired, outgoing: told, repairs: [...repairs, dropBlockNote] }
  const messages = mapKeeping(outgoing.messages, withoutThinking)
  const note = { rule: 'strip-thinking', row: 19, what: 'left out all thinking, since a message before it was changed' }
  return { ...repaired, outgoing: { ...outgoing, messages }, repairs: [...repairs, note] }
}

const dropBlockNote = { rule: 'drop-block', row: 20, what: 'prefix_mismatch_behavior drop_block' } as const

function dropsBlocks({ params, betas }: Outgoing): boolean {
  const binding = isRecord(params['thinking']) ? params['thinking']['block_binding'] : undefined
  return isRecord(binding) && binding['prefix_mismatch_behavior'] === 'drop_block' && betas.includes(bindingBeta)
}

/** Without the setting, for requests that lose its beta. */
export function withoutBinding(params: Outgoing['params']): Outgoing['params'] {
  const { thinking } = params
  if (!isRecord(thinking) || thinking['block_binding'] === undefined) return params
  return { ...params, thinking: without(thinking, ['block_binding']) }
}
