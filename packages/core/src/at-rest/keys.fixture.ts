import { createHash } from 'node:crypto'
import type { EncryptionKey } from './keys.ts'

/** A key that depends only on `id`. */
export function testKey(id: string): EncryptionKey & { key: Uint8Array } {
  return { id, key: createHash('sha256').update(id).digest() }
}
