/** Of measured values. */
import { median, quantile } from '../spread.ts'

export interface Spread {
  readonly p50: number
  readonly p95: number
}

export function spreadOf(values: readonly number[]): Spread {
  return { p50: median(values), p95: quantile(values, 0.95) ?? NaN }
}
