/**
 * What keeps a session from its answer, folded from its journal: the report, the dashboard and the live line all tell of
 * this. Pure; it takes entries one by one, in order.
 *
 * 1. A trouble begins with a fault of any kind, with a request that is held or given to another rung before it was
 *    sent, or with the end of a process in the middle of a turn, unless a person stopped it. What only a limiter held is
 *    waited for, but no trouble once it is answered.
 * 2. It ends with the answer, also where the session was suspended meanwhile; or with its turn, when that is left; or
 *    when the request is refused for its own content, which its caller is told at once.
 * 3. It is an outage from the first failure of the API on, as `outage-kinds.ts` defines it.
 * 4. The live line is about what can be seen: faults and waits of any kind, and nothing while the session is suspended.
 */
import { heldBy, withoutSecrets, type Context, type Entry, type Fault, type StateName } from '@lastgood/core'
import { safeLine, shorten } from '../text.ts'
import { countIn, type Failing } from './model-outages.ts'
import { faultLabel, isHeldByOutage, isOutageKind } from './outage-kinds.ts'

/** What answered; after a repair, or after a resume, whatever model it was. */
export const answeredBy = ['same-model', 'fallback', 'repaired', 'resumed'] as const
export type AnsweredBy = (typeof answeredBy)[number]

/** How a trouble ended: what answered, or what was done instead. */
export type TroubleEnd = AnsweredBy | 'rewound' | 'left' | 'refused'

export interface Parked {
  readonly reason: string
  /** Epoch ms; undefined if no next try makes sense. */
  readonly retryAt?: number | undefined
}

/** How a session came through an outage. */
export const survivedBy = ['same-model', 'fallback', 'resumed'] as const
type SurvivedBy = (typeof survivedBy)[number]

export interface SessionOutage {
  /** When the first request failed, or was held back; epoch ms. */
  readonly since: number
  /** When it was answered, or given up; null while it lasts. */
  readonly until: number | null
  /** What failed last: `529 overloaded_error`. */
  readonly cause: string
  /** The model that was asked when it began; null where that is not known. */
  readonly model: string | null
  /** Requests sent during it, including the one that was answered. */
  readonly attempts: number
  /**
   * `same-model`, `fallback`: it was waited out, and the model that was asked, or another one, answered. `resumed`: the
   * session was suspended, or its process died, and the answer came after a resume. `suspended`: the session is
   * suspended. `given-up`: the request failed for good, for another reason, or the turn was left.
   */
  readonly end: SurvivedBy | 'suspended' | 'given-up' | null
  /** The first answer after it; null while there is none. */
  readonly answeredAt: number | null
}

/** What the live line says. */
export interface LiveTrouble {
  /** What failed last. */
  readonly label: string
  /** The attempt that failed last, or that is under way. */
  readonly attempt: number
  /** When the first attempt failed, epoch ms. */
  readonly since: number
  /** When the next one leaves, epoch ms; null while one is under way. */
  readonly until: number | null
  /** The label says why nothing was sent, e.g. an open circuit breaker of the model; nothing is sent until `until`. */
  readonly isHeld?: true
  /** The model that the ladder handed the turn to; nothing is known about it yet. */
  readonly asking?: string
  /** The model of the ladder that failed last; absent for the first. */
  readonly failed?: string
}

export interface Trouble {
  readonly from: number
  /** The model that was asked when it began. */
  readonly model: string
  /** When it ended; undefined while it is open. */
  to?: number
  end?: TroubleEnd
  faults: number
  /** More than a limiter keeps it. */
  isReal?: boolean
  /** What it waits for. */
  held?: Parked
  /** By the model that failed. */
  readonly failing: Map<string, Omit<Failing, 'sessionId' | 'model'> & { labels: Map<string, number> }>
  outage?: SessionOutage
  live?: LiveTrouble
  isRepaired?: true
  isResumed?: true
  /** It was resumed since the API failed first. */
  isOutageResumed?: boolean
}

/** Where a session stands; an opened one will do. */
export interface StandingSession {
  readonly state: StateName
  readonly context: Readonly<Pick<Context, 'attempt' | 'firstFaultAt' | 'wakeAt' | 'reason'>>
}

const lasting = { until: null, end: null, answeredAt: null } as const

