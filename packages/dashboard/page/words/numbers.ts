/** Counts as people read them on the page. Pure. */

export const counted = (count: number, noun: string, plural = `${noun}s`): string =>
  `${count.toLocaleString('en-US')} ${count === 1 ? noun : plural}`

/** `12 %`; a share above none is not shown as 0. */
export function percent(part: number, whole: number): string {
  if (whole === 0 || part === 0) return '0 %'
  const value = (part / whole) * 100
  return value < 1 ? '< 1 %' : value > 99 && part < whole ? '> 99 %' : `${Math.round(value)} %`
}
