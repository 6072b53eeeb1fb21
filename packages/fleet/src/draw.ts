/** Numbers derived from a text, the same on every host. */
import { createHash } from 'node:crypto'

/** A whole number below 2^32. */
export function hashOf(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE(0)
}

/** In [0, 1), spread evenly over different texts. */
export function drawOf(text: string): number {
  return hashOf(text) / 2 ** 32
}
