/**
 * Repair of a transcript that is kept elsewhere than in a journal: in a file, by another program.
 *
 * 1. A repair uses only what is stored with the transcript. A beta header is not, so where an edit precedes thinking
 *    that is signed against the edited messages, all thinking goes: the API cannot be asked to leave out what does not
 *    fit.
 * 2. A transcript that ends with an answer is whole: the next message is still to come. With `isRequest` it is sent as
 *    it is.
 * 3. What is sound comes back as the very objects that came in.
 */
import type { Message } from '../journal/journal.ts'
import { cardOf } from '../ladder/built-in-cards.ts'
import { permissive } from '../ladder/model-card.ts'
import { blocksOf } from '../journal/message.ts'
import type { Repair, Unrepairable } from './outgoing.ts'
import { isUnbound, stripNote, stripped } from './request/kept-signatures.ts'
import { repairOutgoing } from './transcript/repair-transcript.ts'

export interface StoredTranscript {
  readonly messages: readonly Message[]
  /** The request body without its messages. Default: unknown, so no rule about it applies. */
  readonly params?: Readonly<Record<string, unknown>>
  /** The model that the transcript goes to. Default: that of `params`, else a current large one. */
  readonly model?: string
  readonly isRequest?: boolean
}

export interface RepairedTranscript {
  readonly messages: readonly Message[]
  readonly params: Readonly<Record<string, unknown>>
  /** With indexes into the messages that came in. */
  readonly repairs: readonly Repair[]
  readonly unrepairable?: Unrepairable
}

/** Stands for the user message that will come next. */
export const next: Message = { role: 'user', content: '(next)' }

/** The transcript as the API takes it, and what was repaired; pure. What no rule repairs is in `unrepairable`. */
export function repairTranscript({
  messages,
  params = {},
  model,
  isRequest = false,
}: StoredTranscript): RepairedTranscript {
  const named = model ?? (typeof params['model'] === 'string' ? params['model'] : undefined)
  const card = permissive(cardOf(named ?? 'claude-opus-5-5'))
  // With preserved thinking the rules would use `drop_block`, which needs a header.
  const known = { card: { ...card, preservedThinking: false } }
  const isWhole = !isRequest && endsWithAnswer(messages)
  const before = { params, messages: isWhole ? [...messages, next] : messages, betas: [] }
  const first = repairOutgoing(before, known)
  if (first.unrepairable) return { messages, params, repairs: [], unrepairable: first.unrepairable }
  let { outgoing, repairs } = first
  if (isUnbound(before, outgoing, card)) {
    const second = repairOutgoing(stripped(outgoing), known)
    outgoing = second.outgoing
    // Places are left out: they refer to the list between the two repairs.
    repairs = [...repairs, stripNote, ...second.repairs.map(({ message: _place, ...one }) => one)]
  }
  if (repairs.length === 0) return { messages, params, repairs }
  const kept = isWhole ? withoutNext(outgoing.messages) : outgoing.messages
  if (kept.length > 0) return { messages: kept, params: outgoing.params, repairs: repairs.map(placedIn(messages)) }
  const { rule } = repairs[0] as Repair
  return {
    messages,
    params,
    repairs: [],
    unrepairable: { rule, message: 0, what: 'nothing of it would be left', soundMessages: 0 },
  }
}

/** Removes the placeholder; what a rule put into its message, such as the result of an open call, stays. */
function withoutNext(messages: readonly Message[]): readonly Message[] {
  const last = messages.at(-1)
  if (!last || last.role !== 'user') return messages
  const blocks = blocksOf(last)
  const own = blocks.at(-1)
  if (own?.type !== 'text' || own['text'] !== next.content) return messages
  const left = blocks.slice(0, -1)
  return [...messages.slice(0, -1), ...(left.length > 0 ? [{ ...last, content: left }] : [])]
}

/** Drops the place of a repair if it is that of the placeholder. */
const placedIn =
  (messages: readonly Message[]) =>
  (repair: Repair): Repair => {
    const { message, ...rest } = repair
    return message === undefined || message < messages.length ? repair : rest
  }

/** Whether the last message is an answer with nothing pending. */
function endsWithAnswer(messages: readonly Message[]): boolean {
  const last = messages.at(-1)
  if (last?.role !== 'assistant') return false
  return !/_tool_result$|tool_use$/.test(blocksOf(last).at(-1)?.type ?? '')
}
