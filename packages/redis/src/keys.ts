/**
 * The names of all keys.
 *
 * 1. All keys of one session have the session as hash tag, so one script may use them together in a Cluster.
 * 2. The index of sessions and the shared records are keys of their own, in other slots: no operation may need two of
 *    them atomically.
 */
import { LastgoodError } from '@lastgood/core'

export interface Keys {
  /** Hash: fence, ownerId, owner, since, expiresAt of the lease; seq and head of the journal. */
  session(sessionId: string): string
  /** List: the entries as JSON, entry k at index k - 1. */
  journal(sessionId: string): string
  /** Hash: texts too large for the journal, by name. */
  blobs(sessionId: string): string
  /** Sorted set: every acquired session, scored with the instant of its last lease. */
  readonly index: string
  /** Hash: the records that all sessions share. */
  readonly shared: string
  /** A pattern of all of them, as the rights of a user name it. */
  readonly pattern: string
}

const prefixPattern = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/

/** Throws `bad-option` if `prefix` cannot begin a key. */
export function keysUnder(prefix: string): Keys {
  if (!prefixPattern.test(prefix)) {
    throw new LastgoodError('bad-option', 'prefix cannot start a key name', {
      hint: 'a prefix has 1 to 128 letters, digits, ".", "_", ":" or "-" and starts with a letter or digit; braces would move the keys of a session to different slots',
    })
  }
  return {
    session: (sessionId) => `${prefix}:{${sessionId}}:session`,
    journal: (sessionId) => `${prefix}:{${sessionId}}:journal`,
    blobs: (sessionId) => `${prefix}:{${sessionId}}:blobs`,
    index: `${prefix}:sessions`,
    shared: `${prefix}:shared`,
    pattern: `${prefix}:*`,
  }
}
