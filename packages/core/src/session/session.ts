/**
 * The session driver: the one place where entries are stamped, committed and adopted.
 *
 * 1. Commit, then act: `record` returns after the store has the entries; only then do state, transcript and listeners
 *    know of them (P1, P5). What the store refused never happened.
 * 2. One writer: entries go out one append at a time, under the lease's fence. When the fence is refused or the store
 *    cannot answer, this object is done: it aborts what it runs, and the session must be opened again (P3, P5).
 * 3. State is never set, only stepped. `owed` is the one effect that the session waits for.
 * 4. A staged entry is adopted at once and goes out with the next append, which its caller makes right away: the last
 *    tool result and the next request share an append, so that a model-and-tools step costs two appends. If that append
 *    fails, this object is done, and everything that was only staged is lost.
 */
import { CallsAtHand } from './calls-at-hand.ts'
import { factsAfter, headAfter, type Known, type SessionFacts } from './checkpoint.ts'
import type { Clock } from '../clock.ts'
import { LastgoodError } from '../errors.ts'
import { Emitter, type Listener, type SessionEvent } from './events.ts'
import type { Folded } from './fold.ts'
import {
  journalVersion,
  type Block,
  type Entry,
  type EntryBody,
  type Envelope,
  type Message,
  type Owner,
} from '../journal/journal.ts'
import { copyOf } from '../json.ts'
import { keepLease, type LeaseKeeper } from './lease-keeper.ts'
import type { Context, Effect, StateName } from '../machine/machine-state.ts'
import { oneAtATime } from '../one-at-a-time.ts'
import { appendPatiently } from '../store/patient-append.ts'
import type { Policy } from '../policy/options.ts'
import { retentionChange, type Retention } from './retention.ts'
import { jsonText, recordableEntry } from './recordable.ts'
import { RunQueue } from './run-queue.ts'
import type { ResolvedOptions } from './session-options.ts'
import { StepLedger, type StepContext, type StepOptions, type ToolStepOptions } from './step-ledger.ts'
import { stepThrough, type Standing } from '../machine/step-through.ts'
import type { Head, Lease, Store } from '../store/store.ts'
import type { ToolContent } from './tool-content.ts'
import type { ToolContext } from './tool-ledger.ts'
import type { Transcript } from '../journal/transcript.ts'
import { writerVersion } from '../version.ts'
import { Watchers } from '../watching/watcher.ts'

/** A process that dies in one of these leaves nothing in flight. */
const atRest: ReadonlySet<StateName> = new Set(['idle', 'refused'])

/** What an agent is to a session: something with a name that can run a turn. `defineAgent` makes one. */
export interface Agent<Input, Reply, RunOptions> {
  readonly name: string
  run(session: Session, input: Input | undefined, options: RunOptions): Promise<Reply>
}

/** A session that is open for writing; `openSession` makes it. */
export class Session {
  readonly id: string
  readonly store: Store
  readonly clock: Clock
  readonly policy: Policy
  /** What is done about a fault. */
  readonly decide: ResolvedOptions['decide']
  /** Asked before each request leaves. */
  readonly limiter: ResolvedOptions['limiter']
  /** For the tool ledger, and for other code that runs the session's work. */
  readonly calls: CallsAtHand
  readonly watchers = new Watchers()
  readonly #options: ResolvedOptions
  readonly #lease: Lease
  readonly #keeper: LeaseKeeper
  readonly #emitter = new Emitter()
  readonly #ended = new AbortController()
  readonly #transcript: Transcript
  #standing: Standing
  #seq: number
  #facts: SessionFacts
  /** Adopted, and not yet durable. */
  #staged: Entry[] = []
  readonly #inOrder = oneAtATime()
  #closing: Promise<void> | undefined
  readonly #steps = new StepLedger(this)
  readonly #runs: RunQueue

