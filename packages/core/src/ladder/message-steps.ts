/**
 * Changes to the messages that another model does not accept.
 *
 * 1. An unchanged message stays the same object.
 * 2. The same messages for the same model give the same result, and an earlier message is never changed because of a
 *    later one: the prefix that the other model's thinking and cache are bound to stays.
 */
import type { Block, Message } from '../journal/journal.ts'
import {
  blocksOf,
  goOnAfter,
  hasThinking,
  isCall,
  isServerCall,
  isThinking,
  withoutThinking,
} from '../journal/message.ts'
import { isSameModel } from './model-card.ts'
import type { Outgoing } from '../repair/outgoing.ts'
import type { Step } from './step.ts'

/**
 * Models without preserved thinking refuse the thinking of others. They also refuse thinking that is left in only part
 * of a turn, so the thinking of a whole turn goes, or none.
 * https://platform.claude.com/docs/en/build-with-claude/preserved-thinking
 */
export const foreignThinking: Step = (outgoing, { from, to, madeBy }) => {
  if (to.preservedThinking) return undefined
  const isForeign = (message: Message) => hasThinking(message) && !isSameModel(madeBy(message) ?? from.id, to.id)
  const stripped = new Set(
    assistantTurns(outgoing.messages)
      .filter((turn) => turn.some(isForeign))
      .flat(),
  )
  const affected = [...stripped].filter(hasThinking).length
  if (affected === 0) return undefined
  const messages = outgoing.messages.map((message) => (stripped.has(message) ? withoutThinking(message) : message))
  const what = `left out the thinking of ${affected} messages`
  const last = outgoing.messages.at(-1)
  const isCut = last && stripped.has(last) && !blocksOf(last).some(isCall)
  const left = { ...outgoing, messages }
  return { outgoing: isCut ? goingOnAfterCut(left) : left, what }
}

/**
 * The server goes on with a paused answer only if it gets it back unchanged: after one that has lost something, the model
 * is asked to.
 */
export function goingOnAfterCut(outgoing: Outgoing): Outgoing {
  const left = { ...outgoing, messages: withoutPending(outgoing.messages) }
  return askedToGoOn(left)?.outgoing ?? left
}

/** Without the calls of the server's tools in the last turn that have no result. */
function withoutPending(messages: readonly Message[]): Message[] {
  const turn = assistantTurns(messages).at(-1) ?? []
  const answered = new Set(turn.flatMap(blocksOf).map((block) => block['tool_use_id']))
  const isPending = (block: Block) => isServerCall(block) && !answered.has(block['id'])
  return messages.flatMap((message) => {
    if (!turn.includes(message) || !blocksOf(message).some(isPending)) return [message]
    const content = blocksOf(message).filter((block) => !isPending(block))
    return content.length > 0 ? [{ ...message, content }] : []
  })
}

/** https://platform.claude.com/docs/en/build-with-claude/effort-per-message */
export const messageEffort: Step = (outgoing, { to }) => {
  const setting = outgoing.messages.filter((message) => message['output_config'] !== undefined)
  if (to.messageEffort || setting.length === 0) return undefined
  const messages = outgoing.messages.flatMap((message) => {
    const { output_config: effort, ...rest } = message
    if (effort === undefined) return [message]
    return message.content.length === 0 ? [] : [rest]
  })
  return { outgoing: { ...outgoing, messages }, what: `left out the effort that ${setting.length} messages set` }
}

/** https://platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages */
export const systemNotes: Step = (outgoing, { to }) => {
  if (to.systemMessages || !outgoing.messages.some(isSystem)) return undefined
  const messages = outgoing.messages.flatMap((message) => (isSystem(message) ? asNote(message) : [message]))
  const count = outgoing.messages.filter(isSystem).length
  return { outgoing: { ...outgoing, messages }, what: `${count} system messages became user notes` }
}

/**
 * Quotes an unfinished answer to a model that cannot continue it as a prefill.
 * https://platform.claude.com/docs/en/build-with-claude/streaming#error-recovery
 */
export const prefill: Step = (outgoing, { to, wasPaused }) => {
  const last = outgoing.messages.at(-1)
  return to.prefill || !last || awaitsResults(last) || wasPaused?.(last) ? undefined : askedToGoOn(outgoing)
}

/** The same for an answer known to be unfinished, however it ends; undefined if the last message is no answer. */
export function askedToGoOn(outgoing: Outgoing): ReturnType<Step> {
  const last = outgoing.messages.at(-1)
  if (last?.role !== 'assistant') return undefined
  const messages =
    last.content.length === 0 ? outgoing.messages.slice(0, -1) : [...outgoing.messages, goOnAfter(blocksOf(last))]
  return { outgoing: { ...outgoing, messages }, what: 'asked the model to continue the unfinished answer at the end' }
}

/** Whether the last run of assistant messages begins with thinking; it counts only if it calls tools or comes last. */
export function beginsWithThinking(messages: readonly Message[]): boolean {
  const turn = assistantTurns(messages).at(-1)
  if (!turn) return true
  const blocks = turn.flatMap(blocksOf)
  const counts = turn.at(-1) === messages.at(-1) || blocks.some(isCall)
  return !counts || (blocks[0] !== undefined && isThinking(blocks[0]))
}

export function endsWithThinking(messages: readonly Message[]): boolean {
  const last = messages.at(-1)
  return last?.role === 'assistant' && hasThinking(last)
}

/** Runs of consecutive assistant messages: the API takes each as one. */
export function assistantTurns(messages: readonly Message[]): Message[][] {
  const turns: Message[][] = []
  messages.forEach((message, at) => {
    if (message.role !== 'assistant') return
    if (messages[at - 1]?.role === 'assistant') turns.at(-1)?.push(message)
    else turns.push([message])
  })
  return turns
}

/** Only text is kept: other blocks, such as an added tool, have no place in a user message. */
function asNote(message: Message): Message[] {
  const texts = blocksOf(message).filter(({ type }) => type === 'text')
  const content = texts.map((block) => ({
    ...block,
    text: `<system-note>\n${String(block['text'])}\n</system-note>`,
  }))
  return content.length > 0 ? [{ ...message, role: 'user', content }] : []
}

/** Whether a server tool is running or the client's results are missing: nothing may follow such a message. */
function awaitsResults(message: Message): boolean {
  const blocks = blocksOf(message)
  const last = blocks.at(-1)?.type ?? ''
  return last === 'server_tool_use' || last.endsWith('_tool_result') || blocks.some(isCall)
}

const isSystem = ({ role }: Message) => role === 'system'
