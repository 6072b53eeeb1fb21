/**
 * Blocks inside a tool result that the API refused: a type of another protocol, or a missing field. The call did run,
 * so its output stays, as text: there is no other way to send it in this conversation (P6).
 *
 * 1. If one block is of an unknown type, all blocks of that type become text, those of later results too: each would be
 *    refused in its turn.
 */
import type { Block } from '../../journal/journal.ts'
import { count, isAt, pathOf, placedBlocks, type Placed } from '../blocks.ts'
import type { Outgoing, Repaired } from '../outgoing.ts'
import { replacedBy, refusalRule, type RefusalRule } from './refusal-rule.ts'

export const blockAsText = refusalRule({
  name: 'block-as-text',
  row: 11,
  does: "Puts its JSON as text where a block inside a tool's result stood that the API does not take.",
  reach: 'messages',
  repair(outgoing, context, argument) {
    const ofType = argument === undefined ? blockTypeAsText.repair(outgoing, context) : undefined
    if (ofType) return ofType
    const named = namedBlocks(outgoing, argument?.split(',') ?? context.fault?.paths ?? [])
    return written(this, outgoing, named, named.map(({ place }) => pathOf(place)).join(','))
  },
})

export const blockTypeAsText = refusalRule({
  name: 'block-type-as-text',
  row: 11,
  does: "Puts its JSON as text where a block inside a tool's result stood of a type that the API does not know.",
  reach: 'model',
  repair(outgoing, { fault }, argument) {
    const [, tag] = /\binput tag '([^']+)'/i.exec(fault?.message ?? '') ?? []
    const isNamed = namedBlocks(outgoing, fault?.paths ?? []).some(({ block }) => block.type === tag)
    const type = argument ?? (isNamed ? tag : undefined)
    if (type === undefined) return undefined
    const chosen = innerBlocks(outgoing).filter(({ block }) => block.type === type)
    return written(this, outgoing, chosen, type)
  },
})

const namedBlocks = (outgoing: Outgoing, paths: readonly string[]): Placed[] =>
  innerBlocks(outgoing).filter(({ place }) => paths.some((path) => isAt(place, path)))

const innerBlocks = ({ messages }: Outgoing): Placed[] =>
  placedBlocks(messages).filter(({ place }) => place.inner !== undefined)

function written(
  rule: RefusalRule,
  outgoing: Outgoing,
  chosen: readonly Placed[],
  argument: string,
): Repaired | undefined {
  const what = `wrote ${count(chosen.length, "tool result's block")} as text`
  return replacedBy(rule, outgoing, chosen, asText, what, { argument })
}

/** Strings of this form are of no use to the model, and would fill the window. */
const base64 = /^[\w+/-]{1000,}={0,2}$/

function asText(block: Block): Block {
  const text = JSON.stringify(block, (_name, value: unknown) =>
    typeof value === 'string' && base64.test(value) ? `[${value.length} characters of data left out]` : value,
  )
  return { type: 'text', text }
}
