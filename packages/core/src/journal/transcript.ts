/**
 * The conversation as a fold of the journal: what was sent and received, the keys in their original order.
 *
 * 1. Messages are kept as they came; what goes out again serialises to the same bytes (P4). Only cache markers are left
 *    out: they belong to one request, are not part of the prefix, and a request may have at most four.
 * 2. The results of one response become one user message, in the order of its calls, once all are there.
 * 3. What the API would refuse in a history is left out: an answer without content, a refused turn's words.
 * 4. A call without a result never goes out unanswered: `conversation` closes it with a result that says so.
 * 5. Repairs lie over the messages and change none of them: `edits` says what goes out in their place.
 */
import { callsOf, isRefusal, pausesTurn } from './answer.ts'
import type { AssistantMessage, Block, Edit, Entry, Envelope, InDoubt, Message } from './journal.ts'
import { blocksOf, isCall, originOf } from './message.ts'
import { RecordedSteps } from './recorded-steps.ts'
import { RungRepairs } from './rung-repairs.ts'
import { isBilled } from './usage.ts'

/** A tool call of the last response. */
export interface ToolCall {
  toolUseId: string
  name: string
  input: unknown
  state: 'open' | 'started' | 'finished'
  /** The session that it was first started in, where known: after an import under a new name it is another one. */
  startedIn?: string | undefined
  /** The rule of its tool when it was started; the code that runs now decides by its own. */
  rule?: InDoubt | undefined
}

/** A turn's place in the list of messages: from `from` up to, not including, `to`; `to` is absent while it is open. */
export interface TurnSpan {
  turn: number
  from: number
  to?: number
  /** Of its last answer. */
  stopReason?: string | null
}

const inDoubtText =
  'Interrupted: this tool call was started, but its outcome is unknown. It was not repeated. ' +
  'Verify what it did before you repeat it.'

/** The result that tells the model that a call's outcome is unknown. */
export function inDoubtResult(toolUseId: string): Block {
  return { type: 'tool_result', tool_use_id: toolUseId, is_error: true, content: inDoubtText }
}

export class Transcript {
  readonly messages: Message[] = []
  turns: TurnSpan[] = []
  envelope: Envelope | undefined
  /** The agent whose envelope it is, once the API has answered under it; undefined for a caller's own loop. */
  envelopeAgent: string | undefined
  #sentBy: string | undefined
  /** The agent that runs the last turn; undefined for a caller's own loop. */
  agent: string | undefined
  /** By the API's message id of each response, the number of messages up to and including it. */
  readonly responses = new Map<string, number>()
  /** What goes out in place of recorded messages, in their order and without overlap. */
  edits: readonly Edit[] = []
  /** Repair rules for the request as a whole, applied to every later request for the same model. */
  standing: readonly { readonly rule: string; readonly model: string | undefined }[] = []
  /** How many messages the API has accepted; what it refuses is among those after them. */
  accepted = 0
  /** The last answer as the API gave it; the conversation may have gone on, or back, since then. */
  lastAnswer: AssistantMessage | undefined
  /** When it came, epoch ms. */
  answeredAt: number | undefined
  /** When its current or last wait began, epoch ms. */
  waitsSince: number | undefined
  /** Answers of the model that was asked for have reported their cost; another endpoint may report none. */
  isBilled = false
  #rung = 0
  /** The models that made its answers. */
  readonly models = new Set<string>()
  /** Of each answer, and of what goes out in its place. */
  readonly #origins = new WeakMap<Message, { readonly model: string; readonly stopReason?: string | null }>()
  #calls: ToolCall[] = []
  /** The call ids of all answers, even those taken back: most ids are new, which this tells without a search. */
  readonly #callIds = new Set<unknown>()
  #results = new Map<string, Block>()
  /** How often the conversation has changed, including changes that were taken back. */
  changes = 0
  /**
   * Where it stands for steps: the value of `changes` when it was last answered or rewound, or had all results of an
   * answer. What the caller adds or rephrases is recorded with the request and leaves the place as it is, so that a
   * loop that starts again asks for its steps after that as before; the answer ends the place. No place occurs twice.
   */
  place = 0
  /** Steps of the caller's own. */
  readonly steps = new RecordedSteps()
  readonly rungRepairs = new RungRepairs()

