/** Counts as people read them, on the page and in a terminal. Pure. */

/** 950, 12.3k, 1.2M. */
export function compact(count: number): string {
  if (count < 1000) return String(count)
  return count < 999_950 ? `${(count / 1000).toFixed(1)}k` : `${(count / 1_000_000).toFixed(1)}M`
}
