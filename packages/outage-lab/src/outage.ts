/**
 * The outage script: which requests fail, and how. Plain data, so that it fits in a file or on a command line.
 * 1. The first outage that matches a request is the one that happens.
 * 2. Chance comes from the lab's seed and the request's number, never from the order of calls.
 */
import { z } from 'zod'
import { chance } from './digest.ts'

const count = z.int().nonnegative()

const cutPointSchema = z.union([
  z.strictObject({ events: count }),
  z.strictObject({ bytes: count }),
  z.strictObject({ inside: z.enum(['text', 'tool_use', 'thinking']), index: count.optional() }),
  z.strictObject({ afterBlock: count }),
  z.strictObject({ before: z.enum(['message_delta', 'message_stop']) }),
])

const headers = z.record(z.string(), z.string()).optional()

const faultSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('status'),
    status: z.int().min(300).max(599),
    type: z.string().optional(),
    message: z.string().optional(),
    errorCode: z.string().optional(),
    headers,
    html: z.boolean().optional(),
  }),
  z.strictObject({ kind: z.literal('reset'), at: z.enum(['before-headers', 'after-headers']) }),
  z.strictObject({ kind: z.literal('cut'), after: cutPointSchema, how: z.enum(['reset', 'close', 'end']) }),
  z.strictObject({
    kind: z.literal('error-event'),
    after: z.union([cutPointSchema, z.literal('start')]),
    type: z.string(),
    message: z.string(),
  }),
  z.strictObject({
    kind: z.literal('stall'),
    after: z.union([cutPointSchema, z.enum(['headers', 'before-headers'])]),
    pings: z.boolean(),
    everyMs: z.number().positive().optional(),
    forMs: z.number().nonnegative().optional(),
  }),
  z.strictObject({ kind: z.literal('html'), status: z.int().min(200).max(599).optional() }),
  z.strictObject({ kind: z.literal('json-error'), type: z.string().optional(), message: z.string().optional() }),
  z.strictObject({ kind: z.literal('empty') }),
  z.strictObject({ kind: z.literal('bad-event'), after: cutPointSchema }),
  z.strictObject({ kind: z.literal('delay'), ms: z.number().nonnegative(), headers: z.boolean().optional() }),
  z.strictObject({
    kind: z.literal('ended'),
    stopReason: z.enum([
      'end_turn',
      'max_tokens',
      'stop_sequence',
      'pause_turn',
      'refusal',
      'model_context_window_exceeded',
    ]),
    blocks: count,
  }),
  z.strictObject({ kind: z.literal('withdrawn') }),
])

/** One of several faults, each with its share. */
const mixSchema = z.strictObject({
  oneOf: z.array(z.strictObject({ weight: z.number().positive(), fault: faultSchema })).min(1),
})

/** The end of a range. Infinity means for ever; so does null, which JSON makes of Infinity. */
const end = z.union([z.number(), z.literal(Infinity), z.null()])
const conditions = {
  /** The share of the requests that it hits. */
  rate: z.number().min(0).max(1).optional(),
  model: z.string().optional(),
  /** Default messages. A number counts the requests to the endpoint that was asked. */
  endpoint: z.enum(['messages', 'count_tokens', 'models', 'all']).optional(),
  /** A text in the raw body: for failures that depend on the data and so hit one session for ever. */
  contains: z.string().optional(),
  /** It hits the first request that meets all of this, and no other. */
  once: z.literal(true).optional(),
}

const whenSchema = z.union([
  z.strictObject({ request: z.int().positive(), ...conditions }),
  z.strictObject({ requests: z.tuple([z.int().positive(), end]), ...conditions }),
  z.strictObject({ window: z.tuple([z.number(), end]), ...conditions }),
])

export const outageSchema = z.strictObject({
  when: whenSchema,
  fault: z.union([faultSchema, mixSchema]),
  name: z.string().optional(),
})

export type CutPoint = z.input<typeof cutPointSchema>
export type Fault = z.input<typeof faultSchema>
export type FaultMix = z.input<typeof mixSchema>
export type When = z.input<typeof whenSchema>
export type Outage = z.input<typeof outageSchema>
export type Endpoint = 'messages' | 'count_tokens' | 'models'

export interface Occasion {
  readonly endpoint: Endpoint
  /** Number of the request to this endpoint, from 1. */
  readonly n: number
  /** Time since the lab's start. */
  readonly sinceStartMs: number
  readonly model: string
  readonly raw: string
  readonly seed: number
}

/** An outage that happens to a request, with the one fault it has there. */
export interface Happening {
  /** Its index in the script. */
  readonly index: number
  readonly fault: Fault
  readonly name?: string
}

/** `spent`: indices of `once` outages that have happened. */
export function pickOutage(
  outages: readonly Outage[],
  occasion: Occasion,
  spent: ReadonlySet<number>,
): Happening | undefined {
  const index = outages.findIndex(({ when }, at) => !spent.has(at) && happens(when, at, occasion))
  const outage = outages[index]
  if (!outage) return undefined
  const { fault, name } = outage
  const one = 'oneOf' in fault ? pickFault(fault, chance(...dice(index, occasion), 'oneOf')) : fault
  return { index, fault: one, ...(name !== undefined && { name }) }
}

function happens(when: When, index: number, occasion: Occasion): boolean {
  const { endpoint, n, sinceStartMs, model, raw } = occasion
  const wanted = when.endpoint ?? 'messages'
  if (wanted !== 'all' && wanted !== endpoint) return false
  if (when.model !== undefined && when.model !== model) return false
  if (when.contains !== undefined && !raw.includes(when.contains)) return false
  if (when.rate !== undefined && chance(...dice(index, occasion)) >= when.rate) return false
  if ('request' in when) return n === when.request
  if ('requests' in when) return n >= when.requests[0] && n <= (when.requests[1] ?? Infinity)
  return sinceStartMs >= when.window[0] && sinceStartMs < (when.window[1] ?? Infinity)
}

function dice(index: number, { endpoint, n, seed }: Occasion): readonly (string | number)[] {
  return endpoint === 'messages' ? [seed, index, n] : [seed, index, n, endpoint]
}

function pickFault({ oneOf }: FaultMix, at: number): Fault {
  const total = oneOf.reduce((sum, { weight }) => sum + weight, 0)
  let below = 0
  const picked = oneOf.find(({ weight }) => (below += weight) > at * total)
  return picked?.fault ?? oneOf[0]?.fault ?? { kind: 'empty' }
}
