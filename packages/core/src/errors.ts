/**
 * The errors that callers get.
 *
 * Expected outcomes (a busy session, a fault that will be retried) are data; an error means that the caller must
 * change something or that lastgood gives up. Every error has a string `code` to branch on and a `hint`: the next
 * thing to do, a command where there is one. Messages never hold prompts, tool output, keys or journal payloads.
 */

/** One code for each thing a caller may want to branch on. */
export type ErrorCode =
  /** An option, session id or argument is malformed. */
  | 'bad-option'
  /** The store has no session with this id. */
  | 'session-not-found'
  /** Another live process writes this session. */
  | 'session-busy'
  /** This process was fenced off: another writer took the session over. Nothing more is written. */
  | 'lease-lost'
  /** The session is parked with a reason; it can be resumed. */
  | 'session-suspended'
  /** A person has to decide about a tool call of unknown outcome. */
  | 'needs-input'
  /** One of the caller's own steps was started before and its outcome is unknown. It was not repeated. */
  | 'step-in-doubt'
  /** The API refused for good; sending the same again cannot succeed. */
  | 'request-failed'
  /** The store cannot take or give entries now; nothing acknowledged was lost, and nothing was started. */
  | 'store-unavailable'
  /** A journal is damaged before its tail. */
  | 'journal-corrupt'
  /** A journal was written by a newer lastgood. */
  | 'journal-version'
  /** The journal cannot be decoded: a key or a codec is missing, or it is in the clear where it must be encrypted. */
  | 'journal-sealed'
  /** An append that neither continues the journal nor repeats its entries: two writers, or a bug. */
  | 'journal-conflict'
  /** The session was closed by this process. */
  | 'session-closed'

export interface ErrorOptions {
  /** The next thing to do; a command where there is one. */
  hint: string
  cause?: unknown
  /** Facts for programs, JSON-serialisable; never content. */
  details?: Readonly<Record<string, unknown>>
}

// Registered, so that errors are recognised across duplicate copies of the package.
const brand = Symbol.for('lastgood.error')

/**
 * What lastgood throws: `code` says which error it is, `hint` what to do next, `details` has what a program may want to
 * know, such as `retryAt` (epoch ms), and `cause` what it came from. Recognise it by `isLastgoodError`.
 */
export class LastgoodError extends Error {
  readonly code: ErrorCode
  readonly hint: string
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message: string, options: ErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'LastgoodError'
    this.code = code
    this.hint = options.hint
    this.details = options.details ?? {}
    Object.defineProperty(this, brand, { value: true })
  }
}

/** The error for stored data of a newer version than this release reads: it is never skipped or guessed at. */
export function newerVersion(what: string, version: number, reads: number): LastgoodError {
  return new LastgoodError(
    'journal-version',
    `${what} of version ${version} was written by a newer lastgood; this one reads version ${reads}`,
    { hint: 'update lastgood, then resume again', details: { v: version, reads } },
  )
}

/** Whether `value` is a lastgood error, of this or another copy of the package; with `code`, of that kind. */
export function isLastgoodError(value: unknown, code?: ErrorCode): value is LastgoodError {
  if (typeof value !== 'object' || value === null || !(brand in value)) return false
  return code === undefined || ('code' in value && value.code === code)
}

/** Whether `value` is an error of one journal, which does not affect other sessions. */
export function isJournalError(value: unknown): value is LastgoodError {
  return isLastgoodError(value) && value.code.startsWith('journal-')
}

/** The message of an error, or any other thrown value as text. Never throws. */
export function messageOf(thrown: unknown): string {
  try {
    const said: unknown = thrown instanceof Error ? thrown.message : thrown
    return String(said)
  } catch {
    return 'a value without a text was thrown'
  }
}
