/**
 * Server-side compaction, for a model or an endpoint that has none: a conversation with summaries may come to it from
 * one that has. https://platform.claude.com/docs/en/build-with-claude/compaction#supported-models
 */
import { blocksOf, sumsUp, withoutSummedUp } from '../../journal/message.ts'
import { withoutEdits } from '../../ladder/thinking-steps.ts'
import type { Block, Message } from '../../journal/journal.ts'
import { textBlock } from '../block-kinds.ts'
import { repairedBy, refusalRule } from './refusal-rule.ts'

export const compactionAsText = refusalRule({
  name: 'compaction-as-text',
  row: 40,
  does: 'Writes the last summary as text, without what it sums up, and asks for no other.',
  reach: 'model',
  repair(outgoing) {
    const { params, betas } = outgoing
    // Any other model would answer in place of the summary that was asked for.
    if (params['compaction'] !== undefined) return undefined
    const messages = asText(outgoing.messages)
    const kept = withoutEdits(params, 'compact_')
    if (messages === outgoing.messages && kept === params) return undefined
    const left = betas.filter((beta) => !beta.startsWith('compact-'))
    const now = { ...outgoing, params: kept, messages, betas: left.length < betas.length ? left : betas }
    return repairedBy(this, now, messages === outgoing.messages ? 'asked for no compaction' : 'wrote a summary as text')
  },
})

const isCompaction = ({ type }: Block): boolean => type === 'compaction'

function asText(messages: readonly Message[]): readonly Message[] {
  if (!messages.some((message) => blocksOf(message).some(isCompaction))) return messages
  const [first, ...after] = withoutSummedUp(messages)
  const summary = first && blocksOf(first).find(sumsUp)
  const said = summary && textBlock(`The conversation so far, summed up:\n\n${String(summary['content'])}`)
  const rest = [first, ...after].flatMap((message) => (message ? withoutCompactions(message) : []))
  return said ? [{ role: 'user', content: [said] }, ...rest] : rest
}

function withoutCompactions(message: Message): Message[] {
  const blocks = blocksOf(message)
  const kept = blocks.filter((block) => !isCompaction(block))
  if (kept.length === blocks.length) return [message]
  return kept.length > 0 ? [{ ...message, content: kept }] : []
}
