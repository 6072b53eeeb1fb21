/**
 * Time, randomness and ids: the only module of core that touches them, so that everything else is a function of its
 * arguments and a test controls time.
 *
 * 1. A sleep ends by time or by its signal, never by both.
 * 2. Node's timers may fire a little early, and stand still while the machine sleeps: a long sleep checks the wall
 *    clock every few seconds, and returns once `now()` has reached its instant.
 * 3. A wall clock that is set back does not lengthen a sleep: its end moves back by as much. Otherwise a correction by
 *    an hour would stop the renewals of a lease for an hour.
 */
import { randomUUID } from 'node:crypto'

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /**
   * Milliseconds since an arbitrary instant: only differences mean something. Corrections of the wall clock do not
   * change them; time during which the machine sleeps may not count.
   */
  elapsed(): number
  /**
   * Resolves when `now() >= instant`; if the clock is set back meanwhile, once the time that remained at the start has
   * passed. Rejects with the signal's reason if that aborts first. A `background` sleep does not keep the process
   * alive, and a manual clock does not advance for it.
   */
  sleepUntil(instant: number, options?: SleepOptions): Promise<void>
  /**
   * Calls back once, after about `ms`; the returned function cancels that. For limits that are checked when it fires,
   * as time during which the machine sleeps may not count. After a process has stood still, what came meanwhile is read
   * before the call. It never keeps the process alive, and a manual clock does not advance for it.
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

/** How often a sleep checks the wall clock: after a laptop wakes up, it lasts at most this much longer. */
const lookAgainMs = 10_000
/** A clock set back by less between two checks is being corrected gradually, and changes nothing. */
const setBackMs = 50

/** A timer that is this late says that the process stood still: stopped, or busy without a break. */
const stoodStillMs = 1_000
/** What lies in the sockets then is read within moments. */
const catchUpMs = 1_000

/** The longest delay of `setTimeout`, https://nodejs.org/api/timers.html: longer ones would fire at once. */
const longestTimerMs = 2 ** 31 - 1

/** The clock, the randomness and the ids of the system. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after(ms, call) {
    const dueAt = performance.now() + ms
    // Timers fire before the sockets are read: an answer may lie there, whole, while its limit is over.
    const fire = () => {
      if (performance.now() - dueAt < stoodStillMs) call()
      else timer = setTimeout(call, catchUpMs).unref()
    }
    let timer = setTimeout(fire, Math.min(ms, longestTimerMs)).unref()
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
