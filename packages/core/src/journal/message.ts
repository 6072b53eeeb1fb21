/** What a message is made of: its blocks, their kinds, and what is left without its thinking. Pure. */
import { LastgoodError } from '../errors.ts'
import type { Block, Message } from './journal.ts'
import { areBlocks, isText } from './surely.ts'

/** Errors: `bad-option` where `content`, which the caller calls `what`, cannot be the content of a message. */
export function assertContent(content: unknown, what: string): asserts content is string | Block[] {
  if (isText(content) || areBlocks(content)) return
  throw new LastgoodError('bad-option', `${what} is neither a string nor a list of content blocks`, {
    hint: `pass a string, or blocks as in ${what}: [{ type: 'text', text: 'Go on' }]`,
    details: { field: what },
  })
}

/** A plain string is one text block. */
export function blocksOf({ content }: Message): readonly Block[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content
}

/** The one of `replaced` that `message` came from: of its role, the one that shares the most blocks, else the last. */
export function originOf(message: Message, replaced: readonly Message[]): Message | undefined {
  const has = new Set(blocksOf(message).map((block) => JSON.stringify(block)))
  const shared = (one: Message) => blocksOf(one).filter((block) => has.has(JSON.stringify(block))).length
  return replaced
    .filter(({ role }) => role === message.role)
    .reduce<Message | undefined>((best, one) => (best && shared(best) > shared(one) ? best : one), undefined)
}

export const isCall = ({ type }: Block): boolean => type === 'tool_use'
/** Of a tool that the server runs: its result comes in the same answer, or in one that goes on from it. */
export const isServerCall = ({ type }: Block): boolean => type.endsWith('_tool_use')
export const isThinking = ({ type }: Block): boolean => type === 'thinking' || type === 'redacted_thinking'

export const hasThinking = (message: Message): boolean =>
  message.role === 'assistant' && blocksOf(message).some(isThinking)

/** Takes the place of an answer that was nothing but thinking: no message may be empty. */
const onlyThinking: Block = { type: 'text', text: '(no text)' }

/** `message` itself where it has none. */
export function withoutThinking(message: Message): Message {
  if (!hasThinking(message)) return message
  const content = blocksOf(message).filter((block) => !isThinking(block))
  return { ...message, content: content.length > 0 ? content : [onlyThinking] }
}

/** The API leaves out what stands before the last summary: https://platform.claude.com/docs/en/build-with-claude/compaction */
export function withoutSummedUp(messages: readonly Message[]): readonly Message[] {
  const at = messages.findLastIndex((message) => blocksOf(message).some(sumsUp))
  const last = messages[at]
  if (!last) return messages
  const blocks = blocksOf(last)
  return [{ ...last, content: blocks.slice(blocks.findLastIndex(sumsUp)) }, ...messages.slice(at + 1)]
}

/** One without content is of a compaction that failed. */
export const sumsUp = ({ type, content }: Block): boolean => type === 'compaction' && typeof content === 'string'

/** A compaction that the server made on its own has no signature, and stands after what it sums up. */
export const isAskedFor = ({ signature }: Block): boolean => typeof signature === 'string'

/** How much of an interrupted answer is quoted, in characters. */
const quotedTail = 200

/** Asks for the rest of an answer that broke off: https://platform.claude.com/docs/en/build-with-claude/streaming */
export function goOnAfter(said: readonly Block[]): Message {
  const text = said.map((block) => (block.type === 'text' ? String(block['text']) : '')).join('')
  const tail = text.slice(-quotedTail).toWellFormed()
  const ended = tail === '' ? '' : ` and ended with "${tail}"`
  return { role: 'user', content: `Your previous response was interrupted${ended}. Continue from where you left off.` }
}
