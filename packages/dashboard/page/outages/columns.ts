/** Minutes of requests, added up into as many columns as a plot can show. Pure. */
import type { Count } from '../../src/overview.ts'

const minuteMs = 60_000

export interface Column extends Count {
  from: number
  to: number
}

/** Columns of equal length in whole minutes, from `from` until `to`; a column without requests has zeros. */
export function columnsOf(
  minutes: readonly ({ at: string } & Count)[],
  from: number,
  to: number,
  most: number,
): Column[] {
  const length = Math.max(1, Math.ceil((to - from) / minuteMs / most)) * minuteMs
  const start = Math.floor(from / length) * length
  const count = Math.floor((to - start) / length) + 1
  const columns = Array.from({ length: count }, (_, index) => ({
    from: start + index * length,
    to: start + (index + 1) * length,
    answered: 0,
    failed: 0,
  }))
  for (const { at, answered, failed } of minutes) {
    const column = columns[Math.floor((Date.parse(at) - start) / length)]
    if (!column) continue
    column.answered += answered
    column.failed += failed
  }
  return columns
}
