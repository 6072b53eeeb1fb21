/**
 * Digests, ids and chance, all from one hash, so that a lab with the same seed behaves the same.
 * 1. The same parts give the same result on every machine.
 * 2. Parts are separated: ('a', 'bc') and ('ab', 'c') differ.
 */
import { createHash, createHmac } from 'node:crypto'

type Part = string | number

export function digest(...parts: readonly Part[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 22)
}

/** A number in [0, 1). */
export function chance(...parts: readonly Part[]): number {
  return createHash('sha256').update(JSON.stringify(parts)).digest().readUIntBE(0, 6) / 2 ** 48
}

/** An id in the shape of the real ones: `toolu_01` + 22 letters and digits. */
export function makeId(prefix: string, ...parts: readonly Part[]): string {
  return `${prefix}_01${digest(prefix, ...parts)
    .replaceAll('-', 'x')
    .replaceAll('_', 'y')}`
}

export function mac(key: string, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url')
}
