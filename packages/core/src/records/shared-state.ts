/**
 * What all sessions of a store share: small records that anybody may replace. Provider health, answers of the Models
 * API and the status page live here; nothing that a session needs does.
 *
 * 1. `write` is atomic: of several writers that read the same version one wins, the others are told and read again.
 * 2. It is advice, not truth: a record may be lost, and nobody's work depends on it. Whoever uses it goes on without.
 * 3. A record is at most 64 KiB of JSON, without secrets and without content of conversations.
 * 4. A `write` that was applied may still be told false: its first answer was lost and it was sent again, or its writer
 *    was overtaken many times before it could look. So what is written must bear being written on top of itself.
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
  /** The record, or undefined when there is none. */
  read(key: string): Promise<SharedRecord | undefined>
  /** Put `value` where the record still has `version` (0: where there is none); false when it has not. */
  write(key: string, version: number, value: unknown): Promise<boolean>
  /** All records whose key begins with `prefix`. */
  list(prefix: string): Promise<SharedRecord[]>
}

const keyPattern = /^[A-Za-z0-9.:@|_-]{1,200}$/

/** Throws `bad-option` when `key` cannot name a shared record. */
export function assertSharedKey(key: string): void {
  if (keyPattern.test(key)) return
  throw new LastgoodError('bad-option', `not the key of a shared record: ${JSON.stringify(key.slice(0, 210))}`, {
    hint: 'a key has 1 to 200 letters, digits, ".", ":", "@", "|", "_" or "-"',
  })
}

/** Throws `bad-option` when no key can begin with `prefix`; every key begins with ''. */
export function assertSharedPrefix(prefix: string): void {
  if (prefix !== '') assertSharedKey(prefix)
}

const largestBytes = 64 * 1024

/** The JSON of `value`. Throws `bad-option` when it has none, or more than 64 KiB in UTF-8. */
export function sharedJson(key: string, value: unknown): string {
  // Typed as always a string, which it is not for `undefined` and functions.
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
