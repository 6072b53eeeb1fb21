/**
 * The keys of an encrypted store, checked when the store is made. No error quotes a key.
 *
 * Each key yields three subkeys for each session and purpose (HKDF-SHA256, RFC 5869), for encryption, nonces and names,
 * so that a leak of one is of no use elsewhere.
 */
import { hkdfSync } from 'node:crypto'
import { LastgoodError } from '../errors.ts'

export interface EncryptionKey {
  /** 1 to 64 letters, digits, `.`, `_`, `-`. It is stored beside everything that the key encrypts. */
  id: string
  /** 32 random bytes, or their base64: `openssl rand -base64 32`. */
  key: Uint8Array | string
}

export interface CheckedKey {
  readonly id: string
  readonly bytes: Buffer
}

export interface Subkeys {
  encryption: Buffer
  nonces: Buffer
  names: Buffer
}

const keyBytes = 32
const idPattern = /^[A-Za-z0-9._-]{1,64}$/

/** `field`: the key's place in the options. Throws `bad-option`. */
export function checkedKey(given: EncryptionKey, field: string): CheckedKey {
  // JavaScript callers may pass anything, most likely an unset variable.
  const { id, key } = (given ?? {}) as Partial<EncryptionKey>
  if (typeof id !== 'string' || !idPattern.test(id)) {
    throw badKey(
      `${field}.id`,
      'must be 1 to 64 letters, digits, ".", "_" or "-"',
      'name keys by date, for example 2026-11',
    )
  }
  const bytes = typeof key === 'string' ? fromText(key) : key instanceof Uint8Array ? Buffer.from(key) : undefined
  if (bytes?.length === keyBytes) return { id, bytes }
  const found = key === undefined ? 'nothing' : bytes ? `${bytes.length} bytes` : 'something else'
  throw badKey(
    `${field}.key`,
    `must be ${keyBytes} bytes or their base64, got ${found}`,
    'make one: openssl rand -base64 32; a passphrase is not a key',
  )
}

/** Base64 or base64url, also with surrounding white space such as a file's last newline. */
function fromText(text: string): Buffer | undefined {
  const trimmed = text.trim()
  return /^[A-Za-z0-9+/_-]+={0,2}$/.test(trimmed) ? Buffer.from(trimmed, 'base64') : undefined
}

export function badKey(field: string, problem: string, hint: string): LastgoodError {
  return new LastgoodError('bad-option', `Encryption option ${field} ${problem}`, { hint, details: { field } })
}

export function subkeys({ bytes }: CheckedKey, purpose: string, sessionId: string): Subkeys {
  const info = JSON.stringify(['lastgood at rest 1', purpose, sessionId])
  const all = Buffer.from(hkdfSync('sha256', bytes, '', info, 3 * keyBytes))
  const part = (i: number) => all.subarray(i * keyBytes, (i + 1) * keyBytes)
  return { encryption: part(0), nonces: part(1), names: part(2) }
}
