/**
 * A session's journal while this process holds it: the one place where entries are stamped, committed and adopted.
 *
 * 1. Commit, then act: `record` returns after the store has the entries; only then do state, transcript and listeners
 *    know of them (P1, P5). What the store refused never happened.
 * 2. One writer: entries go out one append at a time, under the lease's fence. When the fence is refused or the store
 *    cannot answer, this object is done: it aborts what runs for it, and the session must be opened again (P3, P5).
 * 3. State is never set, only stepped. `owed` is the one effect that the session waits for.
 * 4. A staged entry is adopted at once and goes out with the next append, which its caller makes right away: the last
 *    tool result and the next request share an append, so that a model-and-tools step costs two appends. If that append
 *    fails, this object is done, and everything that was only staged is lost.
 * 5. What a store acknowledged and lost is appended again, as long as the lease is ours (`recent-entries.ts`).
 */
import { CallsAtHand } from './calls-at-hand.ts'
import { factsAfter, headAfter, type Known, type SessionFacts } from './checkpoint.ts'
import { isLastgoodError, LastgoodError } from '../errors.ts'
import { Emitter } from './events.ts'
import type { Folded } from './fold.ts'
import { journalVersion, type Entry, type EntryBody } from '../journal/journal.ts'
import { keepLease, type LeaseKeeper } from './lease-keeper.ts'
import { oneAtATime } from '../one-at-a-time.ts'
import { appendPatiently, type Asking } from '../store/patient-append.ts'
import { RecentEntries } from './recent-entries.ts'
import { recordableEntry } from './recordable.ts'
import type { ResolvedOptions } from './session-options.ts'
import { stepThrough, type Standing } from '../machine/step-through.ts'
import type { Head } from '../store/head.ts'
import type { Lease } from '../store/store.ts'
import type { Transcript } from '../journal/transcript.ts'

export class HeldJournal {
  readonly sessionId: string
  readonly emitter = new Emitter()
  readonly transcript: Transcript
  /** The calls of the last answer, as this process knows them. */
  readonly calls: CallsAtHand
  readonly #options: ResolvedOptions
  readonly #asking: Asking
  readonly #keeper: LeaseKeeper
  readonly #ended = new AbortController()
  #standing: Standing
  #seq: number
  #facts: SessionFacts
  /** Adopted, and not yet durable. */
  #staged: Entry[] = []
  readonly #recent: RecentEntries
  readonly #inOrder = oneAtATime()
  #closing: Promise<void> | undefined

  /** `runs`: whether the lease surely runs, if that is known; see `keepLease`. */
  constructor(lease: Lease, folded: Folded, options: ResolvedOptions, runs?: () => boolean) {
    this.sessionId = lease.sessionId
    this.transcript = folded.transcript
    this.calls = new CallsAtHand(lease.sessionId)
    this.#options = options
    const { store, clock, storePatienceMs: patienceMs } = options
    this.#asking = { store, lease, clock, patienceMs, signal: this.signal }
    this.#standing = { snapshot: folded.snapshot, owed: folded.owed ?? { kind: 'rest' } }
    this.#seq = folded.seq
    this.#facts = folded.facts
    this.#recent = new RecentEntries(options.clock)
    this.#keeper = keepLease(this.#asking, options.leaseMs, (reason) => this.#end(reason), runs)
  }

  get standing(): Standing {
    return this.#standing
  }
  /** Sequence of the last durable entry. */
  get seq(): number {
    return this.#seq
  }
  get facts(): SessionFacts {
    return this.#facts
  }
  /** Aborts when this object is done; the reason says why. */
  get signal(): AbortSignal {
    return this.#ended.signal
  }

  /** To be called before an effect: see `LeaseKeeper`. */
  assertHeld(): Promise<void> {
    return this.#keeper.assertHeld()
  }

  /**
   * Commits facts: all of them in one append, or none. Returns their entries.
   *
   * Errors: `store-unavailable` and `lease-lost` end this object, `journal-conflict` for a fact that came too late.
   * After the end: what ended it. `headFor`: puts another head in the place of the state's, until the next append.
   */
  record(bodies: readonly EntryBody[], headFor?: (head: Head) => Head): Promise<readonly Entry[]> {
    return this.#inOrder(() => this.#commit(bodies, headFor))
  }

