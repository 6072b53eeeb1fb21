/**
 * Repairs for thinking that the API refused, gentlest first: as it was recorded, left out by the API where it does not
 * fit, left out altogether, turned off. https://platform.claude.com/docs/en/build-with-claude/preserved-thinking
 */
import { isDeepStrictEqual } from 'node:util'
import { isRecord, without } from '../../json.ts'
import { blocksOf, hasThinking, isThinking, withoutThinking } from '../../journal/message.ts'
import { assistantTurns, beginsWithThinking, goingOnAfterCut } from '../../ladder/message-steps.ts'
import type { Message } from '../../journal/journal.ts'
import { isForced } from '../../ladder/thinking-steps.ts'
import type { Outgoing, Params } from '../outgoing.ts'
import { idOf, isPaused } from '../block-kinds.ts'
import { count, mapKeeping, placedBlocks } from '../blocks.ts'
import { droppingBlocks } from '../request/kept-signatures.ts'
import { repairedBy, refusalRule } from './refusal-rule.ts'
import { originalsOf } from '../transcript/edits.ts'
import { thinkingTurnedOff } from '../request/thinking-off.ts'

export const restoreThinking = refusalRule({
  name: 'restore-thinking',
  row: 18,
  does: 'Sends the answers again as the API gave them, with their thinking and compaction blocks.',
  reach: 'turn',
  fitsSignatures: true,
  yields: true,
  repair(outgoing, { recorded }, argument) {
    if (!recorded) return undefined
    // An answer that came since then may need the repair that this one takes back.
    const upTo = Number(argument ?? outgoing.messages.length)
    const originals = originalsOf(outgoing.messages, recorded)
    const messages = mapKeeping(outgoing.messages, (message, at) => {
      const original = message.role === 'assistant' && at < upTo ? originals[at] : undefined
      const isMended = original?.role === 'assistant' && !isDeepStrictEqual(plain(message), plain(original))
      return isMended && sameRest(message, original) ? original : message
    })
    const restored = messages.filter((message, at) => message !== outgoing.messages[at]).length
    if (restored === 0) return undefined
    const what = `restored ${count(restored, 'answer')} from the record`
    return repairedBy(this, { ...outgoing, messages }, what, { argument: String(upTo) })
  },
})

export const dropBlock = refusalRule({
  name: 'drop-block',
  row: 20,
  does: 'Asks the API to leave out thinking that does not fit its place; every model that binds thinking is asked.',
  reach: 'model',
  repair(outgoing, { card }) {
    const told = droppingBlocks(outgoing, card)
    return told && repairedBy(this, told, 'prefix_mismatch_behavior drop_block')
  },
})

export const stripThinking = refusalRule({
  name: 'strip-thinking',
  row: 19,
  does: 'Leaves out all thinking of the transcript; without one block the rest would be refused.',
  reach: 'turns',
  repair(outgoing, { card, wasPaused }) {
    const messages = mapKeeping(outgoing.messages, withoutThinking)
    if (messages === outgoing.messages) return undefined
    const removed = placedBlocks(outgoing.messages).flatMap(({ block }) => (isThinking(block) ? [block] : []))
    const affected = outgoing.messages.filter(hasThinking).length
    const what = `left out ${count(removed.length, 'thinking block')} of ${count(affected, 'message')}`
    const last = outgoing.messages.at(-1)
    const endsInPause = last !== undefined && (wasPaused?.(last) || isPaused(last))
    // All of the turn goes back unchanged, or the server does not go on with it.
    const isCut = endsInPause && assistantTurns(outgoing.messages).at(-1)?.some(hasThinking)
    const left = { ...outgoing, messages }
    const stripped = withFittingMode(isCut ? goingOnAfterCut(left) : left, card)
    return repairedBy(this, stripped, what, { removed })
  },
})

export const thinkingOff = refusalRule({
  name: 'thinking-off',
  row: 21,
  does: 'Turns thinking off until the turn ends.',
  reach: 'turn',
  repair(outgoing, { card }) {
    const params = thinkingTurnedOff(outgoing.params, card)
    return params && repairedBy(this, { ...outgoing, params }, 'turned thinking off')
  },
})

/** The conversation has no part in it, so it is done again wherever the same settings come together. */
export const thinkingOffWith = refusalRule({
  name: 'thinking-off-with',
  row: 23,
  does: 'Turns thinking off where its settings, or a forced tool beside it, are as the API refused them.',
  reach: 'model',
  repair(outgoing, { card }, argument) {
    const settings = settingsOf(outgoing.params)
    if (argument !== undefined && argument !== settings) return undefined
    const params = thinkingTurnedOff(outgoing.params, card)
    return params && repairedBy(this, { ...outgoing, params }, 'turned thinking off', { argument: settings })
  },
})

/** What thinking may be refused for: `enabled,500`; with `max_tokens` that leave no room for it; beside a forced tool. */
function settingsOf(params: Params): string {
  const { thinking, tool_choice: choice, max_tokens: most } = params
  const { type, budget_tokens: budget } = isRecord(thinking) ? thinking : {}
  const room = Number(budget) >= Number(most) ? most : undefined
  const forced = isForced(params) && isRecord(choice) ? choice['type'] : undefined
  const parts = [type ?? 'default', budget, room, forced]
  return parts.filter((one) => typeof one === 'string' || typeof one === 'number').join(',')
}

/** Where thinking is enabled, the last turn has to begin with it. */
function withFittingMode(outgoing: Outgoing, card: Parameters<typeof thinkingTurnedOff>[1]): Outgoing {
  const { thinking } = outgoing.params
  if (!isRecord(thinking) || thinking['type'] !== 'enabled' || beginsWithThinking(outgoing.messages)) return outgoing
  const params = thinkingTurnedOff(outgoing.params, card)
  return params ? { ...outgoing, params } : outgoing
}

/** The content as blocks, without cache markers: those are not part of the answer. */
function plain(message: Message): unknown {
  return blocksOf(message).map((block) => without(block, ['cache_control']))
}

/**
 * An answer is restored only for what is checked by its signature. What else was left out would be refused again: calls
 * without their results, and server tools without their other half.
 */
function sameRest(one: Message, other: Message): boolean {
  return restOf(one) === restOf(other)
}

const restOf = (message: Message): string =>
  blocksOf(message)
    .filter((block) => !isThinking(block) && block.type !== 'compaction')
    .map((block) => `${block.type} ${idOf(block)}`)
    .join('\n')
