/**
 * What the page shows first: the provider, and every session by what it needs. Instants are ISO 8601.
 *
 * No content: session ids, counts, instants, names of models, and reasons that lastgood itself wrote.
 */

export interface Overview {
  schema: 'lastgood.overview/v1'
  /** The instant that it describes, by the server's clock. */
  at: string
  store: StoreState
  /** Whether actions are refused. */
  readOnly: boolean
  /** "Is it me or them?", as `lastgood status` answers it. */
  verdict: { kind: string; text: string; command: string | null }
  providers: ProviderCard[]
  statusPage: StatusPageCard
  sessions: SessionCard[]
  /** Sessions being resumed one after another, while that goes on, and how the last time ended. */
  staggered: Staggered | null
  /** What people did from a page, and why; the newest first. */
  actions: readonly ActionRecord[]
}

/** Kept in the store, for the pages of all who share it; only the most recent ones. */
export interface ActionRecord {
  at: string
  action: 'resume' | 'suspend' | 'takeover' | 'rewind' | 'fork' | 'resume-all'
  /** Null for `resume-all`. */
  sessionId: string | null
  reason: string
  /** The machine whose dashboard did it. */
  host: string
  /** The result in words. */
  outcome: string
}

export interface StoreState {
  location: string
  /** Set while the store does not answer: why, since when, and the next try. All other fields are then from before. */
  trouble: { code: string; message: string; hint: string | null; since: string; retryAt: string } | null
  /** Set if sessions cannot be read: the first such error. The other sessions are shown. */
  damage: { code: string; message: string; hint: string | null } | null
}

/** One model at one endpoint, as requests from here found it. */
export interface ProviderCard {
  endpoint: string
  model: string
  /** `degraded`: some of the last 5 minutes' requests failed. `unknown`: nobody tried lately. */
  state: 'up' | 'degraded' | 'down' | 'held' | 'unknown'
  breaker: 'closed' | 'open' | 'half-open'
  cause: string | null
  downSince: string | null
  nextProbeAt: string | null
  heldUntil: string | null
  last5Min: Count
  lastHour: Count
  /** Each minute of the last hour that had any, oldest first. */
  minutes: readonly ({ at: string } & Count)[]
  lastFault: { kind: string; at: string } | null
}

export interface Count {
  answered: number
  failed: number
}

/** Advice for people. A page that could not be read lately is unknown, never green. */
export interface StatusPageCard {
  says: 'incident' | 'operational' | 'unknown' | 'not-asked'
  /** In the words of `lastgood status`. */
  text: string
  checkedAt: string | null
  incidents: readonly { name: string; status: string; impact: string; startedAt: string | null; concernsApi: boolean }[]
}

export interface SessionCard {
  sessionId: string
  /** The group in which the page shows it; `needs-you` is never folded. */
  group: 'needs-you' | 'waiting' | 'recovered' | 'running' | 'done'
  status: 'idle' | 'running' | 'waiting' | 'suspended' | 'needs-input' | 'interrupted' | 'queued'
  agent: string | null
  model: string | null
  /** The model of another rung that has the turn, or had the last one. */
  fallback: string | null
  cwd: string | null
  turn: number
  lastGoodTurn: number
  entries: number
  createdAt: string
  updatedAt: string
  reason: string | null
  /** When it tries again by itself, or when a try makes sense. */
  dueAt: string | null
  heldBy: { host: string; pid: number; since: string } | null
  /** The last outage of the last 24 hours that it came through. */
  recovered: { at: string; afterMs: number; how: 'same-model' | 'fallback' | 'resumed'; attempts: number } | null
  /** The command for a terminal; null if no agent of a configuration ran it: then only its own program continues it. */
  command: string | null
  /** The client's own command, if only that client can continue the session. */
  clientCommand: string | null
}

export interface Staggered {
  startedAt: string
  reason: string
  /** `probing`: waiting for the first answer of the session that was started first. */
  state: 'probing' | 'going' | 'stopped'
  everyMs: number
  done: readonly string[]
  left: readonly string[]
  failed: readonly { sessionId: string; why: string }[]
  nextAt: string | null
}

/** Sent when something has changed; what is absent has not. */
export interface OverviewChange {
  at: string
  store?: StoreState
  verdict?: Overview['verdict']
  providers?: ProviderCard[]
  statusPage?: StatusPageCard
  /** Those that are new or have changed. */
  sessions?: SessionCard[]
  removed?: readonly string[]
  staggered?: Staggered | null
  actions?: readonly ActionRecord[]
}

/** What `resume all` would resume: sessions stopped by an outage, resumable here, and not parked by a person. */
export interface ResumeAllDocument {
  schema: 'lastgood.resume-all/v1'
  /** In the order of starting. */
  sessionIds: readonly string[]
}
