/**
 * The attempts of a request that belongs to a session's conversation: announced, held, judged and answered in its
 * journal.
 *
 * 1. Nothing leaves before its `request-sent` is durable, and no end of an answer before its `response-received` (P1).
 * 2. What lastgood did to a request on its way out is journaled with the answer that accepted it, not before.
 */
import { callsOf, endsTurn, isRefusal } from '../journal/answer.ts'
import { classify, type Wire } from '../faults/classify.ts'
import type { Fault } from '../faults/fault.ts'
import type { AssistantMessage, Block, Edit, EntryBody, Message, RepairNote } from '../journal/journal.ts'
import { isThinking } from '../journal/message.ts'
import { isSameJson } from '../json.ts'
import { isSameModel, type ModelCard } from '../ladder/model-card.ts'
import { estimateTokens, type TokenNeed } from '../ladder/token-need.ts'
import type { Health } from '../health/health.ts'
import { applicableRepairs } from '../repair/refused/refusal-rules.ts'
import { nameOfRule } from '../repair/rule-name.ts'
import { inTime } from '../in-time.ts'
import { orAborted } from '../or-aborted.ts'
import type { Session } from '../session/session.ts'
import type { Conversation } from './conversation.ts'
import { credentialHeaders } from './credential-headers.ts'
import { givenUp } from './given-up.ts'
import type { ResolvedOptions } from './interceptor-options.ts'
import { LadderWalk } from './ladder-walk.ts'
import { contextFor, mend, piecesOf, type MendedRequest, type Mending } from './mended-request.ts'
import { isStructured, type ConversationRequest, type WireRequest } from './messages-request.ts'
import { openingEntries, reportedCalls } from './opening.ts'
import type { Faulted, Received, Recorder } from './recorder.ts'
import type { RequestRung } from './rungs.ts'
import { Surroundings } from './surroundings.ts'
import { Vitals } from './vitals.ts'

export interface SessionRecorderOptions<R extends WireRequest> {
  session: Session
  /** What the caller sent, and what that means for the conversation. */
  sent: R
  request: ConversationRequest
  rungs: readonly RequestRung<R>[]
  health: Health
  conversation: Conversation
  /** The card of a rung's model, from the Models API where it can be asked. */
  cards: (rung: RequestRung<R>) => Promise<ModelCard>
  options: ResolvedOptions
}

/** How long credentials are waited for: a token service that hangs is down as well. */
const longestRefreshMs = 30_000

export class SessionRecorder<R extends WireRequest> implements Recorder<R> {
  readonly #it: SessionRecorderOptions<R>
  readonly #walk: LadderWalk<R>
  readonly #surroundings: Surroundings<R>
  readonly #vitals: Vitals
  #kept: readonly (readonly Block[])[] = []
  /** The messages of the request whose answer was kept last. */
  #keptAfter: readonly Message[] = []
  #isOpen = false
  #mended: MendedRequest | undefined
  #mending: Mending | undefined
  #freshHeaders = new Headers()
  /** The caller's. */
  #signal: AbortSignal | undefined
  /** The conversation's `changes` once it had the answer. */
  #answeredAt: number | undefined

  constructor(options: SessionRecorderOptions<R>) {
    this.#it = options
    const { session, health, rungs, sent, request } = options
    this.#walk = new LadderWalk({ session, health, rungs, neededTokens: () => this.#neededTokens() })
    const key = () => this.#walk.current
    this.#vitals = new Vitals({ health, clock: session.clock, who: session.id, key })
    this.#surroundings = new Surroundings({ session, health, sent, system: request.envelope.body['system'] })
  }

  /** Only for the model that was asked for: another endpoint may report no cost. */
  get isBilled(): boolean {
    const { context, transcript } = this.#it.session
    return context.rung === 0 && transcript.isBilled
  }

  hasCall(toolUseId: string): boolean {
    return this.#it.session.transcript.hasCall(toolUseId)
  }

