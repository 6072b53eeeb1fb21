/** What failed in the last hours, for the outage page. Instants are ISO 8601; no content. */
import type { Count } from './overview.ts'

export interface OutagesDocument {
  schema: 'lastgood.outages/v1'
  at: string
  /** The beginning of the time covered. */
  since: string
  /** All journals of that time were read; if false, there is more a moment later. */
  complete: boolean
  providers: readonly ProviderMinutes[]
  /** The newest first. */
  outages: readonly SessionOutageRow[]
}

/** What the sessions of the store met, minute by minute, oldest first; minutes without a request are left out. */
export interface ProviderMinutes {
  /** Where the model was asked, if that is known and the same for all. */
  endpoint: string | null
  model: string
  minutes: readonly ({ at: string } & Count)[]
}

/** An outage as one session met it. */
export interface SessionOutageRow {
  sessionId: string
  since: string
  /** Null while it lasts. */
  until: string | null
  /** `529 overloaded_error` */
  cause: string
  model: string | null
  /** Requests, including the one that was answered. */
  attempts: number
  end: 'same-model' | 'fallback' | 'resumed' | 'suspended' | 'given-up' | null
}
