/** Sealed entries and blobs, and the errors when they cannot be opened; the decorators are in `at-rest/`. */
import { LastgoodError } from '../errors.ts'
import { sealedCodecs } from '../journal/entry-words.ts'
import type { Entry } from '../journal/journal.ts'

export type SealedEntry = Extract<Entry, { type: 'sealed' }>
export type Codec = SealedEntry['codec']

/** `sealed/1:<codec>:<key>:`, and then base64. A blob of a journal is JSON, which never begins so. */
const sealedTextPattern = new RegExp(`^sealed/1:(${sealedCodecs.join('|')}):([A-Za-z0-9._-]{0,64}):`)

/** The seal in the text of a blob; undefined if it is in the clear. */
export function sealIn(text: string): { codec: Codec; key?: string; base64: string } | undefined {
  const match = sealedTextPattern.exec(text)
  if (!match) return undefined
  const [head, codec, key] = match
  return { codec: codec as Codec, ...(key && { key }), base64: text.slice(head.length) }
}

export function journalSealed(message: string, hint: string, details: Record<string, unknown>): LastgoodError {
  return new LastgoodError('journal-sealed', message, { hint, details })
}

/** For a reader that meets an entry, or a body, that no decorator has opened: it is never treated as empty. */
export function stillSealed({ codec, key }: Pick<SealedEntry, 'codec' | 'key'>, seq: number): LastgoodError {
  const isEncrypted = codec === 'aes-256-gcm'
  const how = isEncrypted ? `encrypted with the key ${JSON.stringify(key)}` : `compressed with ${codec}`
  const decorator = isEncrypted ? 'encrypted(store, { current: { id, key } })' : 'compressed(store)'
  return journalSealed(
    `entry ${seq} is ${how}, but the store was opened without that`,
    `open it as it was written: ${decorator}, from @lastgood/core/at-rest, in lastgood.config.mjs too`,
    { seq, codec, ...(key !== undefined && { key }) },
  )
}