  /** `sessionId`: the session whose journal it is in; another one's for the entries that a fork inherited. */
  apply(entry: Entry, sessionId?: string): void {
    this.steps.apply(entry, sessionId, this.place)
    this.rungRepairs.apply(entry, this.messages.length)
    switch (entry.type) {
      case 'envelope-changed':
        this.envelope = entry.envelope
        this.#sentBy = this.agent
        this.envelopeAgent = undefined
        break
      case 'turn-started':
        this.#closeTurn()
        this.#rung = 0
        this.turns.push({ turn: entry.turn, from: this.messages.length })
        this.agent = entry.agent
        this.#add(entry.messages)
        break
      case 'turn-continued':
        this.#add(entry.messages)
        break
      case 'response-received':
        this.#addAnswer(entry.message)
        this.answeredAt = entry.at
        break
      case 'fault-observed':
      case 'request-held':
        this.waitsSince = entry.at
        break
      case 'rung-changed':
        this.#rung = entry.rung
        break
      case 'transcript-repaired':
        this.#repair(entry.edits, entry.standing)
        break
      case 'repairs-reverted':
        this.edits = []
        this.standing = []
        break
      case 'tool-started':
        this.#change(entry.toolUseId, ({ startedIn = sessionId }) => ({
          state: 'started',
          startedIn,
          rule: entry.inDoubt,
        }))
        break
      case 'tool-finished':
        this.#change(entry.toolUseId, () => ({ state: 'finished' }))
        this.#results.set(entry.toolUseId, entry.result)
        if (this.unanswered.length > 0) break
        this.#add([{ role: 'user', content: this.#orderedResults() }])
        this.#leavePlace()
        break
      case 'session-imported':
        this.#calls = this.#calls.map((call) => startedUnder(call, sessionId, entry.sessionId))
        break
      case 'turn-ended':
        this.#closeTurn()
        break
      case 'rewound': {
        this.#rung = 0
        const undone = this.messages.splice(entry.messages)
        this.edits = this.edits.filter(({ from, to }) => from < entry.messages && to <= entry.messages)
        this.accepted = Math.min(this.accepted, entry.messages)
        for (const [id, count] of this.responses) if (count > entry.messages) this.responses.delete(id)
        this.turns = this.turns.filter((span) => span.from < entry.messages).map((span) => cutAt(span, entry.messages))
        // A history that was replaced as a whole: its turns are counted, their messages are gone.
        if (entry.messages === 0 && entry.lastGoodTurn > 0) this.turns = [{ turn: entry.lastGoodTurn, from: 0, to: 0 }]
        if (entry.turn > (this.turns.at(-1)?.turn ?? 0)) this.turns.push({ turn: entry.turn, from: entry.messages })
        this.#forgetCalls()
        // Otherwise the turn is still open, and the caller has only rephrased its own words.
        if (entry.turn === entry.lastGoodTurn || undone.some(({ role }) => role === 'assistant')) this.#leavePlace()
        break
      }
      default: // the rest says nothing of the conversation
    }
  }

  /** Whether the first `count` messages have an answer of the API, not only some that the caller brought. */
  hasAnswerWithin(count: number): boolean {
    return [...this.responses.values()].some((upTo) => upTo <= count)
  }

  /** Calls of the last response that have no result. */
  get unanswered(): readonly ToolCall[] {
    return this.#calls.filter((call) => call.state !== 'finished')
  }

  /** Whether an answer has a call of this id. */
  hasCall(toolUseId: string): boolean {
    if (!this.#callIds.has(toolUseId)) return false
    const isIt = (block: Block) => isCall(block) && block['id'] === toolUseId
    return this.messages.some((message) => message.role === 'assistant' && blocksOf(message).some(isIt))
  }

  /** Whether the last turn began with this message. */
  wasBegunWith(message: Message): boolean {
    const began = this.messages[this.turns.at(-1)?.from ?? 0]
    return JSON.stringify(began) === JSON.stringify(withoutCacheMarkers(message))
  }

  /** The recorded result of a call of the last answer. */
  resultOf(toolUseId: string): Block | undefined {
    const isIt = (block: Block) => block.type === 'tool_result' && block['tool_use_id'] === toolUseId
    const last = this.messages.at(-1)?.content
    return this.#results.get(toolUseId) ?? (Array.isArray(last) ? last.find(isIt) : undefined)
  }

  /** The whole conversation in a form that the API takes: calls without a result are closed as in doubt. */
  conversation(): Message[] {
    if (this.unanswered.length === 0) return [...this.messages]
    return [...this.messages, { role: 'user', content: this.#orderedResults() }]
  }

  /**
   * The last turn started and the last one ended, where a caller goes on from the first `count` messages. A turn
   * without an answer is still open: the caller only rephrases it.
   */
  turnsWithin(count: number): { turn: number; lastGoodTurn: number } {
    const isOpen = ({ to, stopReason }: TurnSpan) => to === undefined && stopReason === undefined
    const started = this.turns.filter((span) => span.from < count || (span.from === count && isOpen(span)))
    const ended = started.filter((span) => span.to !== undefined && span.to <= count)
    return { turn: started.at(-1)?.turn ?? 0, lastGoodTurn: ended.at(-1)?.turn ?? 0 }
  }

  #addAnswer(answer: AssistantMessage): void {
    const { id, content, stop_reason } = answer
    this.envelopeAgent = this.#sentBy
    this.lastAnswer = answer
    const last = this.turns.at(-1)
    if (last) last.stopReason = stop_reason
    this.#forgetCalls()
    this.#leavePlace()
    if (content.length > 0 && !isRefusal(answer)) {
      const message: Message = { role: 'assistant', content }
      this.#push(message)
      this.#origins.set(message, { model: answer.model, stopReason: stop_reason })
      this.models.add(answer.model)
      this.#calls = callsOf(answer).map(openCall)
    }
    if (!isRefusal(answer)) this.accepted = this.messages.length
    this.isBilled ||= this.#rung === 0 && isBilled(answer.usage) === true
    this.responses.set(id, this.messages.length)
  }

  #repair(edits: readonly Edit[], standing: readonly string[]): void {
    // An edit of messages that are no longer there came too late.
    const valid = edits.filter(({ from, to }) => from <= to && to <= this.messages.length)
    for (const { from, to, insert } of valid) {
      const replaced = this.messages.slice(from, to)
      for (const message of insert) {
        if (message.role !== 'assistant') continue
        const origin = originOf(message, replaced)
        const known = origin && this.#origins.get(origin)
        const model = known?.model ?? this.envelope?.body.model
        if (model) this.#origins.set(message, { ...known, model })
      }
    }
    this.edits = mergeEdits(this.edits, valid)
    const model = this.envelope?.body.model
    const isNew = (rule: string) => !this.standing.some((one) => one.rule === rule && one.model === model)
    this.standing = [...this.standing, ...standing.filter(isNew).map((rule) => ({ rule, model }))]
  }

  /** The model that made a recorded answer. */
  madeBy(message: Message): string | undefined {
    return this.#origins.get(message)?.model
  }

  /** Whether a recorded answer ended in a pause, so that the one after it goes on from it. */
  wasPaused(message: Message): boolean {
    return pausesTurn({ stop_reason: this.#origins.get(message)?.stopReason })
  }

  /** How the last answer among the messages ended; one that is not recorded as an answer counts as the turn's last. */
  stopReasonWithin(messages: readonly Message[]): string | null | undefined {
    const last = messages.findLast(({ role }) => role === 'assistant')
    return (last && this.#origins.get(last)?.stopReason) ?? this.turns.at(-1)?.stopReason
  }

  #add(messages: readonly Message[]): void {
    for (const message of messages) this.#push(withoutCacheMarkers(message))
    this.#forgetCalls()
  }

  #push(message: Message): void {
    this.messages.push(message)
    if (message.role === 'user') return
    for (const block of blocksOf(message)) if (isCall(block)) this.#callIds.add(block['id'])
  }

  #forgetCalls(): void {
    this.changes += 1
    this.#calls = []
    this.#results.clear()
  }

  #leavePlace(): void {
    this.place = this.changes
    this.steps.leavePlace()
  }

  #orderedResults(): Block[] {
    return this.#calls.map((call) => this.#results.get(call.toolUseId) ?? inDoubtResult(call.toolUseId))
  }

  #change(toolUseId: string, change: (call: ToolCall) => Partial<ToolCall>): void {
    this.#calls = this.#calls.map((call) => (call.toolUseId === toolUseId ? { ...call, ...change(call) } : call))
  }

  #closeTurn(): void {
    const last = this.turns.at(-1)
    if (last && last.to === undefined) last.to = this.messages.length
  }
}