  /** Takes facts, all or none, that become durable with the next `record`: for a caller that records before it acts. */
  stage(bodies: readonly EntryBody[]): Promise<void> {
    return this.#inOrder(async () => {
      this.signal.throwIfAborted()
      const entries = this.#stamp(bodies)
      this.#adopt(entries, stepThrough(this.sessionId, this.#standing, entries))
      this.#staged.push(...entries)
    })
  }

  /** Gives the lease back and stops. Errors: `store-unavailable`. */
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
        new LastgoodError('session-closed', `session ${this.sessionId} was closed`, {
          hint: 'open it again with openSession',
        }),
      )
      // If what ended the session has been reported already, no second error is needed: the lease expires by itself.
      await this.#options.store.release(this.#asking.lease).catch((error: unknown) => {
        if (!endedBefore) throw error
      })
    }
  }

  async #commit(bodies: readonly EntryBody[], headFor = (head: Head) => head): Promise<readonly Entry[]> {
    this.signal.throwIfAborted()
    const entries = this.#stamp(bodies)
    const stepped = stepThrough(this.sessionId, this.#standing, entries)
    const outgoing = [...this.#staged, ...entries]
    if (outgoing.length === 0) return outgoing
    const head = headFor(headAfter(this.#known, outgoing, stepped.snapshot))
    await this.#append(outgoing, head)
    this.#staged = []
    this.#seq = head.seq
    this.#adopt(entries, stepped)
    for (const entry of outgoing) this.emitter.emit({ type: 'entry', entry })
    return entries
  }

  #stamp(bodies: readonly EntryBody[]): Entry[] {
    const stamp = {
      v: journalVersion,
      at: this.#options.clock.now(),
      fence: this.#asking.lease.fence,
      lane: 'main',
    } as const
    const after = this.#seq + this.#staged.length
    return bodies.map((body, i) => recordableEntry(body, { ...stamp, seq: after + 1 + i }))
  }

  #adopt(entries: readonly Entry[], standing: Standing): void {
    this.#standing = standing
    for (const entry of entries) {
      this.transcript.apply(entry, this.sessionId)
      this.#facts = factsAfter(this.#facts, entry)
      if (entry.type === 'response-received') {
        this.calls.handOut(this.transcript.unanswered.map((call) => call.toolUseId))
      }
    }
  }

  async #append(entries: readonly Entry[], head: Head): Promise<void> {
    const afterSeq = this.#seq
    try {
      await appendPatiently(this.#asking, { afterSeq, entries, head })
    } catch (error) {
      await this.#backfill(error as Error, entries, head)
    }
    this.#recent.add(entries)
  }

  /**
   * Appends what the store has lost, and then `entries`, in one. Late repeats of what it lost may come first: then less is
   * lost. If it refused them for anything else, that ends this object.
   */
  async #backfill(refusal: Error, entries: readonly Entry[], head: Head): Promise<void> {
    try {
      const lost = await this.#appendLost(refusal, entries, head)
      if (lost > 0) this.emitter.emit({ type: 'backfilled', entries: lost })
    } catch (error) {
      this.#end(error as Error)
      throw error
    }
  }

  /** Returns how many were lost. */
  async #appendLost(refusal: Error, entries: readonly Entry[], head: Head): Promise<number> {
    let refused: unknown = refusal
    for (let had = -1; ;) {
      const lost = this.#recent.lostBy(refused)
      // The same refusal again would go on for ever.
      if (!lost || lost.afterSeq <= had) throw refused
      had = lost.afterSeq
      try {
        await appendPatiently(this.#asking, { ...lost, entries: [...lost.entries, ...entries], head })
        return lost.entries.length
      } catch (error) {
        if (!isLastgoodError(error, 'journal-conflict')) throw error
      }
      try {
        await appendPatiently(this.#asking, { afterSeq: this.#seq, entries, head })
        return 0
      } catch (error) {
        refused = error
      }
    }
  }

  get #known(): Known {
    return {
      sessionId: this.sessionId,
      facts: this.#facts,
      agent: this.transcript.agent,
      model: this.transcript.envelope?.body.model,
      machineVersion: this.#options.machineVersion,
    }
  }

  #end(reason: Error): void {
    this.#keeper.stop(reason)
    this.#ended.abort(reason)
  }
}
