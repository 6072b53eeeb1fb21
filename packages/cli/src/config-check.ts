/** Checks that a configuration file exports a configuration. */
import { isLastgoodError, resolvePolicy, type PolicyOptions } from '@lastgood/core'
import { z } from 'zod'
import { nearest } from './nearest.ts'

const thing = z.custom<object>((value) => (typeof value === 'object' && value !== null) || typeof value === 'function')
const schema = z.strictObject({
  store: z.union([z.string(), thing]).optional(),
  queue: z.union([z.string(), thing]).optional(),
  agents: z.record(z.string(), thing).optional(),
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

/** What each field takes, with an example. */
const takes: Readonly<Record<Exclude<keyof z.infer<typeof schema>, 'agents'>, string>> = {
  store: "an address, or a store: store: 'redis://127.0.0.1:6379', store: fileStore({ dir })",
  queue: "an address, or a client of ioredis: queue: 'redis://127.0.0.1:6379'",
  policy: 'what openSession takes as policy: policy: { horizonMs: 3_600_000 }',
  statusPage: "false, or addresses of summary.json: statusPage: { urls: ['https://…/api/v2/summary.json'] }",
  prices: "USD for a million tokens: prices: { 'claude-opus-5-5': { input: 4 } }",
  confirmAboveUsd: 'a number of USD from 0: confirmAboveUsd: 1',
  perMinute: "requests a minute: perMinute: { 'claude-opus-5-5': 50 }",
  machineVersion: "a text: machineVersion: '2'",
}

/** What is wrong with `value`, and where, with a hint on what that field takes; undefined if nothing is wrong. */
export function mistakeInConfig(value: unknown): { what: string; hint?: string } | undefined {
  const { success, data, error } = schema.safeParse(value)
  if (success) return mistakeInPolicy(data.policy)
  // A missing field may be present under a misspelled name.
  const issue = error.issues.find(({ code }) => code === 'unrecognized_keys') ?? error.issues[0]
  const place = issue?.path.length ? issue.path.join('.') : 'the default export'
  const what = `${place}: ${issue?.message ?? 'not a configuration'}`
  const field = Object.entries(takes).find(([name]) => name === issue?.path[0])
  if (field) return { what, hint: `${field[0]} takes ${field[1]}` }
  if (issue?.code !== 'unrecognized_keys') return { what }
  const fields = Object.keys(schema.shape)
  const meant = nearest(issue.keys[0] ?? '', fields)
  return { what, hint: meant === undefined ? `fields: ${fields.join(', ')}` : `did you mean ${meant}?` }
}

/** Core knows what a policy is. */
function mistakeInPolicy(policy: PolicyOptions | undefined): { what: string; hint?: string } | undefined {
  try {
    resolvePolicy(policy)
    return undefined
  } catch (error) {
    if (!isLastgoodError(error, 'bad-option')) throw error
    return { what: `policy: ${error.message}`, hint: error.hint }
  }
}
