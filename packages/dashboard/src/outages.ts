/** When the provider failed, minute by minute, and the outages that sessions met. Instants are ISO 8601. No content. */
import type { Count } from './overview.ts'

/** Answers `GET /api/outages?since=<instant>`. */
export interface OutageDocument {
  schema: 'lastgood.outages/v1'
  at: string
  since: string
  providers: readonly ProviderMinutes[]
  /** Newest first. */
  outages: readonly OutageRow[]
}

/** One model at one endpoint; minutes without a request are left out. */
export interface ProviderMinutes {
  endpoint: string
  model: string
  minutes: readonly ({ at: string } & Count)[]
}

export interface OutageRow {
  endpoint: string | null
  model: string | null
  from: string
  /** Null while it lasts. */
  to: string | null
  cause: string
  /** Sessions that met it, and what became of them. */
  sessions: number
  recovered: number
  waiting: number
  needsYou: number
}
