/** Durations and instants as people type and read them. */
import { LastgoodError } from '@lastgood/core'

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `90s`, `10m`, `2h`, `1h30m`, `7d`. A number alone could mean anything. Throws `bad-option`, naming the option. */
export function parseDuration(text: string, option: string): number {
  if (/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) {
    const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)]
    return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (unitsMs[unit ?? ''] ?? NaN), 0)
  }
  throw new LastgoodError('bad-option', `${option} takes a duration, got ${JSON.stringify(text.slice(0, 40))}`, {
    hint: `write ${option} 90s, 10m, 2h, 1h30m or 7d`,
  })
}

/** `0.4s`, `5s`, `3m12s`, `1h02m`, `2d03h`: two units at most. */
export function spent(durationMs: number): string {
  if (durationMs < 950) return `${(Math.max(0, durationMs) / 1000).toFixed(1)}s`
  const seconds = Math.round(durationMs / 1000)
  const [minutes, hours, days] = [Math.floor(seconds / 60), Math.floor(seconds / 3600), Math.floor(seconds / 86_400)]
  if (minutes === 0) return `${seconds}s`
  if (hours === 0) return `${minutes}m${two(seconds % 60)}s`
  return days === 0 ? `${hours}h${two(minutes % 60)}m` : `${days}d${two(hours % 24)}h`
}

/** What is left until an instant, in whole seconds and never below one: a countdown that shows 0 looks stuck. */
export function left(durationMs: number): string {
  return spent(Math.max(1, Math.ceil(durationMs / 1000)) * 1000)
}

/** `12s ago`, `3h ago`, `2d ago`. */
export function ago(instant: number, now: number): string {
  const ms = Math.max(0, now - instant)
  const unit = ms < 60_000 ? 's' : ms < 3_600_000 ? 'm' : ms < 86_400_000 ? 'h' : 'd'
  return `${Math.floor(ms / (unitsMs[unit] ?? 1))}${unit} ago`
}

export function iso(instant: number): string {
  return new Date(instant).toISOString()
}

const two = (count: number): string => String(count).padStart(2, '0')
