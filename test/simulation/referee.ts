/**
 * Sees what happens outside of lastgood, as it happens: what the store applied, what processes were told, what tools
 * did, and which requests arrived. What is wrong at that instant it says at once; `verdict.ts` judges the rest.
 */
import type { Block, Entry, InDoubt, Message, Store } from '@lastgood/core'
import { readJournal, wholeEntry, type Told } from './journal-reader.ts'
import type { World } from './world.ts'

export const leaseMs = 30_000

/** A request as it arrived, and the journal up to its announcement. */
export interface Asked {
  who: string
  sessionId: string
  journal: readonly Entry[]
  announcedAt: number
  messages: readonly Message[]
}

/** One run of a step. */
export interface StepRun {
  who: string
  ownerId: string
  sessionId: string
  /** Its idempotency key. */
  id: string
  /** By its rule, or because somebody has looked, or decided. */
  mayRepeat: boolean
  /** A step that may run again in any case needs no announcement. */
  isUnannounced: boolean
}

export interface Acknowledged {
  sessionId: string
  entry?: Entry
  /** A stream that goes on after a break may begin with blocks of the attempt that broke. */
  answer?: readonly Block[]
  result?: Block
}

export class Referee {
  readonly asked: Asked[] = []
  readonly acknowledged: Acknowledged[] = []
  /** Journals of removed sessions. */
  readonly removed: Entry[][] = []
  readonly journals = new Map<string, Entry[]>()
  /** By session, how many requests its callers gave up and may ask again. */
  readonly givenUp = new Map<string, number>()
  /** Those that a process was told are made. */
  readonly forks = new Set<string>()
  readonly #world: World
  /** Who was given each session last. */
  readonly #holders = new Map<string, string>()
  /** By owner: its fence, the journal that it writes, and when it asked what told it last that it holds the lease. */
  readonly #leases = new Map<string, { fence: number; journal: Entry[]; renewedAt: number }>()
  /** `isStale`: by a writer that was superseded meanwhile. */
  readonly #ran: { sessionId: string; call: string; isStale: boolean }[] = []
  readonly #permitted = new Set<string>()
  #values = 0
  readonly #stepsRan: { id: string; value: string; sessionId: string; isStale: boolean }[] = []
  /** What a program was told of a step: by session, and by what it asked for there. */
  readonly #toldOfSteps = new Map<string, Map<string, string>>()
  readonly #announced = new Set<Entry>()
  /** What is kept apart, by its name. */
  readonly #blobs = new Map<string, string>()
  /** By the place that a fork goes on from. */
  readonly #inherited = new Map<string, readonly Entry[]>()

  constructor(world: World) {
    this.#world = world
  }

