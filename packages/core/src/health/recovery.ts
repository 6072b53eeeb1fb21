/** What a health record tells of how busy a model is, and of the last outage once it is over. Pure. */
import type { HealthRecord } from './record.ts'

export interface Recovery {
  /** When the breaker closed: another instant is another recovery. */
  readonly at: number
  /** Answers a second in the busiest minute before the outage; undefined where nobody counted a whole one. */
  readonly usualPerSecond: number | undefined
}

const minuteMs = 60_000
const busyPerSecond = 100
/** Whatever came of it, after so long it is over. */
const newsMs = 15 * minuteMs

export function recoveryOf(record: HealthRecord | undefined, now: number): Recovery | undefined {
  const recovered = record?.breaker.state === 'closed' ? record.breaker.recovered : undefined
  if (!record || !recovered || now >= recovered.at + newsMs) return undefined
  const { at, since } = recovered
  return { at, usualPerSecond: hasWholeMinute(record, since) ? mostPerSecond(record, since) : undefined }
}

/** Whether so many are answered that failures in a row, and news that comes a second late, are no sign. */
export function isBusy(record: HealthRecord, until: number): boolean {
  return mostPerSecond(record, until) >= busyPerSecond
}

/** Answers a second in the busiest minute that began before `until`; 0 when there were none. */
function mostPerSecond({ minutes }: HealthRecord, until: number): number {
  return minutes.reduce((most, { at, ok }) => (at < until ? Math.max(most, ok) : most), 0) / 60
}

/** The first minute of work and the one in which it ended are cut short: what was answered in them says too little. */
function hasWholeMinute({ minutes }: HealthRecord, until: number): boolean {
  const worked = new Set(minutes.filter(({ ok }) => ok > 0).map(({ at }) => at))
  return [...worked].some((at) => worked.has(at - minuteMs) && at + minuteMs <= until)
}
