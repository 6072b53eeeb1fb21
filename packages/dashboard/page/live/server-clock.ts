/**
 * The server's time, once a second: countdowns and ages are right even if the browser's clock is wrong.
 */
import { signal } from '@preact/signals'

let offsetMs = 0
/** The server's time, updated every second. */
export const now = signal(Date.now())

export function setServerTime(at: string): void {
  offsetMs = Date.parse(at) - Date.now()
  tick()
}

export function startClock(): void {
  setInterval(tick, 1_000)
}

/** A report has no server: its clock stands at the moment that it describes. */
export function stopClockAt(at: string): void {
  now.value = Date.parse(at)
}

function tick(): void {
  now.value = Date.now() + offsetMs
}