function withoutCacheMarkers(message: Message): Message {
  const { content } = message
  if (typeof content === 'string' || !content.some((block) => 'cache_control' in block)) return message
  return { ...message, content: content.map(({ cache_control: _marker, ...block }) => block) }
}

/** The new edits over the old ones: where they meet, the new one replaces the old. */
function mergeEdits(before: readonly Edit[], added: readonly Edit[]): Edit[] {
  const meets = (a: Edit, b: Edit) =>
    (a.from < b.to && b.from < a.to) || (a.from === a.to && b.from <= a.from && a.from <= b.to)
  const same = (a: Edit, b: Edit) => a.from === b.from && a.to === b.to
  const kept = before.filter((old) => !added.some((edit) => meets(old, edit) || same(old, edit)))
  return [...kept, ...added].sort((a, b) => a.from - b.from || a.to - b.to)
}

/** A call that reads as started in session `from` was started when that session was named `to`. */
function startedUnder(call: ToolCall, from: string | undefined, to: string): ToolCall {
  return call.state === 'started' && call.startedIn === from ? { ...call, startedIn: to } : call
}

function openCall(block: Block): ToolCall {
  return { toolUseId: String(block['id']), name: String(block['name']), input: block['input'], state: 'open' }
}

function cutAt(span: TurnSpan, messages: number): TurnSpan {
  return span.to !== undefined && span.to > messages ? { turn: span.turn, from: span.from } : span
}
