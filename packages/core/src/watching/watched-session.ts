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
  readonly envelope: { readonly body: { readonly model: string } } | undefined
  /** Aborts when the session is closed or lost. */
  readonly signal: AbortSignal
  subscribe(listener: Listener): () => void
}
