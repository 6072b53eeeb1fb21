/**
 * Something that is done again and again until the fleet is closed.
 *
 * 1. What fails is told once until it works again, and is tried again after a back-off: never a busy loop, and never a
 *    rejection that nobody hears.
 */
import { isLastgoodError, type Clock } from '@lastgood/core'
import type { FleetEvent, Tell } from './events.ts'

export interface Repeated {
  readonly clock: Clock
  readonly tell: Tell
  readonly where: Extract<FleetEvent, { kind: 'trouble' }>['where']
  /** Ends it; what is under way ends first. */
  readonly signal: AbortSignal
}

const [firstPauseMs, longestPauseMs] = [500, 30_000]

/** `once` says in how many ms it is due again. Resolves when the signal has aborted. */
export async function repeat({ clock, tell, where, signal }: Repeated, once: () => Promise<number>): Promise<void> {
  for (let failures = 0; !signal.aborted;) {
    let pauseMs: number
    try {
      pauseMs = (await once()) * (0.75 + clock.random() / 2)
      if (failures > 0) tell({ kind: 'trouble-over', where })
      failures = 0
    } catch (error) {
      if (failures === 0) tell(troubleOf(where, error))
      failures += 1
      pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(failures, 10)) * (0.5 + clock.random() / 2)
    }
    // Rejects when it is stopped.
    await clock.sleepUntil(clock.now() + pauseMs, { signal, background: true }).catch(() => {})
  }
}

export function troubleOf(where: Repeated['where'], error: unknown): Extract<FleetEvent, { kind: 'trouble' }> {
  // What other code throws may quote anything.
  const [code, message] = isLastgoodError(error) ? [error.code, error.message] : ['unknown', nameOf(error)]
  return { kind: 'trouble', where, code, message }
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : 'something was thrown')