  constructor(id: string, lease: Lease, folded: Folded, options: ResolvedOptions, runs?: () => boolean) {
    this.id = id
    this.store = options.store
    this.clock = options.clock
    this.policy = options.policy
    this.decide = options.decide
    this.limiter = options.limiter
    this.calls = new CallsAtHand(id)
    this.#options = options
    this.#lease = lease
    this.#transcript = folded.transcript
    this.#standing = { snapshot: folded.snapshot, owed: folded.owed ?? { kind: 'rest' } }
    this.#seq = folded.seq
    this.#facts = folded.facts
    this.#runs = new RunQueue(id)
    this.#keeper = keepLease(this.#patient, options.leaseMs, (reason) => this.#end(reason), runs)
  }

  /** Turns started, and the last one that ended, 0 if none: where `resume` can always go back to. */
  get turn(): number {
    return this.#standing.snapshot.context.turn
  }
  get lastGoodTurn(): number {
    return this.#standing.snapshot.context.lastGoodTurn
  }
  /** Sequence of the last durable entry. */
  get seq(): number {
    return this.#seq
  }
  get state(): StateName {
    return this.#standing.snapshot.value
  }
  get context(): Readonly<Context> {
    return this.#standing.snapshot.context
  }
  /** A turn was started and has not ended. */
  get hasOpenTurn(): boolean {
    return this.turn > this.lastGoodTurn
  }
  /** Parked with a reason; see `context.reason`. */
  get isParked(): boolean {
    return this.state === 'suspended' || this.state === 'refused' || this.state === 'needsInput'
  }
  /** Who holds the lease: this object. */
  get owner(): Owner {
    return this.#options.owner
  }
  /** The one thing that has to happen next; `rest` when a new turn can start. */
  get owed(): Effect {
    return this.#standing.owed
  }
  /** The pinned parts of a request, once one was sent. */
  get envelope(): Envelope | undefined {
    return this.#transcript.envelope
  }
  /** Name of the agent whose envelope is pinned. */
  get envelopeAgent(): string | undefined {
    return this.#transcript.envelopeAgent
  }
  /** Name of the agent of the last turn, if one ran it. */
  get agent(): string | undefined {
    return this.#transcript.agent
  }
  /** When and where it was opened, what it was forked from, and how long it is kept. */
  get facts(): SessionFacts {
    return this.#facts
  }
  get transcript(): Readonly<Omit<Transcript, 'apply'>> {
    return this.#transcript
  }
  /** Aborts when the session is closed, loses its lease, or its store cannot take entries; the reason says which. */
  get signal(): AbortSignal {
    return this.#ended.signal
  }

