/** One session as its page shows it, and what can be done with it. Instants are ISO 8601. */
import type { SessionCard } from './overview.ts'
import type { Step, Tokens, TurnReport } from './turn-report.ts'

export interface SessionDocument {
  schema: 'lastgood.session-page/v1'
  at: string
  card: SessionCard
  /** Whether messages, calls and results are quoted; if false, all quotes are empty. */
  hasContent: boolean
  /** What happened before the first turn. */
  before: Step[]
  turns: TurnReport[]
  totals: { requests: number; faults: number; tools: number; tokens: Tokens }
  /** On the session's time axis; each ends when the next one of its kind begins. */
  bands: { provider: Band<'up' | 'degraded' | 'down'>[]; statusPage: Band<string>[] }
  resume: ResumePreview | null
  /** The last resume started from a page of this server. */
  started: StartedResume | null
}

/** A `lastgood resume` run by the server, and the last lines that it wrote; what its agent printed is content. */
export interface StartedResume {
  at: string
  pid: number
  /** Null while it runs. */
  exitCode: number | null
  lines: readonly string[]
}

/** A state that began at `from`; `to` is null while it lasts. */
export interface Band<State extends string> {
  from: string
  to: string | null
  state: State
  text: string
}

/** What the resume button would do and cost. */
export interface ResumePreview {
  /** The turn that it continues. */
  turn: number
  lastGoodTurn: number
  /** In words: "turn 11 is open: continuing with 2 tool calls". */
  does: string
  tokens: number | null
  cache: 'warm' | 'cold' | 'unused' | null
  usd: number | null
  /** `about $0.42 to read 84,000 tokens: the cache has been cold for 2h`. */
  cost: string | null
  /** In-doubt calls. `rule`: a person decides, the model is told, or they run again. */
  inDoubt: readonly { name: string; input: string; rule: 'ask' | 'report' | 'rerun' }[]
}

/** Bodies of `POST /api/sessions/<id>/<action>`. Each has a person's reason, which is recorded. */
export type Action =
  | { action: 'resume'; reason: string; inDoubt?: 'rerun' | 'report' }
  | { action: 'suspend'; reason: string }
  | { action: 'takeover'; reason: string }
  | { action: 'rewind'; reason: string; to: number }
  | { action: 'fork'; reason: string; at?: number; newId?: string }

/** The result. A refusal is an `ActionRefusal` with a 4xx or 5xx status. */
export interface ActionDone {
  text: string
  /** For a fork: the new session. */
  sessionId: string
}
export interface ActionRefusal {
  error: { code: string; message: string; hint: string | null }
}
