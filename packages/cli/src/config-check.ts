/** Whether what a configuration file exports is one. */
import { z } from 'zod'

const thing = z.custom<object>((value) => (typeof value === 'object' && value !== null) || typeof value === 'function')
const schema = z.strictObject({
  store: z.union([z.string(), thing]).optional(),
  queue: z.union([z.string(), thing]).optional(),
  agents: z.record(z.string(), thing),
  policy: z.looseObject({}).optional(),
  statusPage: z
    .union([
      z.literal(false),
      z.strictObject({
        urls: z
          .array(z.url({ protocol: /^https?$/ }))
          .min(1)
          .optional(),
        everyMs: z.number().positive().optional(),
      }),
    ])
    .optional(),
  prices: z
    .record(
      z.string(),
      z.strictObject({
        input: z.number().nonnegative(),
        above: z.strictObject({ tokens: z.number().positive(), input: z.number().nonnegative() }).optional(),
      }),
    )
    .optional(),
  confirmAboveUsd: z.number().nonnegative().optional(),
  perMinute: z.record(z.string(), z.number().positive()).optional(),
  machineVersion: z.string().optional(),
})

/** What is wrong with `value`, and where; undefined when nothing is. */
export function mistakeInConfig(value: unknown): string | undefined {
  const { success, error } = schema.safeParse(value)
  if (success) return undefined
  const [issue] = error.issues
  const place = issue?.path.length ? issue.path.join('.') : 'the default export'
  return `${place}: ${issue?.message ?? 'not a configuration'}`
}
