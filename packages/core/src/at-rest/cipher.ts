/**
 * AES-256-GCM with a nonce derived from what is encrypted.
 *
 *     data = nonce (12 bytes) ‖ ciphertext ‖ tag (16 bytes)
 *     nonce = the first 12 bytes of HMAC-SHA256(nonce key, length of place ‖ place ‖ plaintext)
 *
 * A repeated append must give the same bytes, or a store could not recognise it; so the nonce is not random.
 *
 * 1. That is sound because a nonce recurs only with the same place and the same plaintext, and then everything else is
 *    the same too: no two different records are encrypted under one nonce. For different records it is the output of a
 *    pseudo-random function with a key of its own, so its 96 bits collide as random ones do: for 2^32 records of a
 *    session with probability 2^-33.
 * 2. It reveals whether two records of the same place are equal, which a store has to see, and nothing about records of
 *    different places: session, sequence and fence, or the blob's name, are in the place.
 * 3. The place is authenticated with the plaintext: a record that was moved, relabelled or altered does not open.
 */
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto'
import { type CheckedKey, subkeys } from './keys.ts'

export interface Cipher {
  readonly keyId: string
  encrypt(plain: Buffer, place: readonly Fact[]): Buffer
  /** Undefined if `data` was not encrypted with this key for this place. */
  decrypt(data: Buffer, place: readonly Fact[]): Buffer | undefined
  /** 64 hex digits that stand for `name`; deriving them takes the key. */
  nameOf(name: string): string
}

type Fact = string | number

const algorithm = 'aes-256-gcm'
const nonceBytes = 12
const tagBytes = 16

export function cipherOf(key: CheckedKey, purpose: 'entry' | 'blob', sessionId: string): Cipher {
  const { encryption, nonces, names } = subkeys(key, purpose, sessionId)
  const associated = (place: readonly Fact[]): Buffer =>
    Buffer.from(JSON.stringify(['lastgood at rest 1', purpose, sessionId, key.id, ...place]))

  return {
    keyId: key.id,

    encrypt(plain, place) {
      const data = associated(place)
      const length = Buffer.alloc(4)
      length.writeUInt32BE(data.length)
      const mac = createHmac('sha256', nonces).update(length).update(data).update(plain).digest()
      const nonce = mac.subarray(0, nonceBytes)
      const cipher = createCipheriv(algorithm, encryption, nonce, { authTagLength: tagBytes }).setAAD(data)
      return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
    },

    decrypt(data, place) {
      const end = data.length - tagBytes
      if (end < nonceBytes) return undefined
      const nonce = data.subarray(0, nonceBytes)
      const decipher = createDecipheriv(algorithm, encryption, nonce, { authTagLength: tagBytes })
      decipher.setAAD(associated(place)).setAuthTag(data.subarray(end))
      try {
        return Buffer.concat([decipher.update(data.subarray(nonceBytes, end)), decipher.final()])
      } catch {
        return undefined
      }
    },

    nameOf: (name) => createHmac('sha256', names).update(name).digest('hex'),
  }
}
