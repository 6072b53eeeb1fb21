/**
 * The outages of one session, folded from its journal: from when to when, why, and how each ended. Pure.
 *
 * 1. It takes entries one by one, in order, so that a follower of the journal need not read it again.
 * 2. Only an outage of the API counts, as `outage-kinds.ts` defines it, and a request that the breaker held back.
 * 3. It keeps no content, and only the newest outages: its memory does not grow with a session that lives for weeks.
 */
import type { Entry } from '@lastgood/core'
import { faultLabel } from '../live/outage-line.ts'
import { shorten } from '../text.ts'
import { isHeldByOutage, isOutageKind } from './outage-kinds.ts'

export interface SessionOutage {
  /** When the first request failed, or was held back; epoch ms. */
  readonly since: number
  /** When it was answered, or given up; null while it lasts. */
  readonly until: number | null
  /** What failed last: `529 overloaded_error`. */
  readonly cause: string
  /** The model that was asked when it began; null where nothing was asked yet. */
  readonly model: string | null
  /** Requests sent during it, including the one that was answered. */
  readonly attempts: number
  /**
   * `same-model`, `fallback`: it was waited out, and the model that was asked, or another one, answered. `resumed`: the
   * session was suspended, or its process died, and the answer came after a resume. `suspended`: the session is
   * suspended. `given-up`: the request failed for good, or the turn was left.
   */
  readonly end: 'same-model' | 'fallback' | 'resumed' | 'suspended' | 'given-up' | null
  /** The first answer after it; null while there is none. */
  readonly answeredAt: number | null
}

/** An outage that the session came through. */
export type SurvivedOutage = SessionOutage & { until: number; end: 'same-model' | 'fallback' | 'resumed' }

function isSurvived(outage: SessionOutage): outage is SurvivedOutage {
  return outage.end === 'same-model' || outage.end === 'fallback' || outage.end === 'resumed'
}

/** The most that is kept of a session, the newest. */
const kept = 100

export class SessionOutages {
  #past: SessionOutage[] = []
  /** The outage that lasts, or that suspended the session. */
  #open: SessionOutage | null = null
  /** The session was reopened since the outage began. */
  #wasResumed = false
  #rung = 0
  #model: string | null = null

  /** The oldest first; the last one may still last. */
  get all(): readonly SessionOutage[] {
    return this.#open ? [...this.#past, this.#open] : this.#past
  }

  /** The model that was asked last. */
  get model(): string | null {
    return this.#model
  }

  /** The last outage that the session came through. */
  get lastSurvived(): SurvivedOutage | undefined {
    return this.#past.findLast(isSurvived)
  }

  /** What `entry` means for outages; undefined if it is about something else. */
  take(entry: Entry): 'failed' | 'answered' | undefined {
    switch (entry.type) {
      case 'request-sent':
        this.#model = shorten(entry.model, 60)
        if (this.#open) this.#open = { ...this.#open, attempts: this.#open.attempts + 1, ...lasting }
        return undefined
      case 'fault-observed':
        return this.#fault(entry)
      case 'request-held':
        if (isHeldByOutage(entry.reason)) this.#begin(entry.at, shorten(entry.reason, 120), 0)
        return undefined
      case 'rung-changed':
        this.#rung = entry.rung
        return undefined
      case 'session-resumed':
        this.#wasResumed = this.#open !== null
        return undefined
      case 'session-suspended':
        if (this.#open) this.#open = { ...this.#open, until: entry.at, end: 'suspended' }
        return undefined
      case 'response-received':
        this.#answered(entry.at)
        return 'answered'
      case 'kept-apart':
        // The body is not needed to know that there was an answer.
        if (entry.of !== 'response-received') return undefined
        this.#answered(entry.at)
        return 'answered'
      case 'turn-started':
      case 'rewound':
        this.#rung = 0
        this.#leave(entry.at)
        return undefined
      default:
        return undefined
    }
  }

  #fault({ fault, decision, at }: Entry & { type: 'fault-observed' }): 'failed' | undefined {
    if (!isOutageKind(fault.kind)) {
      // The outage has become another fault, which a person may have to mend.
      if (decision.kind === 'suspend' || decision.kind === 'fail') this.#leave(at)
      return undefined
    }
    this.#begin(at, faultLabel(fault), 1)
    const open = this.#open
    if (open && decision.kind === 'suspend') this.#open = { ...open, until: at, end: 'suspended' }
    if (open && decision.kind === 'fail') this.#leave(at)
    return 'failed'
  }

  #begin(at: number, cause: string, attempts: number): void {
    const open = this.#open
    if (!open) this.#wasResumed = false
    this.#open = open ? { ...open, ...lasting, cause } : { since: at, cause, model: this.#model, attempts, ...lasting }
  }

  #answered(at: number): void {
    const open = this.#open
    if (!open) {
      const last = this.#past.at(-1)
      if (last?.answeredAt === null) this.#past = [...this.#past.slice(0, -1), { ...last, answeredAt: at }]
      return
    }
    const wasParked = open.end === 'suspended' || this.#wasResumed
    this.#close({
      ...open,
      until: at,
      answeredAt: at,
      end: wasParked ? 'resumed' : this.#rung > 0 ? 'fallback' : 'same-model',
    })
  }

  /** An outage that suspended the session keeps that end, even when another turn begins instead. */
  #leave(at: number): void {
    const open = this.#open
    if (!open) return
    this.#close(open.end === 'suspended' ? open : { ...open, until: at, end: 'given-up' })
  }

  #close(outage: SessionOutage): void {
    this.#open = null
    this.#wasResumed = false
    this.#past = [...this.#past, outage].slice(-kept)
  }
}

const lasting = { until: null, end: null, answeredAt: null } as const
