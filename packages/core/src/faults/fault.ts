/**
 * Faults: what went wrong on the wire, as data. `classify` (in `classify.ts`) turns what was seen into a `Fault`;
 * `decide` (in `policy/decide.ts`) turns a fault and its history into a `Decision`; the driver only obeys.
 */
import { z } from 'zod'
import { faultKinds } from './fault-kinds.ts'
import { instantSchema } from '../journal/instant.ts'
import { lazily } from '../lazily.ts'

export const faultKindSchema = lazily(() => z.enum(faultKinds))

export const faultSchema = lazily(() =>
  z.strictObject({
    kind: faultKindSchema(),
    status: z.number().optional(),
    /** `error.type` of the API's body. */
    errorType: z.string().optional(),
    /** `error.details.error_code`. */
    errorCode: z.string().optional(),
    /** The API's own words, cut to 500 characters; for the person who reads the journal. */
    message: z.string().optional(),
    requestId: z.string().optional(),
    /** The wait that the server asked for, in ms. */
    retryAfterMs: z.number().optional(),
    /** The server's `x-should-retry`: `false` stops re-sending for any kind, `true` decides an unknown status. */
    shouldRetry: z.boolean().optional(),
    /** The cause chain's codes, for transport faults: `ECONNRESET`, `UND_ERR_SOCKET`. */
    causes: z.array(z.string()).optional(),
    /** What is complete in a broken answer: tool calls, or text only. */
    complete: z.enum(['calls', 'text']).optional(),
    /** Tokens that the broken attempt cost, in full-price input tokens; see `costOf`. */
    tokens: z.number().optional(),
    /** Repair rules that can mend the request, gentlest first. */
    repairs: z.array(z.string()).optional(),
    /** The places in the request that the API named: `messages.3.content.0`. */
    paths: z.array(z.string()).optional(),
  }),
)
export type Fault = z.infer<ReturnType<typeof faultSchema>>

export const decisionSchema = lazily(() =>
  z.discriminatedUnion('kind', [
    /** Send the identical request again at this instant (epoch ms). */
    z.strictObject({ kind: z.literal('retry'), at: instantSchema() }),
    /** Send the identical request again now, with fresh credentials where there is a way to get them. */
    z.strictObject({ kind: z.literal('resend') }),
    /** Keep the complete blocks of the broken answer and go on from them. */
    z.strictObject({ kind: z.literal('keep-and-continue') }),
    /** Let this rung of the ladder (0 is the first) take the turn, now. */
    z.strictObject({ kind: z.literal('fallback'), rung: z.number().int().min(0) }),
    /** Mend the outgoing request by this rule and send it, now. */
    z.strictObject({ kind: z.literal('repair'), rule: z.string() }),
    /** Suspend the session: time or a person has to mend it first. `retryAt` where a next try is sensible. */
    z.strictObject({ kind: z.literal('suspend'), reason: z.string(), retryAt: instantSchema().optional() }),
    /** The caller's mistake: report it at once; the turn stays open and can be continued once it is mended. */
    z.strictObject({ kind: z.literal('fail'), reason: z.string() }),
  ]),
)
export type Decision = z.infer<ReturnType<typeof decisionSchema>>
