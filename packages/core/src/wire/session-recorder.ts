/**
 * The attempts of a request that belongs to a session's conversation: announced, held, judged and answered in its
 * journal.
 *
 * 1. Nothing leaves before its `request-sent` is durable, and no end of an answer before its `response-received` (P1).
 * 2. While the circuit breaker of a model is open only its one probe leaves; the others take another rung, or are held
 *    until an instant that is in the journal.
 * 3. What lastgood did to a request on its way out is journaled with the answer that accepted it, not before.
 */
import { callsOf, endsTurn } from '../answer.ts'
import { classify, type Elsewhere, type Wire } from '../classify.ts'
import type { Fault } from '../fault.ts'
import type { AssistantMessage, Block, Edit, EntryBody, InDoubt, RepairNote } from '../journal.ts'
import { chooseRung, type Rung } from '../ladder/ladder.ts'
import { cardOf } from '../ladder/built-in-cards.ts'
import type { ModelCard } from '../ladder/model-card.ts'
import { estimateTokens, type TokenNeed } from '../ladder/token-need.ts'
import type { Health } from '../health/health.ts'
import { applicableRepairs } from '../repair/request/rejected.ts'
import type { TranscriptWatch } from '../repair/transcript/transcript-watch.ts'
import type { Session } from '../session.ts'
import { formatDuration } from '../duration.ts'
import { givenUp, suspendedError } from './given-up.ts'
import { contextFor, mend, piecesOf, type MendedRequest, type Mending } from './mended-request.ts'
import type { ConversationRequest, WireRequest } from './messages-request.ts'
import { openingEntries } from './opening.ts'
import { pingProvider } from './ping.ts'
import type { Faulted, Received, Recorder } from './recorder.ts'
import type { RequestRung } from './rungs.ts'

/** The rule under which a call is handed out; undefined when its tool needs no intent. */
export type IntentOf = (toolName: string) => InDoubt | undefined

export interface SessionRecorderOptions<R extends WireRequest> {
  session: Session
  /** What the caller sent, and what it says of the conversation. */
  sent: R
  request: ConversationRequest
  rungs: readonly RequestRung<R>[]
  health: Health
  watch: TranscriptWatch
  /** Repairs that are journaled already. */
  told: Set<string>
  /** The card of a rung's model, from the Models API where it can be asked. */
  cards: (rung: RequestRung<R>) => Promise<ModelCard>
  /** Headers with fresh credentials, for the one re-send after a 401. */
  credentials: (() => Promise<Readonly<Record<string, string>>>) | undefined
  intentOf: IntentOf
  onAnswered: (message: AssistantMessage) => void
}

/** How often a request that seems poisoned may ask whether its model is alive, and what makes it seem so. */
const pingEveryMs = 300_000

export class SessionRecorder<R extends WireRequest> implements Recorder<R> {
  readonly #it: SessionRecorderOptions<R>
  readonly #ticket: number
  readonly #kept: (readonly Block[])[] = []
  #isOpen = false
  #hasWaited = false
  #mended: MendedRequest | undefined
  #mending: Mending | undefined
  #freshHeaders: Readonly<Record<string, string>> = {}
  #pinged = { at: -Infinity, isAnswered: false }
  /** When the attempt left, and whether it is known that the model answers it. */
  #sentAt = 0
  #isTold = true

  constructor(options: SessionRecorderOptions<R>) {
    this.#it = options
    this.#ticket = options.session.clock.random()
  }

  get isBilled(): boolean {
    return this.#it.session.transcript.isBilled
  }

