/**
 * Thinking goes back as it came, or not at all. Only the API can tell from a signature whether thinking was changed or
 * moved: see `refused/thinking.ts`. The rules here need no signature check.
 */
import { isRecord } from '../../json.ts'
import { blocksOf, hasThinking, isThinking, withoutThinking } from '../../journal/message.ts'
import type { Block } from '../../journal/journal.ts'
import { beginsWithThinking } from '../../ladder/message-steps.ts'
import { mapKeeping } from '../blocks.ts'
import { originalsOf } from './edits.ts'
import { thinkingTurnedOff } from '../request/thinking-off.ts'
import { localRule } from '../rule.ts'

const isUnsigned = (block: Block) =>
  isThinking(block) && !(block.type === 'thinking' ? block['signature'] : block['data'])

export const signedThinking = localRule(
  { name: 'signed-thinking', row: 19, invariant: 'Thinking has the signature that it came with.' },
  ({ messages }, { recorded }) => {
    const isBroken = (at: number) => {
      const message = messages[at]
      return message?.role === 'assistant' && blocksOf(message).some(isUnsigned)
    }
    const broken = messages.flatMap((_message, at) => (isBroken(at) ? [at] : []))
    if (broken.length === 0) return undefined
    const originals = recorded ? originalsOf(messages, recorded) : []
    const raw = broken.map((at) => originals[at])
    if (raw.every((message) => message?.role === 'assistant' && !blocksOf(message).some(isUnsigned))) {
      const restored = messages.map((message, at) => raw[broken.indexOf(at)] ?? message)
      return {
        messages: restored,
        mends: broken.map((at) => ({ message: at, what: 'restored an answer from the record' })),
      }
    }
    const removed = messages.filter(hasThinking).length
    return {
      messages: mapKeeping(messages, withoutThinking),
      mends: [
        { message: broken[0] ?? 0, what: `left out the thinking of ${removed} answers: some of it was unfinished` },
      ],
    }
  },
)

export const thinkingFirst = localRule(
  { name: 'thinking-first', row: 21, invariant: 'Where thinking is enabled, the open turn begins with it.' },
  ({ messages, params }, { card }) => {
    const { thinking } = params
    if (!isRecord(thinking) || thinking['type'] !== 'enabled' || beginsWithThinking(messages)) return undefined
    const off = thinkingTurnedOff(params, card)
    return off ? { params: off, mends: [{ what: 'thinking is off until the turn ends' }] } : undefined
  },
)
