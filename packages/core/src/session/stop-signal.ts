/**
 * The one signal for what a session runs under a caller's signal: it aborts with either.
 *
 * All calls and steps under that signal share it: `AbortSignal.any` leaves a dependant on both, and a caller's signal
 * often lives as long as its process.
 */
import { setMaxListeners } from 'node:events'

const joined = new WeakMap<AbortSignal, WeakMap<AbortSignal, AbortSignal>>()

/** `session`: its own signal. */
export function stopSignal(session: AbortSignal, caller: AbortSignal | undefined): AbortSignal {
  const signal = caller ? either(session, caller) : session
  // Everything that runs at a time listens to both, however much that is: no leak to warn about.
  setMaxListeners(0, signal, session)
  return signal
}

function either(session: AbortSignal, caller: AbortSignal): AbortSignal {
  const known = joined.get(session) ?? new WeakMap<AbortSignal, AbortSignal>()
  joined.set(session, known)
  const both = known.get(caller) ?? AbortSignal.any([caller, session])
  known.set(caller, both)
  return both
}