export class Troubles {
  #open: Trouble | undefined
  /** The model that is asked, and the one that the caller asks for, whatever rung has the turn. */
  #model = ''
  #asked = ''
  #rung = 0
  #attempt = 0
  #lastAt = 0
  /** The turn that is open was asked for: one that another process begins, as `submit` does, is not interrupted. */
  #isAsked = false
  #parked: Parked | undefined

  /** Those of a session that goes on from where it stands. */
  static from({ state, context }: StandingSession, now: number): Troubles {
    const troubles = new Troubles()
    const { attempt, firstFaultAt, wakeAt, reason } = context
    troubles.#attempt = attempt
    // One that is suspended may also know when a next try makes sense, but nobody waits for it.
    if (state === 'backingOff' && wakeAt !== null) troubles.#waits(firstFaultAt ?? now, reason ?? 'fault', wakeAt)
    return troubles
  }

  /** Why the session does not go on by itself, after the last entry read. */
  get parked(): Parked | undefined {
    return this.#parked ?? this.#open?.held
  }

  /** The trouble that has not ended. */
  get open(): Trouble | undefined {
    return this.#open
  }

  /** What there is to show of it now. */
  get live(): LiveTrouble | undefined {
    return this.#parked ? undefined : this.#open?.live
  }

  /** That is asked, or was last. */
  get model(): string {
    return this.#model
  }

  /** The attempt under way; 0 for none. */
  get attempt(): number {
    return this.#attempt
  }

  /** Returns the trouble that `entry` ended. */
  take(entry: Entry): Trouble | undefined {
    const ended = this.#step(entry)
    this.#lastAt = entry.at
    return ended
  }

