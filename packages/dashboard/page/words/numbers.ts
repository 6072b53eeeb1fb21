/** Counts as people read them. Pure. */

export const counted = (count: number, noun: string, plural = `${noun}s`): string =>
  `${count.toLocaleString('en-US')} ${count === 1 ? noun : plural}`

/** 950, 12.3k, 1.2M. */
export function compact(count: number): string {
  if (count < 1000) return String(count)
  return count < 999_950 ? `${(count / 1000).toFixed(1)}k` : `${(count / 1_000_000).toFixed(1)}M`
}

/** `12 %`; the few that are not none are not shown as none. */
export function percent(part: number, whole: number): string {
  if (whole === 0 || part === 0) return '0 %'
  const value = (part / whole) * 100
  return value < 1 ? '< 1 %' : value > 99 && part < whole ? '> 99 %' : `${Math.round(value)} %`
}