  get told(): Readonly<Record<string, string>> {
    const { model } = this.#walk.current
    // Names only: what a rule was applied with is the caller's, and a header may not be able to hold it.
    const rules = new Set(this.#mended?.done.map(nameOfRule))
    return {
      ...(model !== this.#it.request.envelope.body.model && { 'x-lastgood-model': model }),
      ...(rules.size > 0 && { 'x-lastgood-repaired': [...rules].join(', ') }),
    }
  }

  /** Said once for a model, not with each of its answers. */
  get note(): string | undefined {
    const { options, request, session } = this.#it
    const asked = request.envelope.body.model
    const { model } = this.#walk.current
    const before = session.transcript.lastAnswer?.model
    if (
      !options.tellsFallback ||
      isStructured(request.envelope.body) ||
      model === asked ||
      (before && isSameModel(before, model))
    )
      return undefined
    return `[lastgood: ${asked} does not answer, ${model} goes on]\n\n`
  }

  async sending(signal: AbortSignal) {
    this.#signal = signal
    const { session, request, options } = this.#it
    // Staged, so that they share an append with the request; after them the session may owe something else.
    if (!this.#isOpen) {
      const reported = reportedCalls(session, request)
      await session.stage(openingEntries(session, request, options.agent))
      for (const { toolUseId, name } of reported) session.emit({ type: 'in-doubt', toolUseId, name, did: 'reported' })
    }
    this.#isOpen = true
    await this.#walk.waitForTurn(signal)
    this.#vitals.sent()
    const rung = this.#walk.current
    const mended = await this.#mend(rung)
    await session.record([{ type: 'request-sent', model: rung.model, attempt: session.context.attempt + 1 }])
    // What took longer than the lease may have been taken over, and sent by another.
    await session.assertHeld()
    return { request: this.#requestFor(mended), next: rung.next }
  }

  async faulted(wire: Wire, signal: AbortSignal): Promise<Faulted> {
    const { session } = this.#it
    await this.#walk.wakeUp(wire.sleptMs ?? 0)
    const rung = this.#walk.current
    const elsewhere = await this.#surroundings.of(wire, rung, signal)
    const fault = this.#withUsableRepairs(classify({ ...wire, elsewhere }))
    await this.#vitals.fail(fault)
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
        kept: this.#kept.length,
        nextRung: await this.#walk.nextRungs(),
        now,
        random: session.clock.random(),
      },
      session.policy,
    )
    const observed: EntryBody = { type: 'fault-observed', fault, decision }
    // The fault shares an append with the answer that is kept.
    if (decision.kind === 'keep-and-continue') await session.stage([observed])
    else if (decision.kind === 'fallback') {
      await session.record([observed, this.#walk.changed(decision.rung, `${fault.status ?? ''} ${fault.kind}`.trim())])
    } else await session.record([observed])
    if (fault.status === 401 && decision.kind !== 'suspend') await this.#refresh(signal)
    return { fault, decision }
  }

  async #refresh(signal: AbortSignal): Promise<void> {
    const { options, session } = this.#it
    const { credentials } = options
    // A login outage also takes down whatever issues credentials: the request finds that out by itself.
    this.#freshHeaders = new Headers()
    if (!credentials) return
    const asked = inTime(session.clock, longestRefreshMs, async () => credentials())
    const given = await orAborted(asked, signal).catch(() => signal.throwIfAborted())
    this.#freshHeaders = credentialHeaders(given ?? {})
  }

  kept(said: readonly Block[]): void {
    this.#kept = [...this.#kept, said]
    this.#keptAfter = this.#mended?.outgoing.messages ?? []
  }

  async answered({ message: received, requestId, salvaged }: Received): Promise<void> {
    const { session, options, conversation } = this.#it
    const message = { ...received, content: [...this.#kept.flat(), ...received.content] }
    const intents = callsOf(message).flatMap((call): EntryBody[] => {
      const name = String(call['name'])
      const inDoubt = options.intentOf(name)
      return inDoubt ? [{ type: 'tool-started', toolUseId: String(call['id']), name, inDoubt }] : []
    })
    const repaired = this.#repaired(received)
    await session.record([
      {
        type: 'response-received',
        message: this.#kept.length > 0 ? message : received,
        ...(requestId !== undefined && { requestId }),
        ...(salvaged && { salvaged }),
      },
      ...repaired,
      ...intents,
      ...(endsTurn(message) ? [{ type: 'turn-ended' as const, turn: session.turn }] : []),
    ])
    this.#answeredAt = session.transcript.changes
    this.#takeBack()
    for (const { repairs } of repaired)
      for (const { rule, what } of repairs) conversation.journaled.add(`${rule} ${what}`)
    conversation.answered(message)
    await this.#vitals.live()
  }

  began(): void {
    void this.#vitals.live()
  }

  ended(): void {
    this.#takeBack()
    this.#vitals.end()
  }

  /** A caller that left before it had the end of the answer need not know that there is one. */
  #takeBack(): void {
    const { calls, transcript } = this.#it.session
    if (this.#signal?.aborted && this.#answeredAt === transcript.changes) calls.takeBack()
  }

  delta(kind: 'text' | 'thinking', text: string): void {
    this.#it.session.emit({ type: 'delta', kind, text })
  }

  dropped(): void {
    this.#it.session.emit({ type: 'dropped' })
  }

  givenUp: Recorder<R>['givenUp'] = (fault, decision, headers) =>
    givenUp(this.#it.session, { fault, decision, unrepairable: this.#mended?.unrepairable, headers })

  async #neededTokens(): Promise<TokenNeed> {
    return estimateTokens((this.#mended ?? (await this.#mend(this.#walk.current))).outgoing)
  }

  async #mend(rung: RequestRung<R>): Promise<MendedRequest> {
    const { session, request, conversation, rungs, cards } = this.#it
    const { watch } = conversation
    const isAsked = rung === rungs[0]
    // No model can read the thinking of another.
    const isOther = this.#mended && !isSameModel(this.#mended.card.id, rung.model)
    if (isOther) this.#forgetThinking()
    const card = isAsked ? undefined : await cards(rung)
    const { transcript, context } = session
    const recorded = transcript.messages
    this.#mending = { transcript, recorded, tried: context.tried, request, watch, kept: this.#kept, rung: card }
    this.#mended = mend(this.#mending)
    if (this.#isKeptBound(this.#mended.outgoing.messages)) return this.#mended
    this.#forgetThinking()
    this.#mending = { ...this.#mending, kept: this.#kept }
    this.#mended = mend(this.#mending)
    return this.#mended
  }

  /** Whether the thinking of kept pieces is with the messages that it was signed against. */
  #isKeptBound(messages: readonly Message[]): boolean {
    const hasThought = this.#kept.some((said) => said.some(isThinking))
    return !hasThought || this.#keptAfter.every((before, at) => isSameJson(before, messages[at]))
  }

  #forgetThinking(): void {
    this.#kept = this.#kept.map((said) => said.filter((block) => !isThinking(block)))
  }

  #requestFor({ body, betas }: MendedRequest): R {
    const { sent } = this.#it
    const headers = new Headers(sent.headers)
    if (betas && betas.length > 0) headers.set('anthropic-beta', betas.join(','))
    else if (betas) headers.delete('anthropic-beta')
    for (const [name, value] of this.#freshHeaders) headers.set(name, value)
    return { ...sent, headers, body }
  }

  /**
   * Only the repairs that change something here: any other would send the same again. Each has what it took from the
   * refusal (`drop-params:temperature`), so that a process that has not seen the refusal can apply it too.
   */
  #withUsableRepairs(fault: Fault): Fault {
    const [mended, mending] = [this.#mended, this.#mending]
    if (!fault.repairs || !mended || !mending) return fault
    const context = contextFor({ ...mending, fault }, mended.card)
    return { ...fault, repairs: applicableRepairs(mended.outgoing, context, mended.tried) }
  }

  /** Entries for what the API has just accepted. */
  #repaired(answer: AssistantMessage): Extract<EntryBody, { type: 'transcript-repaired' }>[] {
    const { session, conversation } = this.#it
    const { transcript } = session
    // A repair that led to an empty answer is not worth keeping; a refusal is no history that an edit could lie over.
    if (answer.content.length === 0 || isRefusal(answer)) return []
    const { repairs = [], edits = [], standing = [] } = this.#mended ?? {}
    // A repair that is made in every request alike is noted once.
    const notes: RepairNote[] = repairs.filter(({ rule, what }) => !conversation.journaled.has(`${rule} ${what}`))
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
}
