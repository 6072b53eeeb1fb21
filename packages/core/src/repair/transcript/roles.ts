/** Which role speaks first, last, and in between; and where system messages may stand. */
import { pausesTurn } from '../../journal/answer.ts'
import { blocksOf, hasThinking, isServerCall, isThinking } from '../../journal/message.ts'
import { isRecord } from '../../json.ts'
import { askedToGoOn, systemNotes } from '../../ladder/message-steps.ts'
import { within } from '../../ladder/step.ts'
import type { Block, Message } from '../../journal/journal.ts'
import { callIdsOf, isPaused, isServerResult, setsEffort, textIn, withBlocks } from '../block-kinds.ts'
import type { Outgoing, RepairContext } from '../outgoing.ts'
import { localRule, mendedBy, messageRule, type Mend } from '../rule.ts'

const isSystem = ({ role }: Message) => role === 'system'

export const knownRoles = messageRule(
  { name: 'known-roles', row: 14, invariant: 'A message is from the user, the assistant or the system.' },
  () => (message) => {
    if (/^(user|assistant|system)$/.test(message.role)) return undefined
    const known = { ...message, role: message.role === 'model' ? 'assistant' : 'user' }
    return { instead: [known], what: 'gave a message a role that the API knows' }
  },
)

export const systemPlaces = localRule(
  {
    name: 'system-places',
    row: 15,
    invariant:
      'System messages go only to models that take them, after a user message and before an answer or the end.',
  },
  (outgoing, { card }) => {
    const { messages } = outgoing
    if (!messages.some(isSystem)) return undefined
    if (!card.systemMessages) {
      return mendedBy(systemNotes(outgoing, within(card)))
    }
    const mends: Mend[] = []
    const placed = messages.flatMap((message, at): readonly Message[] => {
      // System messages in a row count as one.
      const before = messages.slice(0, at).findLast((one) => !isSystem(one))
      const after = messages.slice(at + 1).find((one) => !isSystem(one))
      if (!isSystem(message) || setsEffort(message) || (before?.role === 'user' && after?.role !== 'user'))
        return [message]
      mends.push({ message: at, what: 'turned a system message into a user note' })
      return notesOf(message, card)
    })
    return { messages: placed, mends }
  },
)

function notesOf(message: Message, card: RepairContext['card']): readonly Message[] {
  const asked: Outgoing = { params: {}, messages: [message], betas: [] }
  return systemNotes(asked, within({ ...card, systemMessages: false }))?.outgoing.messages ?? []
}

export const firstUser = localRule(
  { name: 'first-user', row: 13, invariant: 'The first message is from the user.' },
  ({ messages }) => {
    const [first] = messages
    if (!first) return { unrepairable: { message: 0, what: 'there is no message' } }
    if (first.role === 'user' || blocksOf(first)[0]?.type === 'compaction') return undefined
    const lead: Message = { role: 'user', content: '(The beginning of this conversation is not there any more.)' }
    return {
      messages: [lead, ...messages],
      mends: [{ message: 0, what: 'put a user message before the first' }],
    }
  },
)

export const mergedAnswers = messageRule(
  {
    name: 'merged-answers',
    row: 14,
    invariant:
      'No answer with thinking, or the mark of another model, follows one with thinking at once, unless that was paused.',
  },
  ({ messages }, { wasPaused }) =>
    (message, at) => {
      const before = messages[at - 1]
      // The API takes both as one answer.
      const isOther = hasThinking(message) || blocksOf(message).some(({ type }) => type === 'fallback')
      if (!before || !hasThinking(before) || !isOther) return undefined
      const last = blocksOf(before).at(-1)
      if (wasPaused?.(before) || (last && (isServerCall(last) || isServerResult(last)))) return undefined
      const between = { role: 'user', content: '(no message)' }
      return { instead: [between, message], what: 'put a user message between two answers' }
    },
)

export const pausedLast = localRule(
  {
    name: 'paused-last',
    row: 27,
    invariant: 'A paused answer comes last, unless somebody said something after it.',
  },
  ({ messages }, { stopReason }) => {
    const at = messages.findLastIndex(({ role }) => role === 'assistant')
    const after = messages.slice(at + 1)
    const isSilent = (block: Block) => block.type === 'text' && textIn(block, 'text').trim() === ''
    const isOver = !pausesTurn({ stop_reason: stopReason }) || callIdsOf(messages[at]).length > 0
    if (isOver || after.length === 0 || !after.every((message) => blocksOf(message).every(isSilent))) return undefined
    const what = 'left out an empty message after a paused answer'
    return { messages: messages.slice(0, at + 1), mends: after.map((_message, n) => ({ message: at + 1 + n, what })) }
  },
)

export const lastMessage = localRule(
  {
    name: 'last-message',
    row: 17,
    invariant: 'The last message is from the user, unless the model can continue its own answer.',
  },
  (outgoing, { card, stopReason }) => {
    const last = outgoing.messages.at(-1)
    if (outgoing.params['compaction'] !== undefined || isPaused(last, stopReason)) return undefined
    if (card.prefill || callIdsOf(last).length > 0) return undefined
    return mendedBy(askedToGoOn(outgoing))
  },
)

export const lastText = localRule(
  { name: 'last-text', row: 16, invariant: 'An answer that the model continues does not end in white space.' },
  ({ messages }, { stopReason }) => {
    const last = messages.at(-1)
    const text = last && blocksOf(last).at(-1)
    if (last?.role !== 'assistant' || text?.type !== 'text' || pausesTurn({ stop_reason: stopReason })) return undefined
    const said = String(text['text'])
    if (said.trimEnd() === said) return undefined
    const trimmed = withBlocks(last, [...blocksOf(last).slice(0, -1), { ...text, text: said.trimEnd() }])
    const whole = typeof last.content === 'string' ? { ...last, content: said.trimEnd() } : trimmed
    return {
      messages: [...messages.slice(0, -1), whole],
      mends: [{ message: messages.length - 1, what: 'left out white space at the end' }],
    }
  },
)

export const lastThinking = localRule(
  {
    name: 'last-thinking',
    row: 22,
    invariant: 'If thinking is disabled, the last answer that the model continues has none.',
  },
  ({ messages, params }, { card }) => {
    const last = messages.at(-1)
    const thinking = params['thinking']
    const isOff = isRecord(thinking) ? thinking['type'] === 'disabled' : !card.thinksByDefault
    if (!isOff || !last || !hasThinking(last)) return undefined
    const blocks = blocksOf(last)
    const rest = blocks.filter((block) => !isThinking(block))
    const mends = [{ message: messages.length - 1, what: 'left out the thinking of the last answer' }]
    if (rest.length === 0) return { messages: messages.slice(0, -1), mends }
    return { messages: [...messages.slice(0, -1), withBlocks(last, rest)], mends }
  },
)
