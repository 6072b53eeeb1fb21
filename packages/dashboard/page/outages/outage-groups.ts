/**
 * What many sessions met at the same time, as one outage. Pure.
 *
 * 1. Outages of one model that overlap, or are at most a minute apart, are one; every row is in exactly one of them.
 */
import type { SessionOutageRow } from '../../src/outages.ts'

export interface OutageGroup {
  model: string | null
  from: number
  /** Undefined while it lasts for one of them. */
  to: number | undefined
  causes: readonly string[]
  rows: readonly SessionOutageRow[]
  /** The last row of each session. */
  sessions: readonly SessionOutageRow[]
}

const apartMs = 60_000

/** The newest first. */
export function outageGroups(rows: readonly SessionOutageRow[]): OutageGroup[] {
  const groups: { model: string | null; from: number; end: number; rows: SessionOutageRow[] }[] = []
  for (const row of [...rows].sort((a, b) => Date.parse(a.since) - Date.parse(b.since))) {
    const [from, end] = [Date.parse(row.since), row.until === null ? Infinity : Date.parse(row.until)]
    const open = groups.findLast((group) => group.model === row.model && from - group.end <= apartMs)
    if (open) {
      open.end = Math.max(open.end, end)
      open.rows.push(row)
    } else groups.push({ model: row.model, from, end, rows: [row] })
  }
  return groups
    .map(({ model, from, end, rows: own }) => ({
      model,
      from,
      to: end === Infinity ? undefined : end,
      causes: [...new Set(own.map(({ cause }) => cause))],
      rows: own,
      sessions: [...new Map(own.map((row) => [row.sessionId, row])).values()],
    }))
    .sort((a, b) => b.from - a.from)
}
