/**
 * What an answer means: which of its blocks count, which calls are to be run, whether the turn ends with it.
 *
 * 1. A tool call that was cut off never runs: not with half its input, and not with the empty input it began with.
 * 2. A refusal by the model is not a turn: its calls are not handed out and its words are not history.
 */
import { inputsIn, withInputs } from './exact-inputs.ts'
import { assistantMessageSchema, type AssistantMessage, type Block } from './journal.ts'
import { isRecord, without } from '../json.ts'
import { isCall } from './message.ts'
import { isBilled, iterationsIn } from './usage.ts'

/** Stop reasons that cut an answer wherever it was. */
const cutReasons: ReadonlySet<string | null> = new Set(['max_tokens', 'model_context_window_exceeded'])

const refusal = 'refusal'

export const isCut = (stopReason: string | null): boolean => cutReasons.has(stopReason)

/** Whether a call may be incomplete in an answer that ends with `stopReason`: `usablePart` leaves such a call out. */
export const mayBeHalf = (stopReason: string | null, isLast: boolean): boolean =>
  stopReason === refusal || (isLast && isCut(stopReason))

/** The part of an answer that is handed out: no call of a refusal, and no last call that its end may have cut. */
export function usablePart(message: AssistantMessage): AssistantMessage {
  const { content, stop_reason } = message
  const firstCall = content.findIndex(isCall)
  if (isRefusal(message) && firstCall >= 0) return { ...message, content: content.slice(0, firstCall) }
  const last = content.at(-1)
  // Nothing tells whether its input is whole.
  return isCut(stop_reason) && last && isCall(last) ? { ...message, content: content.slice(0, -1) } : message
}

/** The calls that are to be run. */
export function callsOf(message: AssistantMessage): readonly Block[] {
  return isRefusal(message) ? [] : message.content.filter(isCall)
}

export const isRefusal = ({ stop_reason }: AssistantMessage): boolean => stop_reason === refusal

/** The server paused or compacted: the same conversation is sent again, and it goes on. */
export const pausesTurn = ({ stop_reason }: { readonly stop_reason?: string | null | undefined }): boolean =>
  stop_reason === 'pause_turn' || stop_reason === 'compaction'

/** Whether the turn is over with this answer, and ended well. */
export function endsTurn(message: AssistantMessage): boolean {
  return callsOf(message).length === 0 && !isRefusal(message) && !pausesTurn(message)
}

/**
 * How a complete answer falls short: its only call was cut off, a call cannot be read, a call has the id of another
 * one, it is empty (one that pauses, too: sent again at once, it might pause without end), or it reports no cost where
 * earlier answers did: then something on the way has made it up.
 */
export type Shortfall = 'output-cut' | 'broken-call' | 'empty' | 'empty-pause' | 'unbilled' | 'twin-calls'

/** The answers of the conversation before this one. */
export interface EarlierAnswers {
  /** They reported what they cost. */
  readonly isBilled: boolean
  /** One of them has a call of this id. */
  hasCall(toolUseId: string): boolean
}

export function shortfallOf(message: AssistantMessage, earlier: EarlierAnswers): Shortfall | undefined {
  const { content, stop_reason } = message
  // Where the API lists what it did, it may have cost nothing: a compaction that could not begin.
  const isListed = iterationsIn(message.usage).length > 0
  if (earlier.isBilled && !isListed && isBilled(message.usage) === false) return 'unbilled'
  if (firstTwin(content, earlier) >= 0) return 'twin-calls'
  if (content.length === 0 && pausesTurn(message)) return 'empty-pause'
  if (content.length === 0) return stop_reason === 'end_turn' ? 'empty' : undefined
  // A full window stays full for the same request; a token limit can be raised.
  const lostItsCall = stop_reason === 'max_tokens' && callsOf(usablePart(message)).length === 0
  return lostItsCall && usablePart(message) !== message ? 'output-cut' : undefined
}

/**
 * The index of the first call that has the id of a call before it, in this answer or an earlier one; -1 if there is
 * none. Results, and calls that ran, are identified by that id.
 */
export function firstTwin(content: readonly Block[], earlier: Pick<EarlierAnswers, 'hasCall'>): number {
  return content.findIndex(
    (block, at) =>
      isCall(block) &&
      (content.findIndex((other) => isCall(other) && other['id'] === block['id']) < at ||
        earlier.hasCall(String(block['id']))),
  )
}

/** Without a `usage` that is not a record, as some proxies send it: the answer was paid for all the same. */
export function withoutOddUsage<T extends Readonly<Record<string, unknown>>>(message: T): T {
  return isRecord(message['usage']) ? message : without(message, ['usage'])
}

/** The message in `text`, or undefined when it is something else. */
export function messageIn(text: string): AssistantMessage | undefined {
  try {
    // The parsed value, not the schema's copy, whose keys are in another order.
    const message = withoutOddUsage(JSON.parse(text) as AssistantMessage & Record<string, unknown>)
    return assistantMessageSchema().safeParse(message).success ? withInputs(message, inputsIn(text)) : undefined
  } catch {
    return undefined
  }
}