  /** `store`, with everything that it applies seen. */
  watch(store: Store): Store {
    return {
      ...store,
      acquire: async (sessionId, owner, ttlMs, takeover) => {
        const result = await store.acquire(sessionId, owner, ttlMs, takeover)
        if (result.kind === 'lease') {
          const { fence } = result
          this.#holders.set(sessionId, owner.id)
          this.#leases.set(owner.id, { fence, journal: this.journalOf(sessionId), renewedAt: this.#world.clock.now() })
          this.#world.tell('store', `${sessionId} is given to ${owner.id}, fence ${fence}`)
        }
        return result
      },
      append: async (lease, afterSeq, entries, head) => {
        const last = await store.append(lease, afterSeq, entries, head)
        const { sessionId, owner } = lease
        if (this.#holders.get(sessionId) !== owner.id)
          this.#world.find('P3', `the store took entries of ${sessionId} from ${owner.id}, which is superseded`)
        const journal = this.journalOf(sessionId)
        const added = structuredClone(entries.filter(({ seq }) => seq > journal.length)).map((one) => this.#whole(one))
        for (const entry of added) {
          journal.push(entry)
          if (entry.type === 'session-forked') {
            const { origin } = entry
            const parent = this.journalOf(origin.sessionId).slice(0, origin.seq)
            this.#inherited.set(JSON.stringify(origin), this.history(parent))
          }
          this.#world.tell('store', `${sessionId} ${entry.seq} of fence ${entry.fence}: ${entry.type}`)
        }
        return last
      },
      putBlob: async (lease, name, text) => {
        await store.putBlob(lease, name, text)
        this.#blobs.set(name, text)
      },
      remove: async (sessionId, lease) => {
        await store.remove(sessionId, lease)
        this.removed.push(this.journalOf(sessionId))
        this.journals.delete(sessionId)
        this.forks.delete(sessionId)
        this.#toldOfSteps.delete(sessionId)
        const isOfAnother = ({ id }: { id: string }) => !id.startsWith(`${sessionId}:`)
        this.#stepsRan.splice(0, Infinity, ...this.#stepsRan.filter(isOfAnother))
        this.#world.tell('store', `${sessionId} is removed`)
      },
    }
  }

  journalOf(sessionId: string): Entry[] {
    const journal = this.journals.get(sessionId) ?? []
    this.journals.set(sessionId, journal)
    return journal
  }

  #whole(entry: Entry): Entry {
    const text = entry.type === 'kept-apart' ? this.#blobs.get(entry.blob.name) : undefined
    return wholeEntry(entry, text)
  }

  /** With what a fork inherits, also when its parent is gone by now. */
  history(journal: readonly Entry[]): readonly Entry[] {
    const forked = journal.find((entry) => entry.type === 'session-forked')
    return forked ? [...this.#inherited.get(JSON.stringify(forked.origin))!, ...journal] : journal
  }

  /** A fork that was never reported as made, of a session that was removed meanwhile. */
  isOrphan(sessionId: string): boolean {
    const forked = this.journalOf(sessionId).find((entry) => entry.type === 'session-forked')
    if (!forked || this.forks.has(sessionId)) return false
    const { origin } = forked
    return this.journalOf(origin.sessionId)[origin.seq - 1]?.at !== origin.at
  }

  told(sessionId: string): Told {
    return readJournal(this.history(this.journalOf(sessionId)))
  }

  /** The store has told a lease's owner, who asked at this instant, that it was extended. */
  renewed(ownerId: string, askedAt: number): void {
    const lease = this.#leases.get(ownerId)
    if (lease) lease.renewedAt = Math.max(lease.renewedAt, askedAt)
  }

  /** A request arrives at the provider. Returns its place in `asked`. */
  arrives(who: string, ownerId: string, sessionId: string, messages: readonly Message[]): number {
    const { journal, fence } = this.#leases.get(ownerId)!
    const announcedAt = journal.findLastIndex((entry) => entry.type === 'request-sent' && entry.fence === fence)
    const announcement = journal[announcedAt]
    if (!announcement || this.#announced.has(announcement))
      this.#world.find('P5', `${who} sent a request of ${sessionId} that the journal does not announce`)
    else this.#announced.add(announcement)
    return this.asked.push({ who, sessionId, journal, announcedAt, messages }) - 1
  }

  /** A caller does not wait for its request any more, or for the rest of its answer. */
  givesUp(sessionId: string): void {
    this.givenUp.set(sessionId, (this.givenUp.get(sessionId) ?? 0) + 1)
  }

  hasRun(sessionId: string, call: string): boolean {
    return this.#ran.some((one) => one.sessionId === sessionId && one.call === call)
  }

  /** Somebody has looked, or decided: the call may run once more. */
  permit(sessionId: string, call: string): void {
    this.#permitted.add(`${sessionId} ${call}`)
  }

  /** A tool begins. `isGuarded`: lastgood runs it; otherwise a loop does so by itself. */
  effect(who: string, ownerId: string, sessionId: string, call: string, rule: InDoubt, isGuarded: boolean): void {
    this.#world.tell(who, `runs ${call} of ${sessionId} (${rule})`)
    const before = this.#ran.filter((one) => one.sessionId === sessionId && one.call === call)
    const isStale = this.#holders.get(sessionId) !== ownerId
    this.#ran.push({ sessionId, call, isStale })
    if (isStale) {
      if (isGuarded) this.#judgeStale(who, ownerId, sessionId, call)
      return
    }
    const told = this.told(sessionId)
    if (!told.calls.includes(call))
      this.#world.find('P2', `${who} ran ${call} of ${sessionId}, for which the last answer does not call`)
    const isPermitted = this.#permitted.delete(`${sessionId} ${call}`)
    if (told.results.has(call)) this.#world.find('P2', `${who} ran ${call} of ${sessionId}, which has a result`)
    else if (before.length > 0 && rule !== 'rerun' && !isPermitted)
      this.#world.find('P2', `${who} silently repeated ${call} of ${sessionId}`)
    const announced = told.started.filter((one) => one === call).length
    if (before.filter((one) => !one.isStale).length >= announced)
      this.#world.find('P5', `${who} ran ${call} of ${sessionId}, which is not announced`)
  }

  /** Somebody took the session while its lease ran: what was under way then cannot be called back. */
  #judgeStale(who: string, ownerId: string, sessionId: string, what: string): void {
    const passedMs = this.#world.clock.now() - this.#leases.get(ownerId)!.renewedAt
    if (passedMs <= leaseMs) return
    const since = `${passedMs} ms after it last asked for the lease of ${sessionId}`
    this.#world.find('P3', `${who} ran ${what} ${since}, which another one has`)
  }

  /** A step begins. Returns its value. */
  runsStep({ who, ownerId, sessionId, id, mayRepeat, isUnannounced }: StepRun): string {
    const value = `value ${(this.#values += 1)}`
    this.#world.tell(who, `runs the step ${id} of ${sessionId}: ${value}`)
    const isStale = this.#holders.get(sessionId) !== ownerId
    const before = this.#stepsRan.filter((one) => one.id === id)
    if (this.#leases.get(ownerId)?.journal === this.journalOf(sessionId))
      this.#stepsRan.push({ id, value, sessionId, isStale })
    if (isStale) {
      this.#judgeStale(who, ownerId, sessionId, `the step ${id}`)
      return value
    }
    const known = this.told(sessionId).steps.get(id.slice(id.indexOf(':') + 1))
    if (known?.hasOutcome) this.#world.find('P2', `${who} ran the step ${id} of ${sessionId}, which has an outcome`)
    else if (before.length > 0 && !mayRepeat)
      this.#world.find('P2', `${who} silently repeated the step ${id} of ${sessionId}`)
    const own = before.filter((one) => !one.isStale && one.sessionId === sessionId)
    if (!isUnannounced && own.length >= (known?.started ?? 0))
      this.#world.find('P5', `${who} ran the step ${id} of ${sessionId}, which is not announced`)
    return value
  }

  /** What a step has done, if it ran. */
  valueOf(id: string): string | undefined {
    return this.#stepsRan.findLast((one) => one.id === id)?.value
  }

  /** A program has an outcome: asked for again, also after a restart, the step has the same. */
  toldStep(sessionId: string, asked: string, value: string): void {
    const told = this.#toldOfSteps.get(sessionId) ?? new Map<string, string>()
    this.#toldOfSteps.set(sessionId, told)
    const before = told.get(asked)
    told.set(asked, value)
    if (before !== undefined && before !== value)
      this.#world.find('P2', `the step ${asked} of ${sessionId} was ${before}, and is ${value} now`)
  }
}
