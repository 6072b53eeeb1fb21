/**
 * Now, by the server's clock, once a second: countdowns and ages are right although the browser's clock is wrong.
 */
import { signal } from '@preact/signals'

let offsetMs = 0
/** Of the last second, by the server's clock. */
export const now = signal(Date.now())

export function setServerTime(at: string): void {
  offsetMs = Date.parse(at) - Date.now()
  tick()
}

export function startClock(): void {
  setInterval(tick, 1_000)
}

/** A report has no server: its clock stands at the moment of which it tells. */
export function stopClockAt(at: string): void {
  now.value = Date.parse(at)
}

function tick(): void {
  now.value = Date.now() + offsetMs
}
