/**
 * Calls and their results: every call is answered once, in the very next message, before anything else; there is no
 * result without a call.
 *
 * 1. A misplaced result is moved to its call. One whose call is nowhere becomes text: what a tool said is not lost.
 * 2. A call without any result gets one that says its outcome is unknown.
 */
import { blocksOf, hasThinking, isCall, isServerCall, isThinking } from '../../journal/message.ts'
import type { Block, Message } from '../../journal/journal.ts'
import { inDoubtResult } from '../../journal/transcript.ts'
import { callIdOf, callIdsOf, idOf, isResult, withBlocks } from '../block-kinds.ts'
import { asEarlierResult } from './places.ts'
import { count } from '../blocks.ts'
import { localRule, messageRule, withoutBlocks, type Mend } from '../rule.ts'

export const uniqueCalls = messageRule(
  { name: 'unique-calls', row: 6, invariant: 'Every tool call has an id of its own.' },
  () => {
    const seen = new Set<string>()
    return (message) => {
      if (message.role !== 'assistant') return undefined
      const before = blocksOf(message)
      const isRepeated = before.map((block) => {
        if (!isCall(block)) return false
        const isSeen = seen.has(idOf(block))
        seen.add(idOf(block))
        return isSeen
      })
      const removed = before.filter((_block, i) => isRepeated[i])
      if (removed.length === 0) return undefined
      const rest = before.filter((_block, i) => !isRepeated[i])
      const instead = rest.every(isThinking) ? [] : [withBlocks(message, rest)]
      return { instead, what: `left out ${count(removed.length, 'repeated call')}`, removed }
    }
  },
)

export const callsLast = messageRule(
  { name: 'calls-last', row: 4, invariant: 'Nothing follows the last tool call of an answer that has results.' },
  ({ messages }) =>
    (message, at) => {
      if (message.role !== 'assistant') return undefined
      const blocks = blocksOf(message)
      const lastCall = blocks.findLastIndex(isCall)
      const removed =
        lastCall < 0 || goesOn(messages, at) ? [] : blocks.slice(lastCall + 1).filter((block) => !isServerCall(block))
      return withoutBlocks(message, removed, `left out ${count(removed.length, 'block')} after a tool call`)
    },
)

/** Rows 1, 2, 3, 5 and 7 are one demand: the message after calls begins with their results, each once. */
export const results = localRule(
  {
    name: 'results',
    row: 1,
    invariant: 'The message after tool calls begins with their results, each once; nothing else is a result.',
  },
  ({ messages }) => {
    const mends: Mend[] = []
    const known = resultsByCall(messages)
    const used = new Set<Block>()
    const calls = new Set(messages.flatMap(callIdsOf))
    const paired: Message[] = []
    for (const [at, message] of messages.entries()) {
      const told = mends.length
      const ids = callsAnsweredAt(messages, at)
      const answersHere = ids.length > 0
      const wanted = answersHere ? ids.map((id) => resultFor(id, message, at)) : []
      const rest = blocksOf(message).flatMap((block) => leftOf(block, at, wanted))
      const content = [...inOrderOf(message, wanted), ...rest]
      const mended = withBlocks(message, content)
      if (mended !== message && mends.length === told)
        mends.push({ message: at, what: 'put the results of calls first' })
      if (content.length > 0 || mended === message) paired.push(mended)
      else mends.push({ message: at, what: 'left out a message whose results were moved' })
      const open = messages[at + 1]?.role === 'user' ? [] : callsUpTo(messages, at)
      if (open.length > 0 && !goesOn(messages, at)) {
        paired.push({ role: 'user', content: open.map((id) => resultFor(id, undefined, at)) })
        mends.push({ message: at, what: `answered ${count(open.length, 'call')} in a message of its own` })
      }
    }
    return { messages: paired, mends }

    /** The result of a call: from the message itself, else from elsewhere, else one that says it is unknown. */
    function resultFor(id: string, message: Message | undefined, at: number): Block {
      const own = message && blocksOf(message).find((block) => isResult(block) && callIdOf(block) === id)
      const found = own ?? known.get(id)?.find((block) => !used.has(block))
      if (found) used.add(found)
      if (!own)
        mends.push({
          message: at,
          what: found ? 'moved a result to its call' : 'answered a call of unknown outcome',
        })
      return found ?? inDoubtResult(id)
    }

    /** What remains of a block in its own place. */
    function leftOf(block: Block, at: number, wanted: readonly Block[]): Block[] {
      if (!isResult(block)) return [block]
      if (wanted.includes(block)) return []
      const id = callIdOf(block)
      // Its call is earlier or later in the transcript: the result is used there, once.
      const isMoved = calls.has(id) && known.get(id)?.[0] === block && !isAnsweredInPlace(id)
      if (isMoved) return []
      const isSecond = calls.has(id)
      mends.push({
        message: at,
        what: isSecond ? 'left out a second result of a call' : 'turned a result whose call is gone into text',
        removed: [block],
      })
      return isSecond ? [] : asEarlierResult(block)
    }

    function isAnsweredInPlace(id: string): boolean {
      return messages.some(
        (message, at) =>
          callsAnsweredAt(messages, at).includes(id) &&
          blocksOf(message).some((block) => isResult(block) && callIdOf(block) === id),
      )
    }
  },
)

/** Whether the API merges the answer with the next one: parallel calls in messages of their own. */
function goesOn(messages: readonly Message[], at: number): boolean {
  const next = messages[at + 1]
  if (messages[at]?.role !== 'assistant' || next?.role !== 'assistant' || hasThinking(next)) return false
  return callIdsOf(next).length > 0 || goesOn(messages, at + 1)
}

/** The calls of the answer at `at`, with those of the earlier messages that are merged with it. */
function callsUpTo(messages: readonly Message[], at: number): string[] {
  const before = goesOn(messages, at - 1) ? callsUpTo(messages, at - 1) : []
  return [...before, ...callIdsOf(messages[at])]
}

/** The calls whose results the message has to begin with. */
function callsAnsweredAt(messages: readonly Message[], at: number): string[] {
  return messages[at]?.role === 'user' ? callsUpTo(messages, at - 1) : []
}

/** The message's own results in their order, if they are all there and first; else the wanted ones. */
function inOrderOf(message: Message, wanted: readonly Block[]): readonly Block[] {
  const own = blocksOf(message).slice(0, wanted.length)
  return wanted.every((block) => own.includes(block)) ? own : wanted
}

function resultsByCall(messages: readonly Message[]): Map<string, Block[]> {
  const known = new Map<string, Block[]>()
  for (const block of messages.flatMap(blocksOf).filter(isResult)) {
    const id = callIdOf(block)
    known.set(id, [...(known.get(id) ?? []), block])
  }
  return known
}
