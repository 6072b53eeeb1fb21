/** Durations and instants as people read them, on the page and in a terminal. Pure. */

/** `0.4s`, `5s`, `3m12s`, `1h02m`, `2d03h`: two units at most. */
export function spent(durationMs: number): string {
  if (durationMs < 950) return `${(Math.max(0, durationMs) / 1000).toFixed(1)}s`
  const seconds = Math.round(durationMs / 1000)
  const [minutes, hours, days] = [Math.floor(seconds / 60), Math.floor(seconds / 3600), Math.floor(seconds / 86_400)]
  if (minutes === 0) return `${seconds}s`
  if (hours === 0) return `${minutes}m${two(seconds % 60)}s`
  return days === 0 ? `${hours}h${two(minutes % 60)}m` : `${days}d${two(hours % 24)}h`
}

/** Time left until an instant, in whole seconds and at least one: a countdown that shows 0 looks stuck. */
export function left(durationMs: number): string {
  return spent(Math.max(1, Math.ceil(durationMs / 1000)) * 1000)
}

/** `12s ago`, `3h ago`, `2d ago`. */
export function ago(at: number, now: number): string {
  const ms = Math.max(0, now - at)
  if (ms < 60_000) return `${Math.floor(ms / 1_000)}s ago`
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)}m ago`
  return ms < 86_400_000 ? `${Math.floor(ms / 3_600_000)}h ago` : `${Math.floor(ms / 86_400_000)}d ago`
}

const two = (count: number): string => String(count).padStart(2, '0')
