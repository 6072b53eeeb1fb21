/**
 * Repeats an action until the fleet is closed.
 *
 * 1. A failure is reported once until the action works again, and is followed by a back-off: never a busy loop, never
 *    an unhandled rejection.
 */
import { isLastgoodError, type Clock } from '@lastgood/core'
import type { FleetEvent, Tell } from './events.ts'

export interface Repeated {
  readonly clock: Clock
  readonly tell: Tell
  readonly where: Extract<FleetEvent, { kind: 'trouble' }>['where']
  /** Ends it, once the action under way has ended. */
  readonly signal: AbortSignal
}

/** Short: one failed master of a Cluster fails an action that is otherwise of use to all others. */
const [firstPauseMs, longestPauseMs] = [500, 5_000]

/** Waits for all of them, then throws the first error, if there is one. */
export async function allOf<T>(ones: Iterable<Promise<T>>): Promise<T[]> {
  const settled = await Promise.allSettled(ones)
  return settled.map((one) => {
    if (one.status === 'rejected') throw one.reason
    return one.value
  })
}

/** `once` returns the ms until it is due again. Resolves when the signal has aborted. */
export async function repeat({ clock, tell, where, signal }: Repeated, once: () => Promise<number>): Promise<void> {
  for (let failures = 0; !signal.aborted;) {
    let pauseMs: number
    try {
      pauseMs = (await once()) * (0.75 + clock.random() / 2)
      if (failures > 0) tell({ kind: 'trouble-over', where })
      failures = 0
    } catch (error) {
      // What the end of the fleet cuts off is no trouble.
      if (failures === 0 && !signal.aborted) tell(troubleOf(where, error))
      failures += 1
      pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(failures, 10)) * (0.5 + clock.random() / 2)
    }
    // Rejects when the signal aborts.
    await clock.sleepUntil(clock.now() + pauseMs, { signal, background: true }).catch(() => {})
  }
}

export function troubleOf(where: Repeated['where'], error: unknown): Extract<FleetEvent, { kind: 'trouble' }> {
  // The message of a foreign error may quote anything.
  if (!isLastgoodError(error)) return { kind: 'trouble', where, code: 'unknown', message: nameOf(error) }
  const { code, message, hint } = error
  return { kind: 'trouble', where, code, message, ...(hint !== undefined && { hint }) }
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : 'something was thrown')