  /**
   * A copy of the whole conversation up to the last durable step, ready to be sent. Tool calls of unknown outcome are
   * answered by an error result that says so.
   */
  messages(): Message[] {
    return copyOf(this.#transcript.conversation())
  }

  /** Calls `listener` for every event from now on; returns the way to stop. */
  subscribe(listener: Listener): () => void {
    return this.#emitter.subscribe(listener)
  }

  /** The events from now on, until the session ends. */
  events(): AsyncGenerator<SessionEvent, void, undefined> {
    return this.#emitter.iterate(this.signal)
  }

  /** To be called before an effect: see `LeaseKeeper`. */
  assertHeld(): Promise<void> {
    return this.#keeper.assertHeld()
  }

  /** Tell listeners of something provisional. */
  emit(event: Exclude<SessionEvent, { type: 'entry' }>): void {
    this.#emitter.emit(event)
  }

  /** Start a turn with what the caller puts before the model. */
  async startTurn(messages: readonly Message[], agent?: string): Promise<void> {
    const turn = this.turn + 1
    await this.record([{ type: 'turn-started', turn, ...(agent !== undefined && { agent }), messages: [...messages] }])
  }

  /** Resume a parked session; does nothing otherwise. */
  async resume(): Promise<void> {
    if (this.isParked) await this.record([{ type: 'session-resumed', owner: this.owner }])
  }

  /** Go back to the end of an earlier turn; 0 is the beginning. Errors: `bad-option` if that turn is not there. */
  async rewind(turn: number, reason: string): Promise<void> {
    const span = this.#transcript.turns.find((one) => one.turn === turn && one.to !== undefined)
    if (turn !== 0 && !span) {
      throw new LastgoodError('bad-option', `session ${this.id}: there is no finished turn ${turn} to go back to`, {
        hint: `finished turns: ${this.#transcript.turns.flatMap(({ turn: n, to }) => (to === undefined ? [] : [n])).join(', ') || 'none'}`,
      })
    }
    await this.record([{ type: 'rewound', messages: span?.to ?? 0, turn, lastGoodTurn: turn, reason }])
  }

  /** Say when this session may be pruned; see `retention.ts`. What is left out stays as it is. */
  async retain(wanted: Retention): Promise<void> {
    const body = retentionChange(this.#facts, wanted)
    if (body) await this.record([body])
  }

  /** Revert all repairs, so that messages go out as recorded again. For a person who sees that a repair was wrong. */
  async revertRepairs(reason: string): Promise<void> {
    await this.record([{ type: 'repairs-reverted', reason }])
  }

  /**
   * Let `agent` run a turn, or finish the one that is open; see `defineAgent`. One run at a time: asked again for the
   * same, it gives the run that is under way or waiting, whatever the options; a different run begins after those.
   */
  run<Input, Reply, RunOptions>(
    agent: Agent<Input, Reply, RunOptions>,
    input?: Input,
    ...options: undefined extends RunOptions ? [options?: RunOptions] : [options: RunOptions]
  ): Promise<Reply> {
    const { turn } = (options[0] ?? {}) as { turn?: number }
    let asked: string | undefined
    try {
      if (input !== undefined || turn !== undefined) asked = jsonText([input, turn], 'the input of the run')
    } catch (error) {
      return Promise.reject(error)
    }
    return this.#runs.run(agent.name, asked, () =>
      this.watchers.run({ kind: 'run', agent: agent.name }, () => agent.run(this, input, options[0] as RunOptions)),
    )
  }

  /**
   * Runs something that has an effect, once: `step-started` is durable before the effect, the result before it is
   * returned, and after a restart the same step gives the recorded result. With `toolUseId` the step is that call of
   * the model's last answer: `run` gives its content, and `step` the tool_result block for the next message.
   *
   * The result is a JSON value, given as it is recorded. What `run` throws is recorded, and its message thrown again.
   * Asked for while it runs, it is the same step: the first caller's `run`, options and `signal` apply.
   * Errors: `step-in-doubt` (started before, outcome unknown, rule `report`), `needs-input`, and those of `record`.
   */
  step(
    name: string,
    input: unknown,
    run: (context: ToolContext) => Promise<ToolContent> | ToolContent,
    options: ToolStepOptions,
  ): Promise<Block>
  step<Result>(
    name: string,
    input: unknown,
    run: (context: StepContext) => Promise<Result> | Result,
    options?: StepOptions<Result>,
  ): Promise<Result>
  step(
    name: string,
    input: unknown,
    run: (context: ToolContext) => Promise<never>,
    options: ToolStepOptions | StepOptions<never> = {},
  ): Promise<unknown> {
    if ('toolUseId' in options) return this.#steps.runTool(name, input, run, options)
    return this.#steps.run(name, input, run as (context: StepContext) => Promise<never>, options)
  }

  /** Park the session with a reason and end this object; whatever runs is aborted. `detail` is for people. */
  async suspend(reason: 'interrupted' | 'needs-input', detail: string): Promise<void> {
    await this.record([{ type: 'session-suspended', reason, detail }])
    await this.close()
  }

  /**
   * Commits facts: all of them in one append, or none. Returns their entries.
   *
   * Errors: `store-unavailable` and `lease-lost` end this object, `journal-conflict` for a fact that came too late.
   * After the end: what ended it.
   */
  record(bodies: readonly EntryBody[]): Promise<readonly Entry[]> {
    return this.#inOrder(() => this.#commit(bodies))
  }

  /** Takes facts, all or none, that become durable with the next `record`: for a caller that records before it acts. */
  stage(bodies: readonly EntryBody[]): Promise<void> {
    return this.#inOrder(async () => {
      this.signal.throwIfAborted()
      const entries = this.#stamp(bodies)
      this.#adopt(entries, stepThrough(this.id, this.#standing, entries))
      this.#staged.push(...entries)
    })
  }

  /** Give the lease back and stop. A turn that is open stays open and can be resumed. Errors: `store-unavailable`. */
  async close(): Promise<void> {
    this.#closing ??= this.#close()
    await this.#closing
  }

  async #close(): Promise<void> {
    const endedBefore = this.signal.aborted
    try {
      if (this.#staged.length > 0 && this.#seq > 0 && !this.signal.aborted) await this.record([])
      await this.#inOrder(async () => {})
    } finally {
      this.#end(
        new LastgoodError('session-closed', `session ${this.id} was closed`, {
          hint: 'open it again with openSession',
        }),
      )
      // If what ended the session has been reported already, no second error is needed: the lease expires by itself.
      await this.store.release(this.#lease).catch((error: unknown) => {
        if (!endedBefore) throw error
      })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** The restart is a fact too, so that what was in flight has one way back in. Called once, on opening or forking. */
  async restore(refolded: boolean): Promise<void> {
    const { owner, cwd, callsElsewhere } = this.#options
    if (this.#seq === 0) {
      await this.stage([{ type: 'session-opened', owner, ...(cwd !== null && { cwd }), writer: writerVersion }])
      const kept = retentionChange(this.#facts, this.#options.retention)
      if (kept) await this.stage([kept])
    } else if (refolded || !(atRest.has(this.state) || (callsElsewhere && this.state === 'executingTools'))) {
      await this.record([{ type: 'session-resumed', owner, ...(refolded && { refolded }) }])
    }
    if (this.#seq > 0) await this.retain(this.#options.retention)
  }

  async #commit(bodies: readonly EntryBody[]): Promise<readonly Entry[]> {
    this.signal.throwIfAborted()
    const entries = this.#stamp(bodies)
    const stepped = stepThrough(this.id, this.#standing, entries)
    const outgoing = [...this.#staged, ...entries]
    if (outgoing.length === 0) return outgoing
    const head = headAfter(this.#known(), outgoing, stepped.snapshot)
    await this.#append(outgoing, head)
    this.#staged = []
    this.#seq = head.seq
    this.#adopt(entries, stepped)
    for (const entry of outgoing) this.#emitter.emit({ type: 'entry', entry })
    return entries
  }

  #stamp(bodies: readonly EntryBody[]): Entry[] {
    const stamp = { v: journalVersion, at: this.clock.now(), fence: this.#lease.fence, lane: 'main' } as const
    const after = this.#seq + this.#staged.length
    return bodies.map((body, i) => recordableEntry(body, { ...stamp, seq: after + 1 + i }))
  }

  #adopt(entries: readonly Entry[], standing: Standing): void {
    this.#standing = standing
    for (const entry of entries) {
      this.#transcript.apply(entry, this.id)
      this.#facts = factsAfter(this.#facts, entry)
      if (entry.type === 'response-received') {
        this.calls.handOut(this.#transcript.unanswered.map((call) => call.toolUseId))
      }
    }
  }

  #known(): Known {
    return {
      sessionId: this.id,
      facts: this.#facts,
      agent: this.agent,
      model: this.envelope?.body.model,
      machineVersion: this.#options.machineVersion,
    }
  }

  async #append(entries: readonly Entry[], head: Head): Promise<void> {
    try {
      await appendPatiently({ ...this.#patient, afterSeq: this.#seq, entries, head, signal: this.signal })
    } catch (error) {
      this.#end(error as Error)
      throw error
    }
  }

  get #patient() {
    return { store: this.store, lease: this.#lease, clock: this.clock, patienceMs: this.#options.storePatienceMs }
  }

  #end(reason: Error): void {
    this.#keeper.stop(reason)
    this.#ended.abort(reason)
  }
}
