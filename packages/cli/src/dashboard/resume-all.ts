/**
 * Resumes all sessions that an outage stopped, one after another, so that the end of one outage is not the beginning of
 * the next.
 *
 * 1. The first is a probe: the others wait for its first answer, however long that takes.
 * 2. The others follow one after another, at uneven pauses. As soon as one meets the outage again, no further one is
 *    started.
 * 3. Sessions that were started go on by themselves, whatever becomes of the rest.
 * 4. One that cannot go on for a reason of its own (no configuration, a spend limit) says why, and holds up no other.
 * 5. Each is looked at again before it is started: one that somebody has suspended or resumed meanwhile is left to
 *    them.
 */
import { type Clock, type Head, LastgoodError } from '@lastgood/core'
import type { Staggered } from '@lastgood/dashboard'
import { iso, isoOrNull } from '../durations.ts'
import { safeLine } from '../text.ts'
import type { ResumeProcess } from './resume-process.ts'
import { notResumed, type Resumes } from './resumes.ts'

export interface ResumeAllOptions {
  readonly clock: Clock
  readonly resumes: Pick<Resumes, 'start'>
  /** The session's head, if it is still stopped by an outage. */
  readonly stopped: (sessionId: string) => Promise<Head | undefined>
  /** Called whenever there is something new to show. */
  readonly onChange: () => void
}

const usualEveryMs = 5_000

/**
 * How one of them went: it was answered, or had nothing to ask; it met the outage; nobody waited for it; it no longer
 * needed to be resumed; or it could not go on.
 */
type Outcome =
  | { kind: 'answered' }
  | { kind: 'outage' }
  | { kind: 'unknown' }
  | { kind: 'needless' }
  | { kind: 'failed'; why: string }

interface Round {
  readonly startedAt: number
  readonly reason: string
  readonly everyMs: number
  readonly over: AbortController
  state: Staggered['state']
  done: string[]
  left: string[]
  failed: { sessionId: string; why: string }[]
  nextAt: number | null
}

export class ResumeAll {
  readonly #options: ResumeAllOptions
  #round: Round | undefined

  constructor(options: ResumeAllOptions) {
    this.#options = options
  }

  /** Null before the first round, and after one that ended without failures. */
  get standing(): Staggered | null {
    const round = this.#round
    if (!round) return null
    const { startedAt, reason, state, everyMs, nextAt, done, left, failed } = round
    return {
      startedAt: iso(startedAt),
      reason,
      state,
      everyMs,
      done: [...done],
      left: [...left],
      failed: [...failed],
      nextAt: isoOrNull(nextAt),
    }
  }

  get isGoing(): boolean {
    return this.#round !== undefined && this.#round.state !== 'stopped'
  }

  /**
   * Begins a round; resolves at its end. Errors: `journal-conflict` if one is under way or nothing is to be resumed.
   */
  start(sessionIds: readonly string[], reason: string, everyMs = usualEveryMs): Promise<void> {
    if (this.isGoing) {
      throw new LastgoodError('journal-conflict', 'sessions are being resumed one after another already', {
        hint: 'wait for it, or stop it first',
      })
    }
    if (sessionIds.length === 0) {
      throw new LastgoodError(
        'journal-conflict',
        'there is no session that an outage stopped and that can continue here',
        {
          hint: 'see what is there: lastgood list',
        },
      )
    }
    const left = [...sessionIds]
    const startedAt = this.#options.clock.now()
    const over = new AbortController()
    this.#round = { startedAt, reason, everyMs, over, state: 'probing', done: [], left, failed: [], nextAt: null }
    return this.#go(this.#round)
  }

  /** Starts no further session. */
  stop(): void {
    if (this.#round && this.isGoing) this.#stop(this.#round)
  }

  async #go(round: Round): Promise<void> {
    const queue = [...round.left]
    this.#changed()
    await this.#probe(round, queue)
    if (round.over.signal.aborted) return
    round.state = 'going'
    await this.#others(round, queue)
    if (round.over.signal.aborted) return
    // Failures stay on show; otherwise the sessions themselves say everything.
    if (round.failed.length > 0) this.#stop(round)
    else this.#round = undefined
    this.#changed()
  }

  /** Until one is answered. One that cannot be started is no probe. */
  async #probe(round: Round, queue: string[]): Promise<void> {
    for (let sessionId = queue.shift(); sessionId !== undefined; sessionId = queue.shift()) {
      const outcome = await this.#resume(round, sessionId, 'patient')
      if (round.over.signal.aborted || outcome.kind === 'answered') return
      if (outcome.kind === 'outage') return this.#stop(round)
    }
  }

  async #others(round: Round, queue: readonly string[]): Promise<void> {
    const { clock } = this.#options
    const { signal } = round.over
    const started: Promise<unknown>[] = []
    for (const sessionId of queue) {
      round.nextAt = Math.round(clock.now() + round.everyMs * (0.5 + clock.random()))
      this.#changed()
      await clock.sleepUntil(round.nextAt, { signal }).catch(() => {})
      if (signal.aborted) return
      const outcome = this.#resume(round, sessionId, 'strict').then((one) => {
        if (one.kind === 'outage') this.#stop(round)
      })
      started.push(outcome)
    }
    round.nextAt = null
    this.#changed()
    await Promise.race([Promise.all(started), aborted(signal)])
  }

  /** `patient`: meeting an outage that it waits out is no end. */
  async #resume(round: Round, sessionId: string, patience: 'patient' | 'strict'): Promise<Outcome> {
    const outcome = await this.#outcomeOf(round, sessionId, patience)
    if (outcome.kind === 'answered') round.done.push(sessionId)
    if (outcome.kind === 'failed') round.failed.push({ sessionId, why: outcome.why })
    if (outcome.kind === 'outage') round.failed.push({ sessionId, why: 'it met the outage again' })
    // A session that was started but not waited for stays in `left`: its outcome is unknown.
    if (outcome.kind !== 'unknown') round.left = round.left.filter((id) => id !== sessionId)
    this.#changed()
    return outcome
  }

  async #outcomeOf(round: Round, sessionId: string, patience: 'patient' | 'strict'): Promise<Outcome> {
    const { signal } = round.over
    let started: ResumeProcess
    try {
      const stopped = await this.#options.stopped(sessionId)
      if (signal.aborted) return { kind: 'unknown' }
      if (!stopped) return { kind: 'needless' }
      started = this.#options.resumes.start(stopped)
    } catch (error) {
      return { kind: 'failed', why: safeLine((error as Error).message) }
    }
    const leave = new AbortController()
    const met = new Promise<Outcome>((resolve) => {
      const stop = started.onNews((news) => {
        if (news === 'answered') resolve({ kind: 'answered' })
        if (news === 'failed' && patience === 'strict') resolve({ kind: 'outage' })
      })
      leave.signal.addEventListener('abort', stop, { once: true })
    })
    const ended = started.ended.then((end): Outcome => {
      if (end.exitCode === 0) return { kind: 'answered' }
      if (end.error?.code === 'session-suspended' && end.metOutage) return { kind: 'outage' }
      return { kind: 'failed', why: safeLine(notResumed(end, started.standing()).message) }
    })
    const isOver = aborted(signal).then((): Outcome => ({ kind: 'unknown' }))
    try {
      return await Promise.race([met, ended, isOver])
    } finally {
      leave.abort()
    }
  }

  #stop(round: Round): void {
    round.state = 'stopped'
    round.nextAt = null
    round.over.abort()
    this.#changed()
  }

  #changed(): void {
    this.#options.onChange()
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
