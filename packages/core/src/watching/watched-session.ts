/** What a watcher may see of a session. */
import type { Clock } from '../clock.ts'
import type { Listener } from '../session/events.ts'
import type { Context, StateName } from '../machine/machine-state.ts'
import type { Policy } from '../policy/options.ts'
import type { Store } from '../store/store.ts'

export interface WatchedSession {
  readonly id: string
  readonly store: Store
  readonly clock: Clock
  readonly policy: Policy
  readonly state: StateName
  readonly context: Readonly<Context>
  readonly turn: number
  readonly hasOpenTurn: boolean
  /** The turns, the last one last; `stopReason` is that of the last answer, absent before the first. */
  readonly transcript: { readonly turns: readonly { readonly stopReason?: string | null | undefined }[] }
  readonly envelope: { readonly body: { readonly model: string } } | undefined
  /** Aborts when the session is closed or lost. */
  readonly signal: AbortSignal
  subscribe(listener: Listener): () => void
}
