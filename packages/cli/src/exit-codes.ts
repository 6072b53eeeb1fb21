/** Exit codes: one for each thing that a script may want to do next. */
import { isLastgoodError, type ErrorCode } from '@lastgood/core'
import type { StopSignal } from './context.ts'

export const exitCodes = {
  done: 0,
  /** Failed for good: running it again cannot succeed. */
  failed: 1,
  /** Wrong usage, or a person's answer was needed. */
  usage: 2,
  notFound: 3,
  /** Configuration, credentials, or a store that cannot be reached. */
  setUp: 4,
  /** Another live process writes the session. */
  busy: 5,
  /** The journal cannot be read or continued. */
  journal: 6,
  /** Still down when the deadline passed; the state is saved: run it again (EX_TEMPFAIL of sysexits.h). */
  suspended: 75,
} as const

const codeOf: Readonly<Record<ErrorCode, number>> = {
  'bad-option': exitCodes.usage,
  'session-not-found': exitCodes.notFound,
  'session-busy': exitCodes.busy,
  'lease-lost': exitCodes.busy,
  'session-suspended': exitCodes.suspended,
  'needs-input': exitCodes.usage,
  'step-in-doubt': exitCodes.usage,
  'request-failed': exitCodes.failed,
  'store-unavailable': exitCodes.setUp,
  'journal-corrupt': exitCodes.journal,
  'journal-version': exitCodes.journal,
  'journal-sealed': exitCodes.setUp,
  'journal-conflict': exitCodes.journal,
  'session-closed': exitCodes.failed,
}

/** 128 plus the signal's number, as in shells. */
export const signalCodes: Readonly<Record<StopSignal, number>> = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }

export function exitCodeOf(error: unknown): number {
  if (!isLastgoodError(error)) return exitCodes.failed
  // Suspended without an instant for a next try: time alone does not mend it.
  if (error.code === 'session-suspended' && error.details['retryAt'] === undefined) return exitCodes.failed
  return codeOf[error.code] ?? exitCodes.failed
}
