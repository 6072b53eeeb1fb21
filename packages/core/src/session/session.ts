/**
 * A session that is open for writing: what a program reads of it and does with it. What becomes a fact of it goes through
 * its journal (`held-journal.ts`); what has an effect, through the ledgers.
 */
import type { CallsAtHand } from './calls-at-hand.ts'
import type { SessionFacts } from './checkpoint.ts'
import type { Clock } from '../clock.ts'
import { LastgoodError } from '../errors.ts'
import type { Listener, SessionEvent } from './events.ts'
import type { Folded } from './fold.ts'
import { HeldJournal } from './held-journal.ts'
import type { Block, Entry, EntryBody, Envelope, Message, Owner } from '../journal/journal.ts'
import { copyOf } from '../json.ts'
import type { Context, Effect, StateName } from '../machine/machine-state.ts'
import type { Policy } from '../policy/options.ts'
import { retentionChange, type Retention } from './retention.ts'
import { jsonText } from './recordable.ts'
import { RunQueue } from './run-queue.ts'
import type { ResolvedOptions } from './session-options.ts'
import { StepLedger, type StepContext, type StepOptions, type ToolStepOptions } from './step-ledger.ts'
import type { Lease, Store } from '../store/store.ts'
import type { ToolContent } from './tool-content.ts'
import type { ToolContext } from './tool-ledger.ts'
import type { Transcript } from '../journal/transcript.ts'
import { Watchers } from '../watching/watcher.ts'

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
  readonly watchers = new Watchers()
  /** Who holds the lease: this object. */
  readonly owner: Owner
  readonly #journal: HeldJournal
  readonly #steps = new StepLedger(this)
  readonly #runs: RunQueue

  /** `runs`: see `HeldJournal`. */
  constructor(lease: Lease, folded: Folded, options: ResolvedOptions, runs: () => boolean) {
    this.id = lease.sessionId
    this.store = options.store
    this.clock = options.clock
    this.policy = options.policy
    this.decide = options.decide
    this.limiter = options.limiter
    this.owner = options.owner
    this.#journal = new HeldJournal(lease, folded, options, runs)
    this.#runs = new RunQueue(this.id)
  }

  /** Turns started, and the last one that ended, 0 if none: where `resume` can always go back to. */
  get turn(): number {
    return this.context.turn
  }
  get lastGoodTurn(): number {
    return this.context.lastGoodTurn
  }
  /** Sequence of the last durable entry. */
  get seq(): number {
    return this.#journal.seq
  }
  get state(): StateName {
    return this.#journal.standing.snapshot.value
  }
  get context(): Readonly<Context> {
    return this.#journal.standing.snapshot.context
  }
  /** A turn was started and has not ended. */
  get hasOpenTurn(): boolean {
    return this.turn > this.lastGoodTurn
  }
  /** Parked with a reason; see `context.reason`. */
  get isParked(): boolean {
    return this.state === 'suspended' || this.state === 'refused' || this.state === 'needsInput'
  }
  /** The one thing that has to happen next; `rest` when a new turn can start. */
  get owed(): Effect {
    return this.#journal.standing.owed
  }
  /** The pinned parts of a request, once one was sent. */
  get envelope(): Envelope | undefined {
    return this.transcript.envelope
  }
  /** Name of the agent whose envelope is pinned. */
  get envelopeAgent(): string | undefined {
    return this.transcript.envelopeAgent
  }
  /** Name of the agent of the last turn, if one ran it. */
  get agent(): string | undefined {
    return this.transcript.agent
  }
  /** When and where it was opened, what it was forked from, and how long it is kept. */
  get facts(): SessionFacts {
    return this.#journal.facts
  }
  get transcript(): Readonly<Omit<Transcript, 'apply'>> {
    return this.#journal.transcript
  }
  /** For the tool ledger, and for other code that runs the session's work. */
  get calls(): CallsAtHand {
    return this.#journal.calls
  }
  /** Aborts when the session is closed, loses its lease, or its store cannot take entries; the reason says which. */
  get signal(): AbortSignal {
    return this.#journal.signal
  }

  /**
   * A copy of the whole conversation up to the last durable step, ready to be sent. Tool calls of unknown outcome are
   * answered by an error result that says so.
   */
  messages(): Message[] {
    return copyOf(this.transcript.conversation())
  }

  /** Calls `listener` for every event from now on; returns the way to stop. */
  subscribe(listener: Listener): () => void {
    return this.#journal.emitter.subscribe(listener)
  }

  /** The events from now on, until the session ends. */
  events(): AsyncGenerator<SessionEvent, void, undefined> {
    return this.#journal.emitter.iterate(this.signal)
  }

  /** To be called before an effect: see `LeaseKeeper`. */
  assertHeld(): Promise<void> {
    return this.#journal.assertHeld()
  }

  /** Tell listeners of something provisional. */
  emit(event: Exclude<SessionEvent, { type: 'entry' }>): void {
    this.#journal.emitter.emit(event)
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
    const span = this.transcript.turns.find((one) => one.turn === turn && one.to !== undefined)
    if (turn !== 0 && !span) {
      throw new LastgoodError('bad-option', `session ${this.id}: there is no finished turn ${turn} to go back to`, {
        hint: `finished turns: ${this.transcript.turns.flatMap(({ turn: n, to }) => (to === undefined ? [] : [n])).join(', ') || 'none'}`,
      })
    }
    await this.record([{ type: 'rewound', messages: span?.to ?? 0, turn, lastGoodTurn: turn, reason }])
  }

  /** Say when this session may be pruned; see `retention.ts`. What is left out stays as it is. */
  async retain(wanted: Retention): Promise<void> {
    const body = retentionChange(this.facts, wanted)
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
    return this.#journal.record(bodies)
  }

  /** Takes facts, all or none, that become durable with the next `record`: for a caller that records before it acts. */
  stage(bodies: readonly EntryBody[]): Promise<void> {
    return this.#journal.stage(bodies)
  }

  /** Give the lease back and stop. A turn that is open stays open and can be resumed. Errors: `store-unavailable`. */
  close(): Promise<void> {
    return this.#journal.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
