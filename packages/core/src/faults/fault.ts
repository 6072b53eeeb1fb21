/**
 * Faults: what went wrong on the wire, as data. `classify` (in `classify.ts`) turns what was seen into a `Fault`;
 * `decide` (in `policy/decide.ts`) turns a fault and its history into a `Decision`; the driver only obeys.
 */
import { z } from 'zod'
import { instantSchema } from '../journal/instant.ts'
import { lazily } from '../lazily.ts'

/** The classes of failure, one for each way to respond. */
export const faultKinds = [
  /** 5xx other than overload. */
  'server-transient',
  /** 529, an in-band `overloaded_error`, a 500 that says `Overloaded`. */
  'overloaded',
  /** 529 `compaction_unavailable`: the server cannot compact now; the conversation itself is sound. */
  'compaction-unavailable',
  /** No answer at all: refused, reset before headers, DNS, a time-out before headers. */
  'transport',
  /** The body broke off: reset, closed, unfinished chunk. */
  'stream-cut',
  /** The body ended politely without `message_stop` and without a stop reason. */
  'stream-truncated',
  /** No progress within the time allowed; pings are not progress. */
  'stream-stalled',
  /** 200, but not an answer: HTML, a JSON error, no event at all. */
  'bad-gateway',
  /** 429, with or without an instant to retry at. */
  'rate-limited',
  /** A spend cap, an empty balance, a billing error: waiting alone does not help. */
  'spend-blocked',
  /** 401 or 403 for this session alone: credentials or permission. */
  'auth-blocked',
  /** 401 or 403 for many sessions at once, or where it worked a moment ago: an outage of the login system. */
  'auth-outage',
  /** 400 that names the transcript. */
  'transcript-invalid',
  /** 400 that names a parameter, a beta or a tool that this model or API version does not accept. */
  'params-incompatible',
  /** 400 that names an image or a document. */
  'image-rejected',
  /** Too many bytes. */
  'too-large',
  /** Too many tokens for the window. */
  'context-overflow',
  /** A container, a file or a thread that the server no longer has. */
  'server-object-lost',
  /** The same request fails with 5xx again and again while others on the same model are answered. */
  'poisoned',
  /** The content filter stopped the output; not deterministic. */
  'output-filtered',
  /** `max_tokens` cut the only tool call of an answer: its input is incomplete. */
  'output-cut',
  /** An answer that ended, with a tool call that is incomplete, whose input is no JSON, or whose id is taken. */
  'broken-call',
  /** An answer that says nothing. */
  'empty-answer',
  /** The model is gone or not allowed. */
  'model-gone',
  /** Certificates and the like: the machine's set-up. */
  'config',
  /** Any other 4xx. */
  'request-rejected',
] as const
export type FaultKind = (typeof faultKinds)[number]
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
