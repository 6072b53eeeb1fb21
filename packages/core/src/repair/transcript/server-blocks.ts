/**
 * Blocks of what the server did: calls of its own tools, compaction, other models that stepped in. They are taken back
 * only whole and where they stood.
 */
import type { Block, Message } from '../../journal.ts'
import {
  blocksOf,
  callIdOf,
  idOf,
  isCall,
  isPaused,
  isResult,
  isServerCall,
  isServerResult,
  withBlocks,
} from './blocks-of.ts'
import { count, isRecord, isThinking, mapBlocks, recordsIn } from '../request/blocks.ts'
import { localRule, type Mend } from '../rule.ts'

const waitsForClient = (message: Message | undefined) => message !== undefined && blocksOf(message).some(isCall)

export const serverPairs = localRule(
  {
    name: 'server-pairs',
    row: 25,
    invariant: "A call of a server's tool and its result stand in the same answer, or in the next after client tools.",
  },
  ({ messages }, { stopReason }) => {
    const mends: Mend[] = []
    const mended = messages.map((message, at): Message => {
      if (message.role !== 'assistant') return message
      const turn = turnAt(messages, at)
      const blocks = blocksOf(message)
      const isLastTurn = !messages.slice(at + 1).some((one) => one.role !== 'assistant')
      if (isLastTurn && isPaused(message, stopReason)) return message
      const [previous, following] = [answerBefore(messages, at), answerAfter(messages, at)]
      const answered = new Set(turn.filter(isServerResult).map(callIdOf))
      const answeredLater = new Set((following ?? []).filter(isServerResult).map(callIdOf))
      const asked = new Set([
        ...turn.filter(isServerCall).map(idOf),
        ...(previous?.some(isCall) ? previous.filter(isServerCall).map(idOf) : []),
      ])
      const mayWait = waitsForClient(message) && onlyResults(messages[at + 1])
      const unpaired = blocks.filter((block) => {
        if (isServerCall(block) && !answered.has(idOf(block))) {
          return !(mayWait && (following === undefined || answeredLater.has(idOf(block))))
        }
        return isServerResult(block) && !asked.has(callIdOf(block))
      })
      if (unpaired.length === 0) return message
      const what = `left out ${count(unpaired.length, 'block')} of a server tool without its other half`
      mends.push({ message: at, what, removed: unpaired })
      const rest = blocks.filter((block) => !unpaired.includes(block))
      return withBlocks(
        message,
        rest.some((block) => !isThinking(block)) ? rest : [...rest, { type: 'text', text: '(no text)' }],
      )
    })
    return { messages: mended, mends }
  },
)

const onlyResults = (message: Message | undefined) => message === undefined || blocksOf(message).every(isResult)

/** The blocks of the answers in a row that the message is one of: the API takes them for one. */
function turnAt(messages: readonly Message[], at: number): Block[] {
  const from = messages.slice(0, at).findLastIndex(({ role }) => role !== 'assistant') + 1
  const length = messages.slice(at).findIndex(({ role }) => role !== 'assistant')
  return messages.slice(from, length < 0 ? undefined : at + length).flatMap(blocksOf)
}

function answerBefore(messages: readonly Message[], at: number): Block[] | undefined {
  const border = messages.slice(0, at).findLastIndex(({ role }) => role !== 'assistant')
  const last = messages.slice(0, Math.max(0, border)).findLastIndex(({ role }) => role === 'assistant')
  return last < 0 ? undefined : turnAt(messages, last)
}

function answerAfter(messages: readonly Message[], at: number): Block[] | undefined {
  const border = messages.slice(at).findIndex(({ role }) => role !== 'assistant')
  const next = border < 0 ? -1 : messages.slice(at + border).findIndex(({ role }) => role === 'assistant')
  return next < 0 ? undefined : turnAt(messages, at + border + next)
}

export const references = localRule(
  {
    name: 'references',
    row: 29,
    invariant: 'What a block refers to is there: the call that made it, the tool it names.',
  },
  ({ messages, params }) => {
    const calls = new Set<unknown>(
      messages.flatMap((message) =>
        blocksOf(message)
          .filter((b) => isServerCall(b) || isCall(b))
          .map(idOf),
      ),
    )
    const tools = new Set(recordsIn(params['tools']).map((tool) => tool['name']))
    const mends: Mend[] = []
    const mended = mapBlocks(messages, (block, { message }) => {
      const caller = block['caller']
      if (isRecord(caller) && caller['tool_id'] !== undefined && !calls.has(caller['tool_id'])) {
        mends.push({ message, what: 'left out the mention of a caller that is gone' })
        const { caller: _caller, ...rest } = block
        return rest
      }
      if (block.type !== 'tool_reference' || tools.has(block['tool_name'])) return block
      mends.push({ message, what: 'left out the mention of a tool that is gone', removed: [block] })
      return { type: 'text', text: '[a tool that is not there any more]' }
    })
    return { messages: mended, mends }
  },
)

export const compactions = localRule(
  { name: 'compactions', row: 40, invariant: 'A compaction that was asked for is one, has content, and comes first.' },
  ({ messages }) => {
    const mends: Mend[] = []
    const isAskedFor = (block: Block) =>
      block.type === 'compaction' &&
      typeof block['content'] === 'string' &&
      (typeof block['signature'] === 'string' || typeof block['encrypted_content'] !== 'string')
    const mended = messages.flatMap((message, at): Message[] => {
      const blocks = blocksOf(message)
      const bad = blocks.filter((block, i) => isAskedFor(block) && (block['content'] === '' || at > 0 || i > 0))
      if (bad.length === 0) return [message]
      mends.push({
        message: at,
        what: `left out ${count(bad.length, 'compaction')} behind what it sums up`,
        removed: bad,
      })
      const rest = blocks.filter((block) => !bad.includes(block))
      return rest.length > 0 ? [withBlocks(message, rest)] : []
    })
    return { messages: mended, mends }
  },
)

export const fallbacks = localRule(
  {
    name: 'fallbacks',
    row: 42,
    invariant: 'Before the mark of another model stands nothing of the one that declined.',
  },
  ({ messages }) => {
    const mends: Mend[] = []
    const mended = messages.map((message, at): Message => {
      const blocks = blocksOf(message)
      const border = blocks.findLastIndex(({ type }) => type === 'fallback')
      const bad = blocks.slice(0, Math.max(0, border)).filter((block) => isThinking(block) || isCall(block))
      if (message.role !== 'assistant' || bad.length === 0) return message
      mends.push({
        message: at,
        what: `left out ${count(bad.length, 'block')} of the model that declined`,
        removed: bad,
      })
      return withBlocks(
        message,
        blocks.filter((block) => !bad.includes(block)),
      )
    })
    return { messages: mended, mends }
  },
)
