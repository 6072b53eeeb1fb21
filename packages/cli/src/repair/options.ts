/** The options of `lastgood repair`. */
import type { CommonOptions } from '../common-options.ts'

export interface RepairOptions extends CommonOptions {
  dryRun?: boolean
  apply?: boolean
  revert?: boolean
  yes?: boolean
}
