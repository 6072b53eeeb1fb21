/**
 * The classes of failure, one for each way to respond, and what holds for each, whatever is done about it. What is done is
 * its row in `policy/rules.ts`.
 */

/** What a fault says about the model's health. */
export type Sign =
  /** The model answered. */
  | 'answer'
  /** The model or the way to it is down. */
  | 'failure'
  /** The model does not exist. */
  | 'gone'
  /** None of these: the cause is the server's front door, the request or this machine, not the model. */
  | 'unclear'

export interface Traits {
  /** Default `unclear`. */
  readonly sign?: Sign
  /** Time does not mend it: no user's row may have it sent again and again (P6). */
  readonly isLasting?: true
  /** Caused by what was said: to go on, it has to be rephrased. */
  readonly isOfTranscript?: true
  /** A session that it suspends is refused: the new words replace the turn. */
  readonly needsOtherWords?: true
  /** Of an answer that arrived whole. */
  readonly isOfAnswer?: true
}

const kinds = {
  /** 5xx other than overload. */
  'server-transient': { sign: 'failure' },
  /** 529, an in-band `overloaded_error`, a 500 that says `Overloaded`. */
  overloaded: { sign: 'failure' },
  /** 529 `compaction_unavailable`: the server cannot compact now; the conversation itself is sound. */
  'compaction-unavailable': {},
  /** No answer at all: refused, reset before headers, DNS, a time-out before headers. */
  transport: { sign: 'failure' },
  /** The body broke off: reset, closed, unfinished chunk. */
  'stream-cut': { sign: 'failure' },
  /** The body ended politely without `message_stop` and without a stop reason. */
  'stream-truncated': { sign: 'failure' },
  /** No progress within the time allowed; pings are not progress. */
  'stream-stalled': { sign: 'failure' },
  /** 200, but not an answer: HTML, a JSON error, no event at all. */
  'bad-gateway': { sign: 'failure' },
  /** 429, with or without an instant to retry at. */
  'rate-limited': {},
  /** A spend cap, an empty balance, a billing error: waiting alone does not help. */
  'spend-blocked': { isLasting: true },
  /** 401 or 403 for this session alone: credentials or permission. */
  'auth-blocked': { isLasting: true },
  /**
   * 401 or 403 for many sessions at once, or where it worked a moment ago: an outage of the login system. One session may
   * probe for all.
   */
  'auth-outage': { sign: 'failure' },
  /** 400 that names the transcript. */
  'transcript-invalid': { isLasting: true, isOfTranscript: true },
  /** 400 that names a parameter, a beta or a tool that this model or API version does not accept. */
  'params-incompatible': { isLasting: true },
  /** 400 that names an image or a document. */
  'image-rejected': { isLasting: true, isOfTranscript: true },
  /** Too many bytes. */
  'too-large': { isLasting: true, isOfTranscript: true },
  /** Too many tokens for the window. */
  'context-overflow': { isLasting: true, isOfTranscript: true },
  /** A container, a file or a thread that the server no longer has. */
  'server-object-lost': {},
  /** The same request fails with 5xx again and again while others on the same model are answered. */
  poisoned: { isOfTranscript: true, needsOtherWords: true },
  /** The content filter stopped the output; not deterministic. */
  'output-filtered': { sign: 'answer', isOfTranscript: true, needsOtherWords: true },
  /** `max_tokens` cut the only tool call of an answer: its input is incomplete. */
  'output-cut': { sign: 'answer', isOfAnswer: true },
  /** An answer that ended, with a tool call that is incomplete, whose input is no JSON, or whose id is taken. */
  'broken-call': { sign: 'answer' },
  /** An answer that says nothing. */
  'empty-answer': { sign: 'answer', isOfAnswer: true },
  /** The model is gone or not allowed. */
  'model-gone': { sign: 'gone', isLasting: true },
  /** Certificates and the like: the machine's set-up. */
  config: { isLasting: true },
  /** Any other 4xx. */
  'request-rejected': { isLasting: true },
} as const satisfies Readonly<Record<string, Traits>>

export type FaultKind = keyof typeof kinds
export const faultKinds = Object.keys(kinds) as [FaultKind, ...FaultKind[]]

/** What holds for a kind; nothing special for a word that is none. */
export const traitsOf = (kind: string): Traits => (kinds as Readonly<Record<string, Traits>>)[kind] ?? {}

/** Whether a request that was refused has to be rephrased. Without a kind it was the model that refused. */
export const isToRephrase = (kind: string | null): boolean => kind === null || traitsOf(kind).isOfTranscript === true
