/**
 * Time, randomness and ids: the only file of core that touches them, so that everything else is a function of its
 * arguments and a test owns its own time.
 *
 * 1. A sleep ends by time or by its signal, never by both.
 * 2. Node's timers overflow above 2^31-1 ms and may fire a little early: long sleeps are cut, and a sleep returns only
 *    when `now()` has reached its instant.
 */
import { randomUUID } from 'node:crypto'

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /**
   * Resolves when `now() >= instant`, rejects with the signal's reason when it aborts first. A `background` sleep does
   * not keep the process alive, and a manual clock does not advance for it.
   */
  sleepUntil(instant: number, options?: SleepOptions): Promise<void>
  /** Uniform in [0, 1). */
  random(): number
  /** A new id, unique across hosts. */
  newId(): string
}

export interface SleepOptions {
  signal?: AbortSignal | undefined
  background?: boolean
}

/** The largest delay that one Node timer can hold. */
const longestTimerMs = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  random: () => Math.random(),
  newId: () => randomUUID(),
  async sleepUntil(instant, options = {}) {
    for (let left = instant - Date.now(); left > 0; left = instant - Date.now()) {
      await oneTimer(Math.min(left, longestTimerMs), options)
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
