/**
 * Looks at the store for all viewers together, and tells them what has changed.
 *
 * 1. It looks only while somebody wants to know: once a second, or less often if a look is slow.
 * 2. A store that does not answer is reported, with what was known before, and asked again.
 * 3. No request to the outside (the status page) delays a look, and nothing that it cannot read ends it: a damaged
 *    session is reported, and the others are shown.
 */
import {
  type Clock,
  type HealthRecord,
  isLastgoodError,
  LastgoodError,
  providerHealth,
  readFleetAgents,
  type SessionSummary,
  shellWord,
  type Store,
  withoutSecrets,
} from '@lastgood/core'
import type { ActionRecord, Overview, OverviewChange, Staggered } from '@lastgood/dashboard'
import { iso } from '../durations.ts'
import { recoverableFirst, type SessionRow } from '../sessions/session-row.ts'
import { missingFolder } from '../stores.ts'
import type { PageChoice } from '../status/page-choice.ts'
import { providerState } from '../status/provider-state.ts'
import { commandOf, openRows, verdictOf, type StatusReport } from '../status/verdict.ts'
import { readActions } from './action-log.ts'
import { Cards } from './cards.ts'
import type { KeptStore } from './kept-store.ts'
import { Looker } from './look.ts'
import { changeBetween, type Shared } from './overview-change.ts'
import { providerCard } from './provider-card.ts'
import { RecentJournals } from './recent-journals.ts'
import { statusPageCard } from './status-page-card.ts'
import { refusalOf } from './refusal.ts'

export interface WatcherOptions {
  readonly clock: Clock
  readonly store: KeptStore
  readonly flags: readonly string[]
  readonly agents: ReadonlySet<string>
  readonly readOnly: boolean
  readonly page: (store: Store) => PageChoice
}

export type Viewer = (
  event: { kind: 'overview'; overview: Overview } | { kind: 'change'; change: OverviewChange },
) => void

const everyMs = 1_000
/** A change is on the page within 5 s, however slow a look is. */
const mostMs = 2_500
/** Otherwise looks take a tenth of the time, most of it waiting. */
const restFactor = 10
const pageEveryMs = 10_000
const allEveryMs = 30_000

export class Watcher {
  readonly journals: RecentJournals
  readonly #options: WatcherOptions
  readonly #looker: Looker
  readonly #viewers = new Set<Viewer>()
  readonly #cards: Cards
  #records: readonly HealthRecord[] = []
  #reading: StatusReport['page'] = { ageMs: Infinity }
  #actions: readonly ActionRecord[] = []
  #trouble: Overview['store']['trouble'] = null
  #damage: Overview['store']['damage'] = null
  #pageAskedAt = -Infinity
  #lookedAt = -Infinity
  #allShownAt = -Infinity
  #looking: Promise<void> | undefined
  #told: Shared | undefined
  #wants = 0
  #over = new AbortController()
  readonly #ended = new AbortController()
  /** Where the round of resumes stands, if there is one. */
  staggered: () => Staggered | null = () => null

  constructor(options: WatcherOptions) {
    this.#options = options
    this.#looker = new Looker(options.clock)
    this.journals = new RecentJournals(options.clock, (sessionId) => this.#show(sessionId))
    this.#cards = new Cards(
      { flags: options.flags, agents: options.agents },
      () => options.clock.now(),
      (id) => this.journals.of(id)?.lastSurvived,
    )
  }

