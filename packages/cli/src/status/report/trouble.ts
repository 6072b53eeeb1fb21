/**
 * One session's troubles: each from its first failure to the answer, the rewind or the journal's end. A fold.
 *
 * 1. A request refused for its own content is reported to its caller at once, which ends the trouble.
 * 2. A process that ended in the middle of a turn is a trouble too, unless a person stopped it.
 */
import { withoutSecrets, type Entry } from '@lastgood/core'
import { faultLabel } from '../../live/outage-line.ts'
import { isHeldByOutage, isOutageKind } from '../../outages/outage-kinds.ts'
import { shorten } from '../../text.ts'
import { countIn, type Failing } from './outages.ts'

/** How a trouble ended: what answered, or what was done instead. */
export type TroubleEnd = 'same-model' | 'fallback' | 'repaired' | 'resumed' | 'rewound' | 'refused'

export interface Parked {
  readonly reason: string
  /** Epoch ms; undefined if no next try makes sense. */
  readonly retryAt: number | undefined
}

export interface Trouble {
  readonly from: number
  /** When it ended; undefined while it is open. */
  to: number | undefined
  end: TroubleEnd | undefined
  faults: number
  /** What it waits for, or is parked for. */
  parked: Parked | undefined
  /** By the model that failed. */
  readonly failing: Map<string, Omit<Failing, 'sessionId' | 'model'> & { labels: Map<string, number> }>
}

/** A trouble that has not ended, and what was done about it so far. */
interface Open extends Trouble {
  readonly model: string
  isResumed: boolean
  isRepaired: boolean
}

export class Troubles {
  /** The trouble that has not ended. */
  #open: Open | undefined
  #model = ''
  /** The model that the caller asks for, whatever rung has the turn. */
  #asked = ''
  #lastAt = 0
  /** The turn that is open was asked for: one that another process begins, as `submit` does, is not interrupted. */
  #isAsked = false
  #parked: Parked | undefined

  /** Why the session does not go on by itself, after the last entry read. */
  get parked(): Parked | undefined {
    return this.#parked ?? this.#open?.parked
  }

  get open(): Trouble | undefined {
    return this.#open
  }

  /** Returns the trouble that `entry` ended. */
  take(entry: Entry): Trouble | undefined {
    const ended = this.#step(entry)
    this.#lastAt = entry.at
    return ended
  }

  #step(entry: Entry): Trouble | undefined {
    switch (entry.type) {
      case 'turn-started':
        this.#isAsked = false
        this.#parked = undefined
        this.#model = this.#asked
        return undefined
      case 'envelope-changed':
        this.#asked = entry.envelope.body.model
        this.#model = this.#asked
        return undefined
      case 'turn-ended':
        this.#isAsked = false
        return undefined
      case 'request-sent':
        this.#isAsked = true
        this.#model = entry.model
        return undefined
      case 'request-held':
        this.#isAsked = true
        this.#held(entry)
        return undefined
      case 'fault-observed':
        return this.#fault(entry)
      case 'rung-changed':
        this.#rung(entry)
        return undefined
      case 'session-suspended':
        this.#parked = { reason: entry.detail, retryAt: entry.retryAt }
        return undefined
      case 'session-resumed':
        if (this.#isAsked && !this.#parked) this.#begun(this.#lastAt)
        if (this.#open) this.#open.isResumed = true
        this.#parked = undefined
        return undefined
      case 'response-received':
        this.#parked = undefined
        return this.#ended(entry.at, this.#howAnswered())
      case 'rewound':
        this.#parked = undefined
        return this.#ended(entry.at, 'rewound')
      default:
        return undefined
    }
  }

  #begun(at: number): Open {
    this.#open ??= {
      from: at,
      to: undefined,
      end: undefined,
      faults: 0,
      parked: undefined,
      failing: new Map(),
      model: this.#model,
      isResumed: false,
      isRepaired: false,
    }
    return this.#open
  }

  #fault({ at, fault, decision }: Entry & { type: 'fault-observed' }): Trouble | undefined {
    const open = this.#begun(at)
    open.faults += 1
    if (isOutageKind(fault.kind)) {
      const said = fault.message && shorten(withoutSecrets(fault.message), 120)
      this.#fails(open, at, faultLabel(fault), said)
    }
    if (decision.kind === 'repair') open.isRepaired = true
    if (decision.kind === 'suspend') this.#parked = { reason: decision.reason, retryAt: decision.retryAt }
    if (decision.kind !== 'fail') return undefined
    this.#parked = { reason: decision.reason, retryAt: undefined }
    return this.#ended(at, 'refused')
  }

  /** Other sessions found the model down, and this one waits with them. A rate limit is not a failure. */
  #held({ at, until, reason }: Entry & { type: 'request-held' }): void {
    const open = this.#begun(at)
    open.parked = { reason, retryAt: until }
    if (isHeldByOutage(reason)) this.#fails(open, at, undefined, undefined)
  }

  #rung({ at, rung, model, reason }: Entry & { type: 'rung-changed' }): void {
    if (rung > 0) {
      const open = this.#begun(at)
      if (isHeldByOutage(reason)) this.#fails(open, at, undefined, undefined)
    }
    this.#model = model
  }

  #fails(open: Open, at: number, label: string | undefined, said: string | undefined): void {
    const known = open.failing.get(this.#model) ?? { from: at, to: at, faults: 0, labels: new Map(), said }
    if (label !== undefined) countIn(known.labels, label, 1)
    open.failing.set(this.#model, {
      ...known,
      to: at,
      said: known.said ?? said,
      faults: known.faults + (label === undefined ? 0 : 1),
    })
  }

  #howAnswered(): TroubleEnd {
    const { isResumed, isRepaired, model } = this.#open ?? {}
    if (isResumed) return 'resumed'
    return isRepaired ? 'repaired' : model === '' || model === this.#model ? 'same-model' : 'fallback'
  }

  #ended(at: number, end: TroubleEnd): Trouble | undefined {
    const open = this.#open
    this.#open = undefined
    if (!open) return undefined
    // The model counts as failing until this moment.
    const last = open.failing.get(this.#model)
    if (last && end !== 'rewound') open.failing.set(this.#model, { ...last, to: at })
    return Object.assign(open, { to: at, end })
  }
}
