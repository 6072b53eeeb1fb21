/**
 * Repair of a transcript that is kept somewhere else than in a journal: in a file, by another program.
 *
 * 1. Only what is kept with it can mend it. A beta header is not, so where an edit lies before thinking that is signed
 *    against it, all thinking goes: the API cannot be asked to leave out what does not fit.
 * 2. One that ends with an answer is whole: somebody will speak next. `isRequest`: it is sent as it stands.
 * 3. What is sound comes back as the very objects that came in.
 */
import type { Message } from '../journal/journal.ts'
import { cardOf } from '../ladder/built-in-cards.ts'
import { permissive } from '../ladder/model-card.ts'
import { blocksOf, hasThinking, withoutThinking } from '../journal/message.ts'
import type { Repair, Unrepairable } from './outgoing.ts'
import { mapKeeping } from './request/blocks.ts'
import { repairOutgoing } from './transcript/repair-transcript.ts'

export interface StoredTranscript {
  readonly messages: readonly Message[]
  /** The request body without its messages. Default: unknown, so nothing is asked of it. */
  readonly params?: Readonly<Record<string, unknown>>
  /** The model that it goes to. Default: that of `params`, else a current large one. */
  readonly model?: string
  readonly isRequest?: boolean
}

export interface RepairedTranscript {
  readonly messages: readonly Message[]
  readonly params: Readonly<Record<string, unknown>>
  /** With indexes of the messages that came in. */
  readonly repairs: readonly Repair[]
  readonly unrepairable?: Unrepairable
}

/** Stands for what somebody will say next. */
const next: Message = { role: 'user', content: '(next)' }

export function repairTranscript({
  messages,
  params = {},
  model,
  isRequest = false,
}: StoredTranscript): RepairedTranscript {
  const named = model ?? (typeof params['model'] === 'string' ? params['model'] : undefined)
  const card = permissive(cardOf(named ?? 'claude-opus-5-5'))
  // The way that this card rules out here needs a header.
  const known = { card: { ...card, preservedThinking: false } }
  const isWhole = !isRequest && endsWithAnswer(messages)
  const before = { params, messages: isWhole ? [...messages, next] : messages, betas: [] }
  const first = repairOutgoing(before, known)
  if (first.unrepairable) return { messages, params, repairs: [], unrepairable: first.unrepairable }
  let { outgoing, repairs } = first
  const change = outgoing.messages.findIndex((message, at) => message !== before.messages[at])
  if (card.preservedThinking && change >= 0 && outgoing.messages.slice(change).some(hasThinking)) {
    const stripped = { ...outgoing, messages: mapKeeping(outgoing.messages, withoutThinking) }
    const note: Repair = {
      rule: 'strip-thinking',
      row: 19,
      what: 'left out all thinking, since a message before it was changed',
    }
    const second = repairOutgoing(stripped, known)
    outgoing = second.outgoing
    // Their places are those of the list in between.
    repairs = [...repairs, note, ...second.repairs.map(({ message: _place, ...one }) => one)]
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

/** What was put into the placeholder, as the result of a call that turned out to be open, stays. */
function withoutNext(messages: readonly Message[]): readonly Message[] {
  const last = messages.at(-1)
  if (!last || last.role !== 'user') return messages
  const blocks = blocksOf(last)
  const own = blocks.at(-1)
  if (own?.type !== 'text' || own['text'] !== next.content) return messages
  const left = blocks.slice(0, -1)
  return [...messages.slice(0, -1), ...(left.length > 0 ? [{ ...last, content: left }] : [])]
}

/** Without a place that is the placeholder's. */
const placedIn =
  (messages: readonly Message[]) =>
  (repair: Repair): Repair => {
    const { message, ...rest } = repair
    return message === undefined || message < messages.length ? repair : rest
  }

/** Nothing is pending in it. */
function endsWithAnswer(messages: readonly Message[]): boolean {
  const last = messages.at(-1)
  if (last?.role !== 'assistant') return false
  return !/_tool_result$|tool_use$/.test(blocksOf(last).at(-1)?.type ?? '')
}
