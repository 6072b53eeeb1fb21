/** Durations and instants as people type and read them. */
import { LastgoodError } from '@lastgood/core'

export { ago, left, spent } from '@lastgood/dashboard'

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `90s`, `10m`, `2h`, `1h30m`, `7d`, in ms. Undefined for anything else: a number alone could mean anything. */
export function durationIn(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) return undefined
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)]
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (unitsMs[unit ?? ''] ?? NaN), 0)
}

/** The same. Errors: `bad-option`, which names the option. */
export function parseDuration(text: string, option: string): number {
  const durationMs = durationIn(text)
  if (durationMs !== undefined) return durationMs
  throw new LastgoodError('bad-option', `${option} takes a duration, got ${JSON.stringify(text.slice(0, 40))}`, {
    hint: `write ${option} 90s, 10m, 2h, 1h30m or 7d`,
  })
}

/** ISO 8601; the number itself if it is beyond the range of dates, as in a store written by hand. */
export function iso(instant: number): string {
  const date = new Date(instant)
  return Number.isNaN(date.getTime()) ? String(instant) : date.toISOString()
}

/** For documents, where an absent value is null. */
export function isoOrNull(instant: number | null | undefined): string | null {
  return instant === undefined || instant === null ? null : iso(instant)
}
