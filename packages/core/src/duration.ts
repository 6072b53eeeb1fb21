/** Durations as people say them: `formatDuration(5_400_000)` is `90 min`. For reasons and messages, never for parsing. */
const units: readonly (readonly [name: string, ms: number])[] = [
  ['ms', 1],
  ['s', 1_000],
  ['min', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]

/** The largest unit of which there are at least two, rounded; `Infinity` is `for ever`. */
export function formatDuration(durationMs: number): string {
  if (!Number.isFinite(durationMs)) return 'for ever'
  const [name, unitMs] = units.findLast(([, ms]) => durationMs >= 2 * ms) ?? ['ms', 1]
  return `${Math.round(durationMs / unitMs)} ${name}`
}
