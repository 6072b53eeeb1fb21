/**
 * What the page shows first: the provider, and every session by what it needs. Instants are ISO 8601.
 *
 * No content: session ids, counts, instants, names of models, and reasons that lastgood itself wrote.
 */

export interface Overview {
  schema: 'lastgood.overview/v1'
  /** When it was true, by the server's clock. */
  at: string
  store: StoreState
  /** Actions are refused. */
  readOnly: boolean
  /** "Is it me or them?", as `lastgood status` answers it. */
  verdict: { kind: string; text: string; command: string | null }
  providers: ProviderCard[]
  statusPage: StatusPageCard
  sessions: SessionCard[]
  /** Sessions that are being resumed one after another, while that goes on, and how the last time ended. */
  staggered: Staggered | null
  /** What people did from a page, and why; the newest first. */
  actions?: readonly ActionRecord[]
}

/** Kept in the store, for the pages of all who share it: the last ones alone. */
export interface ActionRecord {
  at: string
  action: 'resume' | 'suspend' | 'takeover' | 'rewind' | 'fork' | 'resume-all'
  /** Of `resume-all`: null. */
  sessionId: string | null
  reason: string
  /** The machine whose dashboard did it. */
  host: string
  /** What it said. */
  outcome: string
}

export interface StoreState {
  location: string
  /** Where the store does not answer: why, since when, and when it is tried again. Everything else is then as of before. */
  trouble: { code: string; message: string; hint: string | null; since: string; retryAt: string } | null
  /** Where a session cannot be read: the first one. The others are shown. */
  damage?: { code: string; message: string; hint: string | null } | null
}

/** One model at one endpoint, as requests from here have found it. */
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
  /** Of each minute of the last hour that had any, oldest first. */
  minutes: readonly ({ at: string } & Count)[]
  lastFault: { kind: string; at: string } | null
}

export interface Count {
  answered: number
  failed: number
}

/** Advice for people. What could not be read lately is unknown, never green. */
export interface StatusPageCard {
  says: 'incident' | 'operational' | 'unknown' | 'not-asked'
  /** The same words as `lastgood status` has. */
  text: string
  checkedAt: string | null
  incidents: readonly { name: string; status: string; impact: string; startedAt: string | null; concernsApi: boolean }[]
}

export interface SessionCard {
  sessionId: string
  /** Where it stands on the page; `needs-you` is never folded. */
  group: 'needs-you' | 'waiting' | 'recovered' | 'running' | 'done'
  status: 'idle' | 'running' | 'waiting' | 'suspended' | 'needs-input' | 'interrupted'
  agent: string | null
  model: string | null
  /** The model of another rung that has the turn at the moment. */
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
  /** The last outage that it came through, of the last 24 hours. */
  recovered: { at: string; afterMs: number; how: 'same-model' | 'fallback' | 'resumed'; attempts: number } | null
  /** What a terminal would be told to type; null where no agent of a configuration ran it: only its own program goes on. */
  command: string | null
  /** The client's own command, where the session belongs to one that only goes on by itself. */
  clientCommand: string | null
}

export interface Staggered {
  startedAt: string
  reason: string
  /** Waiting for the first answer of the one that was started first. */
  state: 'probing' | 'going' | 'stopped'
  everyMs: number
  done: readonly string[]
  left: readonly string[]
  failed: readonly { sessionId: string; why: string }[]
  nextAt: string | null
}

/** What is sent when something has changed; what is absent has not. */
export interface OverviewChange {
  at: string
  store?: StoreState
  verdict?: Overview['verdict']
  providers?: ProviderCard[]
  statusPage?: StatusPageCard
  /** Those that changed or are new. */
  sessions?: SessionCard[]
  removed?: readonly string[]
  staggered?: Staggered | null
  actions?: readonly ActionRecord[]
}

/** What `resume all` would resume: sessions that an outage stopped, that can go on here, and that nobody has parked. */
export interface ResumeAllDocument {
  schema: 'lastgood.resume-all/v1'
  /** The first one is started first. */
  sessionIds: readonly string[]
}
