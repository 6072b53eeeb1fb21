/** Of measured values. */
import { quantile } from '../outage/traffic.ts'

export interface Spread {
  readonly p50: number
  readonly p95: number
}

export function spreadOf(values: readonly number[]): Spread {
  return { p50: quantile(values, 0.5) ?? NaN, p95: quantile(values, 0.95) ?? NaN }
}
