/** An instant in epoch ms, within the range of `Date`, so that it can always be shown. */
import { z } from 'zod'
import { lazily } from '../lazily.ts'

/** https://tc39.es/ecma262/#sec-time-values-and-time-range */
export const latestInstant = 8.64e15

export const isInstant = (value: unknown): boolean =>
  Math.abs(value as number) <= latestInstant && typeof value === 'number'
export const instantSchema = lazily(() => z.number().min(-latestInstant).max(latestInstant))
