/** One session as its page shows it, and what can be done with it. Instants are ISO 8601. */
import type { SessionCard } from './overview.ts'
import type { Step, Tokens, TurnReport } from './turn-report.ts'

export interface SessionDocument {
  schema: 'lastgood.session-page/v1'
  at: string
  card: SessionCard
  /** Quotes of messages, calls and results are there; without it all of them are empty. */
  hasContent: boolean
  /** What happened before the first turn. */
  before: Step[]
  turns: TurnReport[]
  totals: { requests: number; faults: number; tools: number; tokens: Tokens }
  /** On the time axis of the session; each ends when the next one of its kind begins. */
  bands: { provider: Band<'up' | 'degraded' | 'down'>[]; statusPage: Band<string>[] }
  resume: ResumePreview | null
  /** The resume that was started from a page of this server last. */
  started?: StartedResume | null
}

/** A `lastgood resume` of the server, and the last lines that it wrote; what its agent printed is content. */
export interface StartedResume {
  at: string
  pid: number
  /** Null while it goes on. */
  exitCode: number | null
  lines: readonly string[]
}

/** From `from` on it was so; `to` is null while it lasts. */
export interface Band<State extends string> {
  from: string
  to: string | null
  state: State
  text: string
}

/** What the resume button would do, and cost. */
export interface ResumePreview {
  /** The turn that it goes on in. */
  turn: number
  lastGoodTurn: number
  /** In words: "turn 11 is open: continuing with 2 tool calls". */
  does: string
  tokens: number | null
  cache: 'warm' | 'cold' | 'unused' | null
  usd: number | null
  /** `about $0.42 to read 84,000 tokens: the cache is cold since 2h`. */
  cost: string | null
  /** Calls whose outcome nobody knows: they are reported to the model, or a person decides. */
  inDoubt: readonly { name: string; input: string }[]
}

/** Bodies of `POST /api/sessions/<id>/<action>`. Every one has a reason of a person, which is recorded. */
export type Action =
  | { action: 'resume'; reason: string; inDoubt?: 'rerun' | 'report' }
  | { action: 'suspend'; reason: string }
  | { action: 'takeover'; reason: string }
  | { action: 'rewind'; reason: string; to: number }
  | { action: 'fork'; reason: string; at?: number; newId?: string }

/** What came of it. A refusal is an `ActionRefusal` with a status of 4xx or 5xx. */
export interface ActionDone {
  text: string
  /** Of a fork: the new one. */
  sessionId: string
}
export interface ActionRefusal {
  error: { code: string; message: string; hint: string | null }
}
