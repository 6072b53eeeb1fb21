/**
 * Results of the server's tools that the API cannot read back: they were encrypted for another organisation or cloud.
 *
 * 1. All of them become text, since each would be refused in its turn. Their calls go, and so does what refers to them.
 */
import { isRecord, recordsIn, without } from '../../json.ts'
import type { Block } from '../../journal/journal.ts'
import { blocksOf, isServerCall } from '../../journal/message.ts'
import { callIdOf, idOf, isServerResult, textBlock, withBlocks } from '../block-kinds.ts'
import { count, mapKeeping } from '../blocks.ts'
import { repairedBy, refusalRule } from './refusal-rule.ts'

export const unreadableResults = refusalRule({
  name: 'unreadable-results',
  row: 29,
  does: "Puts text where encrypted results of the server's tools stood, without their calls and what refers to them.",
  reach: 'messages',
  repair(outgoing) {
    const removed = outgoing.messages.flatMap(blocksOf).filter(isEncrypted)
    if (removed.length === 0) return undefined
    const gone = new Set(removed.map(callIdOf))
    const messages = mapKeeping(outgoing.messages, (message) =>
      withBlocks(
        message,
        blocksOf(message).flatMap((block) => {
          if (isServerCall(block) && gone.has(idOf(block))) return []
          return [isEncrypted(block) ? asText(block) : withoutMention(block, gone)]
        }),
      ),
    )
    const what = `wrote ${count(removed.length, "server tool's result")} as text`
    return repairedBy(this, { ...outgoing, messages }, what, { removed })
  },
})

function isEncrypted(block: Block): boolean {
  const { content } = block
  const parts = isRecord(content) ? [content] : recordsIn(content)
  return isServerResult(block) && parts.some((part) => Object.keys(part).some((name) => name.startsWith('encrypted_')))
}

/** What was found where can still be read. */
function asText({ type, content }: Block): Block {
  const found = recordsIn(content).flatMap(({ title, url }) =>
    typeof url === 'string' ? [`${String(title)} ${url}`] : [],
  )
  const list = found.map((one) => `\n${one}`).join('')
  return textBlock(`[the result of ${type.replace(/_tool_result$/, '')} cannot be read any more]${list}`)
}

function withoutMention(block: Block, gone: ReadonlySet<unknown>): Block {
  const { caller } = block
  if (isRecord(caller) && gone.has(caller['tool_id'])) return without(block, ['caller'])
  const cited = recordsIn(block['citations'])
  const left = cited.filter((one) => !('encrypted_index' in one))
  if (left.length === cited.length) return block
  return left.length > 0 ? { ...block, citations: left } : without(block, ['citations'])
}
