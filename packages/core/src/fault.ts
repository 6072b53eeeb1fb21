/**
 * Faults: what happened on the wire, as data. `classify` (in `classify.ts`) turns what was seen into a `Fault`;
 * `decide` (in `policy.ts`) turns a fault and its history into a `Decision`; the driver only obeys.
 */
import { z } from 'zod'

/** The classes of failure, one for each different thing to do. */
export const faultKindSchema = z.enum([
  /** 5xx other than overload. */
  'server-transient',
  /** 529, an in-band `overloaded_error`, a 500 that says `Overloaded`. */
  'overloaded',
  /** No answer at all: refused, reset before headers, DNS, a time-out of headers. */
  'transport',
  /** The body broke off: reset, closed, unfinished chunk. */
  'stream-cut',
  /** The body ended politely without `message_stop` and without a stop reason. */
  'stream-truncated',
  /** No progress within the time allowed; pings are not progress. */
  'stream-stalled',
  /** 200, but not an answer: HTML, a JSON error, no event at all. */
  'bad-gateway',
  /** 429 with or without an instant to come back at. */
  'rate-limited',
  /** A spend cap, an empty balance, a billing error: time alone does not mend it. */
  'spend-blocked',
  /** 401 or 403: credentials, or an outage of the login system. */
  'auth-blocked',
  /** 400 that names the transcript. */
  'transcript-invalid',
  /** Too long for the window, or too many bytes. */
  'too-large',
  /** The content filter stopped the output; not deterministic. */
  'output-filtered',
  /** The model is gone or not allowed. */
  'model-gone',
  /** Certificates and the like: the machine's set-up. */
  'config',
  /** Any other 4xx. */
  'request-rejected',
])
export type FaultKind = z.infer<typeof faultKindSchema>

export const faultSchema = z.strictObject({
  kind: faultKindSchema,
  status: z.number().optional(),
  /** `error.type` of the API's body. */
  errorType: z.string().optional(),
  /** `error.details.error_code`. */
  errorCode: z.string().optional(),
  /** The API's own words, cut to 500 characters; for the person who reads the journal. */
  message: z.string().optional(),
  requestId: z.string().optional(),
  /** What the server asked for, already in ms. */
  retryAfterMs: z.number().optional(),
  /** The server's `x-should-retry`: `false` stops re-sending whatever the kind, `true` decides an unknown status. */
  shouldRetry: z.boolean().optional(),
  /** The cause chain's codes, for transport faults: `ECONNRESET`, `UND_ERR_SOCKET`. */
  causes: z.array(z.string()).optional(),
})
export type Fault = z.infer<typeof faultSchema>

export const decisionSchema = z.discriminatedUnion('kind', [
  /** Send the identical request again at this instant (epoch ms). */
  z.strictObject({ kind: z.literal('retry'), at: z.number() }),
  /** Park the session: time or a person has to mend it first. `retryAt` where a next try is sensible. */
  z.strictObject({ kind: z.literal('suspend'), reason: z.string(), retryAt: z.number().optional() }),
  /** The caller's mistake: tell it at once; the turn stays open and can be continued once mended. */
  z.strictObject({ kind: z.literal('fail'), reason: z.string() }),
])
export type Decision = z.infer<typeof decisionSchema>
