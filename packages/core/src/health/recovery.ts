/** How busy a model is, and its recovery from the last outage, from its health record. Pure. */
import type { HealthRecord } from './record.ts'

export interface Recovery {
  /** When the breaker closed; it identifies the recovery. */
  readonly at: number
  /** Answers a second in the busiest minute before the outage; undefined if no whole minute was counted. */
  readonly usualPerSecond: number | undefined
}

const minuteMs = 60_000
const busyPerSecond = 100
/** After this long a recovery is over, whatever came of it. */
const newsMs = 15 * minuteMs

export function recoveryOf(record: HealthRecord | undefined, now: number): Recovery | undefined {
  const recovered = record?.breaker.state === 'closed' ? record.breaker.recovered : undefined
  if (!record || !recovered || now >= recovered.at + newsMs) return undefined
  const { at, since } = recovered
  return { at, usualPerSecond: hasWholeMinute(record, since) ? mostPerSecond(record, since) : undefined }
}

/** Whether so many requests are answered that failures in a row, or reports a second late, mean nothing. */
export function isBusy(record: HealthRecord, until: number): boolean {
  return mostPerSecond(record, until) >= busyPerSecond
}

/** Answers a second in the busiest minute that began before `until`; 0 when there were none. */
function mostPerSecond({ minutes }: HealthRecord, until: number): number {
  return minutes.reduce((most, { at, ok }) => (at < until ? Math.max(most, ok) : most), 0) / 60
}

/** The first and the last minute of work are cut short, so their counts say too little. */
function hasWholeMinute({ minutes }: HealthRecord, until: number): boolean {
  const worked = new Set(minutes.filter(({ ok }) => ok > 0).map(({ at }) => at))
  return [...worked].some((at) => worked.has(at - minuteMs) && at + minuteMs <= until)
}
