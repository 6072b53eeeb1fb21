/** What is told of many measured values, and how long a job takes. */

/** The smallest value that `share` of `size` values do not exceed; undefined if there are fewer. */
export function quantile(values: Iterable<number>, share: number, size?: number): number | undefined {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * (size ?? sorted.length)) - 1)]
}

export interface Spread {
  readonly p50: number
  readonly p95: number
  readonly p99: number
}

export function spreadOf(values: readonly number[]): Spread {
  const at = (share: number) => quantile(values, share) ?? NaN
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) }
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
