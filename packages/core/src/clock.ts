/**
 * Time, randomness and ids: the only file of core that touches them, so that everything else is a function of its
 * arguments and a test owns its own time.
 *
 * 1. A sleep ends by time or by its signal, never by both.
 * 2. Node's timers may fire a little early, and stand still while the machine sleeps: a long sleep looks at the wall
 *    clock every few seconds, and returns when `now()` has reached its instant.
 * 3. A wall clock that is set back does not lengthen a sleep: by as much as it was set back, the sleep ends earlier.
 *    Otherwise a correction by an hour would stop the renewals of a lease for an hour.
 */
import { randomUUID } from 'node:crypto'

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /**
   * Milliseconds since an instant of its own: only differences mean something. No correction of the wall clock changes
   * them, and the sleep of a machine may be left out.
   */
  elapsed(): number
  /**
   * Resolves when `now() >= instant`, or, where the clock was set back meanwhile, when as much time has passed as there
   * was until then. Rejects with the signal's reason when it aborts first. A `background` sleep does not keep the
   * process alive, and a manual clock does not advance for it.
   */
  sleepUntil(instant: number, options?: SleepOptions): Promise<void>
  /**
   * Calls back once, when about `ms` have passed; what it returns calls that off. For limits that are checked when it
   * fires: the sleep of a machine may be left out. It never keeps the process alive, and a manual clock does not advance
   * for it.
   */
  after(ms: number, call: () => void): () => void
  /** Uniform in [0, 1). */
  random(): number
  /** A new id, unique across hosts. */
  newId(): string
}

export interface SleepOptions {
  signal?: AbortSignal | undefined
  background?: boolean
}

/** How often a sleep looks at the wall clock: what a laptop that slept waits longer at most. */
const lookAgainMs = 10_000
/** What a clock that is merely corrected by and by does not lose within one look. */
const setBackMs = 50

/** What `setTimeout` takes at most, https://nodejs.org/api/timers.html: longer ones would fire at once. */
const longestTimerMs = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after(ms, call) {
    const timer = setTimeout(call, Math.min(ms, longestTimerMs)).unref()
    return () => clearTimeout(timer)
  },
  random: () => Math.random(),
  newId: () => randomUUID(),
  async sleepUntil(instant, options = {}) {
    for (let end = instant, left = end - Date.now(); left > 0; left = end - Date.now()) {
      const [wall, running] = [Date.now(), performance.now()]
      await oneTimer(Math.min(left, lookAgainMs), options)
      const lost = performance.now() - running - (Date.now() - wall)
      if (lost > setBackMs) end -= lost
    }
    options.signal?.throwIfAborted()
  },
}

function oneTimer(delayMs: number, { signal, background }: SleepOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error)
    const done = () => {
      signal?.removeEventListener('abort', aborted)
      resolve()
    }
    const aborted = () => {
      clearTimeout(timer)
      reject(signal?.reason as Error)
    }
    const timer = setTimeout(done, delayMs)
    if (background) timer.unref()
    signal?.addEventListener('abort', aborted, { once: true })
  })
}
