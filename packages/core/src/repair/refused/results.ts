/**
 * Blocks inside a tool result that the API refused: a type of another protocol, or a missing field. The call did run,
 * so its output stays, as text: there is no other way to send it in this conversation (P6).
 *
 * 1. If one block is of an unknown type, all blocks of that type become text: each would be refused in its turn.
 */
import type { Block } from '../../journal/journal.ts'
import { count, isAt, pathOf, placedBlocks } from '../blocks.ts'
import { replacedBy, refusalRule } from './refusal-rule.ts'

export const blockAsText = refusalRule({
  name: 'block-as-text',
  row: 11,
  does: "Puts its JSON as text where a block inside a tool's result stood that the API does not take.",
  reach: 'messages',
  repair(outgoing, { fault }, argument) {
    const paths = argument?.split(',') ?? fault?.paths ?? []
    const inner = placedBlocks(outgoing.messages).filter(({ place }) => place.inner !== undefined)
    const named = inner.filter(({ place }) => paths.some((path) => isAt(place, path)))
    const isUnknown = argument === undefined && /\binput tag\b/i.test(fault?.message ?? '')
    const types = new Set(isUnknown ? named.map(({ block }) => block.type) : [])
    const chosen = inner.filter((one) => named.includes(one) || types.has(one.block.type))
    const what = `wrote ${count(chosen.length, "tool result's block")} as text`
    const places = chosen.map(({ place }) => pathOf(place)).join(',')
    return replacedBy(this, outgoing, chosen, asText, what, { argument: places })
  },
})

/** Strings of this form are of no use to the model, and would fill the window. */
const base64 = /^[\w+/-]{1000,}={0,2}$/

function asText(block: Block): Block {
  const text = JSON.stringify(block, (_name, value: unknown) =>
    typeof value === 'string' && base64.test(value) ? `[${value.length} characters of data left out]` : value,
  )
  return { type: 'text', text }
}
