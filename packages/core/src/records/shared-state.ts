/**
 * What all sessions of a store share: small records that any of them may replace. Provider health, answers of the
 * Models API and the status page live here; nothing that a session needs does.
 *
 * 1. `write` is atomic: of several writers that read the same version one wins; the others get false and read again.
 * 2. Records are advice, not truth: one may be lost, and its users go on without it.
 * 3. A record is at most 64 KiB of JSON, without secrets and without content of conversations.
 * 4. A `write` that was applied may still return false: its first answer was lost and it was sent again, or its writer
 *    was overtaken many times before it could look. So applying a change on top of itself must do no harm.
 *
 * Errors: `bad-option` (key, prefix or value), `store-unavailable` (cannot answer now).
 */
import { LastgoodError } from '../errors.ts'

export interface SharedRecord {
  /** Letters, digits and `.:@|_-`; up to 200. */
  readonly key: string
  /** Grows with every write, from 1. */
  readonly version: number
  readonly value: unknown
}

export interface SharedState {
  /** The record, or undefined if there is none. */
  read(key: string): Promise<SharedRecord | undefined>
  /** Replace the record if it still has `version` (0: if there is none); otherwise false. */
  write(key: string, version: number, value: unknown): Promise<boolean>
  /** All records whose key begins with `prefix`. */
  list(prefix: string): Promise<SharedRecord[]>
}

const keyPattern = /^[A-Za-z0-9.:@|_-]{1,200}$/

/** Throws `bad-option` if `key` cannot name a shared record. */
export function assertSharedKey(key: string): void {
  if (keyPattern.test(key)) return
  throw new LastgoodError('bad-option', `not the key of a shared record: ${JSON.stringify(key.slice(0, 210))}`, {
    hint: 'a key has 1 to 200 letters, digits, ".", ":", "@", "|", "_" or "-"',
  })
}

/** Throws `bad-option` if no key can begin with `prefix`; every key begins with ''. */
export function assertSharedPrefix(prefix: string): void {
  if (prefix !== '') assertSharedKey(prefix)
}

const largestBytes = 64 * 1024

/** The JSON of `value`. Throws `bad-option` if it has none, or more than 64 KiB in UTF-8. */
export function sharedJson(key: string, value: unknown): string {
  // The declared type is `string`, but `undefined` and functions give `undefined`.
  const text = JSON.stringify(value) as string | undefined
  const bytes = text === undefined ? 0 : new TextEncoder().encode(text).length
  if (text !== undefined && bytes <= largestBytes) return text
  throw new LastgoodError(
    'bad-option',
    `${key}: ${text === undefined ? 'not a JSON value' : `${bytes} bytes of JSON`}`,
    {
      hint: `a shared record is a JSON value of at most ${largestBytes} bytes`,
      details: { key, bytes },
    },
  )
}