  async sending(signal: AbortSignal) {
    const { session, request } = this.#it
    // Staged, so that they share an append with the request; after them the session may owe something else.
    for (const entry of this.#isOpen ? [] : openingEntries(session, request)) await session.stage(entry)
    this.#isOpen = true
    await this.#waitForTurn(signal)
    const rung = this.#rung
    const mended = await this.#mend(rung)
    await session.record([{ type: 'request-sent', model: rung.model, attempt: session.context.attempt + 1 }])
    this.#sentAt = session.clock.now()
    this.#isTold = false
    return { request: this.#requestFor(mended), next: rung.next }
  }

  async faulted(wire: Wire): Promise<Faulted> {
    const { session, health } = this.#it
    const rung = this.#rung
    const fault = this.#withUsableRepairs(classify({ ...wire, elsewhere: await this.#elsewhere(wire) }))
    this.#isTold = true
    await health.report(rung, session.id, {
      kind: 'fault',
      fault: fault.kind,
      ...(fault.retryAfterMs !== undefined && { retryAfterMs: fault.retryAfterMs }),
    })
    const { faults, firstFaultAt, faultKind, faultsOfKind, rungFaults, rungFaultAt, tried, tokens } = session.context
    const now = session.clock.now()
    const decision = session.decide(
      fault,
      {
        attempts: faults + 1,
        attemptsOfKind: faultKind === fault.kind ? faultsOfKind + 1 : 1,
        firstFaultAt: firstFaultAt ?? now,
        attemptsOnRung: rungFaults + 1,
        firstFaultOnRungAt: rungFaultAt ?? now,
        tokens: tokens + (fault.tokens ?? 0),
        tried,
        nextRung: await this.#nextRungs(),
        now,
        random: session.clock.random(),
      },
      session.policy,
    )
    const observed: EntryBody = { type: 'fault-observed', fault, decision }
    // What is kept shares an append with the answer that it becomes.
    if (decision.kind === 'keep-and-continue') await session.stage(observed)
    else if (decision.kind === 'fallback') {
      await session.record([observed, this.#rungChanged(decision.rung, `${fault.status ?? ''} ${fault.kind}`.trim())])
    } else await session.record([observed])
    if (fault.status === 401 && decision.kind !== 'suspend') this.#freshHeaders = (await this.#it.credentials?.()) ?? {}
    return { fault, decision }
  }

  kept(said: readonly Block[]): void {
    this.#kept.push(said)
  }

  async answered({ message: received, requestId, salvaged }: Received): Promise<void> {
    const { session, intentOf, onAnswered } = this.#it
    const message = { ...received, content: [...this.#kept.flat(), ...received.content] }
    const intents = callsOf(message).flatMap((call): EntryBody[] => {
      const name = String(call['name'])
      const inDoubt = intentOf(name)
      return inDoubt ? [{ type: 'tool-started', toolUseId: String(call['id']), name, inDoubt }] : []
    })
    await session.record([
      {
        type: 'response-received',
        message: this.#kept.length > 0 ? message : received,
        ...(requestId !== undefined && { requestId }),
        ...(salvaged && { salvaged }),
      },
      ...this.#repaired(received),
      ...intents,
      ...(endsTurn(message) ? [{ type: 'turn-ended' as const, turn: session.turn }] : []),
    ])
    onAnswered(message)
    await this.#tellThatItLives()
  }

  began(): void {
    void this.#tellThatItLives()
  }

  ended(): void {
    const { health, session } = this.#it
    // A probe that its caller broke off goes to the next who asks.
    if (!this.#isTold) void health.report(this.#rung, session.id, { kind: 'abandoned' })
    this.#isTold = true
  }

  async #tellThatItLives(): Promise<void> {
    const { health, session } = this.#it
    if (this.#isTold) return
    this.#isTold = true
    await health.report(this.#rung, session.id, { kind: 'ok', sentAt: this.#sentAt })
  }

  delta(kind: 'text' | 'thinking', text: string): void {
    this.#it.session.emit({ type: 'delta', kind, text })
  }

  dropped(): void {
    this.#it.session.emit({ type: 'dropped' })
  }

  givenUp: Recorder<R>['givenUp'] = (fault, decision) =>
    givenUp(this.#it.session, fault, decision, this.#mended?.unrepairable)

  /** The rung that has the turn. A ladder that became shorter ends at its last. */
  get #rung(): RequestRung<R> {
    const { rungs, session } = this.#it
    return (rungs[session.context.rung] ?? rungs.at(-1)) as RequestRung<R>
  }

  // -- Waiting --------------------------------------------------------------------------------------------------------

  /** Waits out what the session owes, then until the breaker of a rung lets it pass. */
  async #waitForTurn(signal: AbortSignal): Promise<void> {
    const { session } = this.#it
    for (;;) {
      signal.throwIfAborted()
      if (session.owed.kind === 'wait') {
        this.#hasWaited = true
        await session.record([])
        await session.clock.sleepUntil(session.owed.until, { signal })
      }
      const admission = await this.#admit(this.#rung)
      if (admission.kind !== 'wait') return
      const other = admission.isDown ? await this.#openRung() : undefined
      if (other !== undefined) await session.record([this.#rungChanged(other, admission.reason)])
      else await this.#hold(admission.until, admission.reason)
    }
  }

  /** A hold counts as time without progress. */
  async #hold(until: number, reason: string): Promise<void> {
    const { session } = this.#it
    const { context, policy, clock } = session
    const held: EntryBody = { type: 'request-held', until, reason }
    if (until - (context.firstFaultAt ?? clock.now()) <= policy.horizonMs) return void (await session.record([held]))
    const detail = `Gave up waiting: no progress within ${formatDuration(policy.horizonMs)} (${reason})`
    const retryAt = Math.max(until, clock.now() + policy.exhaustedProbeMs)
    await session.record([held, { type: 'session-suspended', reason: 'exhausted', detail, retryAt }])
    throw suspendedError(session, { reason: detail, retryAt })
  }

  #admit(rung: RequestRung<R>) {
    const { health, session } = this.#it
    return health.admit(rung, session.id, { waited: this.#hasWaited, random: this.#ticket })
  }

  /** Another rung that takes requests and holds the conversation: one further up, else the next one down. */
  async #openRung(): Promise<number | undefined> {
    const { rungs, session } = this.#it
    if (rungs.length === 1) return undefined
    const isDown = await this.#downRungs()
    const up = rungs.findIndex((rung, at) => at < session.context.rung && !isDown(rung))
    return up < 0 ? (await this.#nextRungs()).model : up
  }

  async #downRungs(): Promise<(rung: Rung) => boolean> {
    const { rungs, health } = this.#it
    const down = await Promise.all(rungs.map(async (rung) => ((await health.isDown(rung)) ? [rung] : [])))
    const all: ReadonlySet<Rung> = new Set(down.flat())
    return (rung) => all.has(rung)
  }

  async #nextRungs(): Promise<{ model?: number | undefined; endpoint?: number | undefined }> {
    const { rungs, session } = this.#it
    if (rungs.length === 1) return {}
    const isDown = await this.#downRungs()
    const needsTokens = await this.#neededTokens()
    const choose = (scope: 'model' | 'endpoint') =>
      chooseRung({ rungs, current: session.context.rung, isDown, needsTokens, cardOf, scope })
    return { model: choose('model'), endpoint: choose('endpoint') }
  }

  async #neededTokens(): Promise<TokenNeed> {
    return estimateTokens((this.#mended ?? (await this.#mend(this.#rung))).outgoing)
  }

  #rungChanged(rung: number, reason: string): EntryBody {
    return { type: 'rung-changed', rung, model: this.#it.rungs[rung]?.model ?? '', reason }
  }

  // -- What leaves ----------------------------------------------------------------------------------------------------

  async #mend(rung: RequestRung<R>): Promise<MendedRequest> {
    const { session, request, watch, rungs, cards } = this.#it
    const isAsked = rung === rungs[0]
    this.#mending = { session, request, watch, kept: this.#kept, rung: isAsked ? undefined : await cards(rung) }
    this.#mended = mend(this.#mending)
    return this.#mended
  }

  #requestFor({ body, betas }: MendedRequest): R {
    const { sent } = this.#it
    const headers = new Headers(sent.headers)
    if (betas && betas.length > 0) headers.set('anthropic-beta', betas.join(','))
    else if (betas) headers.delete('anthropic-beta')
    for (const [name, value] of Object.entries(this.#freshHeaders)) headers.set(name, value)
    return { ...sent, headers, body }
  }

  /**
   * The repairs that change something here: any other would only send the same again. Each with what it took from the
   * refusal (`drop-params:temperature`), so that a process that has not seen it can apply it too.
   */
  #withUsableRepairs(fault: Fault): Fault {
    const [mended, mending] = [this.#mended, this.#mending]
    if (!fault.repairs || !mended || !mending) return fault
    // Not back to one before the last that was tried: it would undo that.
    const tried = new Set(this.#it.session.context.tried.map(nameOf))
    const left = fault.repairs.slice(
      Math.max(
        0,
        fault.repairs.findLastIndex((rule) => tried.has(nameOf(rule))),
      ),
    )
    const named = { ...fault, repairs: left }
    return {
      ...fault,
      repairs: applicableRepairs(mended.outgoing, contextFor({ ...mending, fault: named }, mended.card)),
    }
  }

  /** Entries for what the API has just accepted. */
  #repaired(answer: AssistantMessage): EntryBody[] {
    const { session, told } = this.#it
    const { transcript } = session
    // What made the model say nothing is not worth keeping.
    if (answer.content.length === 0) return []
    const { repairs = [], edits = [], standing = [] } = this.#mended ?? {}
    // What is done to every request alike is told once.
    const notes: RepairNote[] = repairs.filter(({ rule, what }) => !told.has(`${rule} ${what}`))
    for (const { rule, what } of notes) told.add(`${rule} ${what}`)
    const all: Edit[] = [...edits]
    if (this.#kept.length > 0) {
      // The caller has one answer; the API saw its pieces and what was said between them.
      const at = transcript.messages.length
      all.push({
        from: at,
        to: at + 1,
        insert: [...piecesOf(this.#kept), { role: 'assistant', content: answer.content }],
      })
      notes.push({ rule: 'continue-cut-text', message: at, what: 'an answer that broke off was continued' })
    }
    if (notes.length === 0 && all.length === 0 && standing.length === 0) return []
    return [{ type: 'transcript-repaired', repairs: notes, edits: all, standing: [...standing] }]
  }

  // -- Evidence -------------------------------------------------------------------------------------------------------

  async #elsewhere(wire: Wire): Promise<Elsewhere> {
    const { session, health } = this.#it
    const { context, transcript, clock } = session
    const now = clock.now()
    const since = context.firstFaultAt ?? now
    const evidence = await health.evidence(this.#rung, session.id, since)
    // Once it counts as poisoned it does so until something else happens.
    const isPoisoned = context.faultKind === 'poisoned'
    const failuresOfKind = context.faultKind === 'server-transient' ? context.faultsOfKind + 1 : 1
    const failures = isPoisoned ? context.faults + 1 : failuresOfKind
    const seen = {
      failures,
      failingForMs: now - since,
      othersSucceed: evidence.othersSucceed,
      othersDenied: evidence.othersDenied,
      workedBefore: transcript.answeredAt !== undefined && now - transcript.answeredAt < 3_600_000,
    }
    // Only this request fails? Nobody else is there to tell: a request of two words is asked.
    const seemsPoisoned = classify({ ...wire, elsewhere: { ...seen, othersSucceed: true } }).kind === 'poisoned'
    if (!seemsPoisoned || seen.othersSucceed) return seen
    if (now - this.#pinged.at >= pingEveryMs) {
      this.#pinged = { at: now, isAnswered: await pingProvider(this.#it.sent, this.#rung, session.signal) }
    }
    return { ...seen, othersSucceed: this.#pinged.isAnswered }
  }
}

/** Without what it was applied with: `drop-params` of `drop-params:temperature`. */
const nameOf = (rule: string): string => rule.split(':')[0] ?? rule
