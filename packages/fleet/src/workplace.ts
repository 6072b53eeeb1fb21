/** What all work on sessions in this process shares. */
import type { DueIndex } from './due-index.ts'
import type { ResolvedFleet } from './options.ts'
import type { Recoveries } from './recoveries.ts'
import type { Suspects } from './suspects.ts'
import type { Unreadable } from './unreadable.ts'

export interface Workplace {
  readonly options: ResolvedFleet
  readonly index: DueIndex
  readonly recoveries: Recoveries
  readonly unreadable: Unreadable
  readonly suspects: Suspects
  /** Aborts when the process is asked to stop. */
  readonly stopping: AbortSignal
}
