/**
 * An entry in a store that can keep bytes. Pure.
 *
 *     JSON                     an entry
 *     JSON  newline  bytes     a sealed one, its `data` as bytes: base64 takes a third more
 *
 * 1. The same entry gives the same bytes: repeated appends are recognised by comparing them.
 * 2. JSON as it is written here has no newline, so the first one ends it, whatever the bytes are.
 */
import { fromBase64 } from '../base64.ts'
import type { Entry } from './journal.ts'

const newline = 0x0a

export function storedEntry(entry: Entry): string | Buffer {
  const bytes = entry.type === 'sealed' ? fromBase64(entry.data) : undefined
  if (!bytes) return JSON.stringify(entry)
  return Buffer.concat([Buffer.from(`${JSON.stringify({ ...entry, data: undefined })}\n`), bytes])
}

/** The value for `parseEntry` to judge; undefined for what is not JSON. */
export function valueStoredIn(stored: Buffer): unknown {
  const end = stored.indexOf(newline)
  try {
    if (end < 0) return JSON.parse(stored.toString())
    return { ...JSON.parse(stored.toString('utf8', 0, end)), data: stored.toString('base64', end + 1) }
  } catch {
    return undefined
  }
}