  /** Looks until the returned function is called. */
  want(): () => void {
    this.#wants += 1
    if (this.#wants === 1) this.#goOn()
    let isLeft = false
    return () => {
      if (isLeft) return
      isLeft = true
      this.#wants -= 1
      if (this.#wants === 0) this.#over.abort()
    }
  }

  /** Gives `viewer` everything, then every change; returns a function that stops it. */
  async view(viewer: Viewer): Promise<() => void> {
    const leave = this.want()
    try {
      await this.#recent()
      // The changes that this one gets with everything go to the others first.
      this.tell()
      viewer({ kind: 'overview', overview: this.#overview() })
    } catch (error) {
      leave()
      throw error
    }
    this.#viewers.add(viewer)
    return () => {
      this.#viewers.delete(viewer)
      leave()
    }
  }

  /** The overview, at most a moment old. */
  async overview(): Promise<Overview> {
    await this.#recent()
    return this.#overview()
  }

  /** The rows that were seen last. */
  get rows(): readonly SessionRow[] {
    return this.#cards.rows
  }

  get records(): readonly HealthRecord[] {
    return this.#records
  }

  get statusReading(): StatusReport['page'] {
    return this.#reading
  }

  /** Looks at these sessions now: something was done with them. What fails is left to the next look. */
  async lookAt(...sessionIds: readonly string[]): Promise<void> {
    try {
      const store = await this.#options.store.open()
      for (const id of sessionIds) {
        const summary = await store.summary(id)
        if (summary) this.#take(summary)
      }
      this.#actions = await readActions(store.shared)
    } catch {
      // The store is asked again within seconds, and its trouble reported.
    }
    this.tell()
  }

  /** Tells viewers what has changed. A failure to tell ends nothing: a request for the overview is told why. */
  tell(): void {
    if (this.#lookedAt === -Infinity) return
    try {
      this.#tell()
    } catch {
      // As said.
    }
  }

  close(): void {
    this.#ended.abort()
    this.#over.abort()
    this.#viewers.clear()
  }

  async #recent(): Promise<void> {
    if (this.#options.clock.elapsed() - this.#lookedAt > everyMs) await this.#look()
  }

  #goOn(): void {
    this.#over = new AbortController()
    void this.#lookOn(AbortSignal.any([this.#over.signal, this.#ended.signal]))
  }

  async #lookOn(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options
    while (!signal.aborted) {
      const startedAt = clock.elapsed()
      await this.#look()
      const tookMs = this.#trouble ? 0 : clock.elapsed() - startedAt
      const pauseMs = Math.min(mostMs, Math.max(everyMs, restFactor * tookMs))
      await clock.sleepUntil(clock.now() + pauseMs, { signal }).catch(() => {})
    }
  }

  /** One at a time. */
  #look(): Promise<void> {
    this.#looking ??= this.#lookOnce().finally(() => (this.#looking = undefined))
    return this.#looking
  }

  async #lookOnce(): Promise<void> {
    await this.#read().catch((error: unknown) => {
      this.#trouble = this.#troubleOf(error)
    })
    this.#showAgain()
    this.#lookedAt = this.#options.clock.elapsed()
    this.tell()
  }

  async #read(): Promise<void> {
    const { clock, store: kept, flags } = this.#options
    const store = await kept.open()
    const missing = this.#cards.ids.length > 0 ? missingFolder(store.location) : undefined
    if (missing !== undefined) throw folderGone(missing)
    this.#cards.fleet = await readFleetAgents(store.shared, clock.now())
    const { summaries, isFull, failure } = await this.#looker.look(store, this.#cards.held)
    let damage = failure
    for (const summary of summaries) {
      const own = this.#take(summary)
      damage ??= own
    }
    if (isLastgoodError(failure, 'store-unavailable')) throw failure
    if (isFull || damage !== undefined) this.#damage = damage === undefined ? null : refusalOf(damage, flags).body.error
    if (isFull) await this.#dropMissing(store, new Set(summaries.map(({ head }) => head.sessionId)))
    this.#records = await providerHealth(store.shared, clock).records()
    this.#actions = await readActions(store.shared)
    if (this.#trouble) this.#looker.startAnew()
    this.#trouble = null
    this.journals.read(store, this.#ended.signal)
    this.#askPage(store)
  }

  /** What is wrong with it, if anything. */
  #take(summary: SessionSummary): unknown {
    try {
      this.#cards.take(summary)
      this.journals.want(summary.head)
      return undefined
    } catch (damage) {
      return damage
    }
  }

  #show(sessionId: string): void {
    try {
      this.#cards.show(sessionId)
    } catch (damage) {
      this.#damage = refusalOf(damage, this.#options.flags).body.error
    }
  }

  #troubleOf(error: unknown): Overview['store']['trouble'] {
    const { clock, flags } = this.#options
    const now = clock.now()
    const { code, message, hint } = refusalOf(error, flags).body.error
    return { code, message, hint, since: this.#trouble?.since ?? iso(now), retryAt: iso(now + everyMs) }
  }

  /** A session that a full look did not show is gone, unless it is there and cannot be read. */
  async #dropMissing(store: Store, seen: ReadonlySet<string>): Promise<void> {
    for (const id of this.#cards.ids.filter((one) => !seen.has(one))) {
      const isThere = await store.summary(id).catch(() => true as const)
      if (isThere) continue
      this.#cards.drop(id)
      this.journals.forget(id)
    }
  }

  /** Cards that change without an entry: when a holder has died, when a day is over. */
  #showAgain(): void {
    const now = this.#options.clock.elapsed()
    const isTime = now - this.#allShownAt > allEveryMs
    if (isTime) this.#allShownAt = now
    for (const id of isTime ? this.#cards.ids : this.#cards.held) this.#show(id)
  }

  /** Runs behind the look; its result is told with a later one. */
  #askPage(store: Store): void {
    const { clock, page } = this.#options
    if (clock.elapsed() - this.#pageAskedAt < pageEveryMs) return
    this.#pageAskedAt = clock.elapsed()
    const choice = page(store)
    if ('off' in choice) {
      this.#reading = choice
      return
    }
    const urgent = this.#records.some(({ breaker }) => breaker.state !== 'closed')
    void choice.poller
      .poll({ urgent, signal: this.#ended.signal })
      .then((reading) => (this.#reading = reading))
      .catch(() => {})
  }

  #tell(): void {
    const shared = this.#shared()
    const { changed, removed } = this.#cards.news()
    const change = this.#told && changeBetween(this.#told, shared, changed, removed, iso(this.#options.clock.now()))
    this.#told = shared
    if (change) for (const viewer of this.#viewers) viewer({ kind: 'change', change })
  }

  #overview(): Overview {
    const { clock, readOnly } = this.#options
    return {
      schema: 'lastgood.overview/v1',
      at: iso(clock.now()),
      readOnly,
      ...this.#shared(),
      sessions: this.#cards.all,
    }
  }

  #shared(): Shared {
    const { clock, store, flags } = this.#options
    const now = clock.now()
    const states = this.#records.map((record) => ({ record, state: providerState(record, now) }))
    const open = openRows(this.rows).sort(recoverableFirst)
    const verdict = verdictOf({ now, providers: states.map(({ state }) => state), page: this.#reading, open })
    return {
      store: { location: store.location, trouble: this.#trouble, damage: this.#damage },
      verdict: { kind: verdict.kind, text: withoutSecrets(verdict.text), command: commandOf(verdict, flags) ?? null },
      providers: states.map(({ record, state }) => providerCard(record, state, now)),
      statusPage: statusPageCard(this.#reading),
      staggered: this.staggered(),
      actions: this.#actions,
    }
  }
}

function folderGone(folder: string): LastgoodError {
  return new LastgoodError('store-unavailable', `the folder of the store is gone: ${folder}`, {
    hint: `is its disk mounted? ls ${shellWord(folder)}`,
  })
}
