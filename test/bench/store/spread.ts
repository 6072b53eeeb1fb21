/** Of measured times, in ms. */
import { quantile } from '../outage/traffic.ts'

export interface Spread {
  readonly p50: number
  readonly p99: number
}

export function spreadOf(values: readonly number[]): Spread {
  return { p50: quantile(values, 0.5) ?? NaN, p99: quantile(values, 0.99) ?? NaN }
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5) ?? NaN
}

/** How long `job` takes. */
export async function timed(job: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await job()
  return performance.now() - startedAt
}