  #step(entry: Entry): Trouble | undefined {
    const { at } = entry
    switch (entry.type) {
      case 'envelope-changed':
        this.#asked = this.#model = entry.envelope.body.model
        return undefined
      case 'turn-started':
        return this.#left(at, 'left')
      case 'rewound':
        return this.#left(at, 'rewound')
      case 'request-sent':
        return this.#sent(entry)
      case 'request-held':
        return this.#held(entry)
      case 'rung-changed':
        return this.#moved(entry)
      case 'fault-observed':
        return this.#fault(entry)
      case 'session-suspended':
        return this.#park(at, { reason: entry.detail, retryAt: entry.retryAt }, 'suspended')
      case 'session-resumed':
        return this.#resumed()
      case 'response-received':
        return this.#answered(at)
      case 'turn-ended':
        this.#isAsked = false
        return undefined
      case 'kept-apart':
        // The body is not needed to know that there was an answer, or another turn.
        if (entry.of === 'turn-started') return this.#left(at, 'left')
        return entry.of === 'response-received' ? this.#answered(at) : undefined
      default:
        return undefined
    }
  }

  #begun(at: number, isReal = true): Trouble {
    this.#open ??= { from: at, model: this.#model, faults: 0, failing: new Map() }
    this.#open.isReal ||= isReal
    return this.#open
  }

  /** Changes what there is of the open trouble. */
  #change(live: Partial<LiveTrouble>, outage: Partial<SessionOutage> = {}): void {
    const open = this.#open
    if (open?.live) open.live = { ...open.live, ...live }
    if (open?.outage) open.outage = { ...open.outage, ...outage }
  }

  #sent({ model, attempt }: Entry & { type: 'request-sent' }): undefined {
    this.#isAsked = true
    this.#model = model
    this.#attempt = attempt
    // The envelope may be kept apart.
    if (this.#rung === 0) this.#asked = model
    this.#change({ attempt, until: null }, { ...lasting, attempts: (this.#open?.outage?.attempts ?? 0) + 1 })
  }

  /** Other sessions found the model down, and this one waits with them; or a limit is reached, which is no failure. */
  #held({ at, until, reason }: Entry & { type: 'request-held' }): undefined {
    this.#isAsked = true
    const open = this.#waits(at, reason, until)
    open.held = { reason, retryAt: until }
    if (isHeldByOutage(reason)) this.#fails(open, at, reason)
  }

  #waits(at: number, reason: string, until: number): Trouble {
    const { because } = heldBy(reason)
    const open = this.#begun(at, because !== 'limiter')
    const isHeld = because !== 'fault'
    this.#shows(open, { label: safeLine(reason), since: at, until, ...(isHeld && { isHeld }) })
    return open
  }

  #moved({ at, rung, model, reason }: Entry & { type: 'rung-changed' }): undefined {
    const open = rung > 0 ? this.#begun(at) : this.#open
    if (open && rung > 0 && isHeldByOutage(reason)) this.#fails(open, at, reason)
    this.#rung = rung
    this.#model = model
    this.#change({ asking: safeLine(model), until: null })
  }

  #fault({ at, fault, decision }: Entry & { type: 'fault-observed' }): Trouble | undefined {
    const open = this.#begun(at)
    const label = faultLabel(fault)
    const isOutage = isOutageKind(fault.kind)
    open.faults += 1
    if (isOutage) this.#fails(open, at, label, fault)
    this.#shows(open, { label, since: at, until: decision.kind === 'retry' ? decision.at : null })
    if (decision.kind === 'repair') open.isRepaired = true
    if (decision.kind === 'suspend') this.#park(at, decision, isOutage ? 'suspended' : 'given-up')
    if (decision.kind !== 'fail') return undefined
    this.#parked = { reason: decision.reason }
    return this.#ended(at, 'refused')
  }

  /** The API failed, with `fault` if a request did. */
  #fails(open: Trouble, at: number, cause: string, fault?: Fault): void {
    const said = fault?.message && shorten(withoutSecrets(fault.message), 120)
    const known = open.failing.get(this.#model) ?? { from: at, faults: 0, labels: new Map(), said }
    if (fault) countIn(known.labels, cause, 1)
    const faults = known.faults + (fault ? 1 : 0)
    open.failing.set(this.#model, { ...known, to: at, said: known.said ?? said, faults })
    const begun = { since: at, model: shorten(this.#model, 60) || null, attempts: faults }
    open.outage = { ...begun, ...open.outage, ...lasting, cause: shorten(cause, 120) }
  }

  #shows(open: Trouble, { since, ...now }: Omit<LiveTrouble, 'attempt' | 'asking' | 'failed'>): void {
    const failed = open.live?.asking ?? open.live?.failed
    const attempt = this.#attempt
    open.live = { ...now, attempt, since: open.live?.since ?? since, ...(failed !== undefined && { failed }) }
  }

  #park(at: number, { reason, retryAt }: Parked, end: 'suspended' | 'given-up'): undefined {
    this.#parked = { reason, retryAt }
    this.#change({ until: null }, { until: at, end })
  }

  #resumed(): undefined {
    const open = this.#isAsked && !this.#parked ? this.#begun(this.#lastAt) : this.#open
    if (open) Object.assign(open, { isResumed: true, isOutageResumed: open.outage !== undefined })
    this.#parked = undefined
  }

  /** The turn was left: it is not answered, whatever is asked next. */
  #left(at: number, how: 'left' | 'rewound'): Trouble | undefined {
    const ended = this.#ended(at, how)
    this.#parked = undefined
    this.#isAsked = how === 'rewound' && this.#isAsked
    this.#rung = 0
    this.#model = this.#asked
    return ended
  }

  #answered(at: number): Trouble | undefined {
    const { isResumed, isRepaired, isOutageResumed, model } = this.#open ?? {}
    const by = model === '' || model === this.#model ? 'same-model' : 'fallback'
    this.#change({}, { until: at, answeredAt: at, end: isOutageResumed ? 'resumed' : by })
    this.#parked = undefined
    this.#attempt = 0
    return this.#ended(at, isResumed ? 'resumed' : isRepaired ? 'repaired' : by)
  }

  #ended(at: number, end: TroubleEnd): Trouble | undefined {
    const open = this.#open
    this.#open = undefined
    if (!open?.isReal) return undefined
    const last = open.failing.get(this.#model)
    // The model counts as failing until its answer.
    if (last && end !== 'left' && end !== 'rewound') open.failing.set(this.#model, { ...last, to: at })
    // One that suspended the session keeps that end, even when another turn begins instead.
    if (open.outage?.end === null) open.outage = { ...open.outage, until: at, end: 'given-up' }
    return Object.assign(open, { to: at, end })
  }
}
