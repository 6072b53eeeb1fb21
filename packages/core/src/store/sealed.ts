/** What there is to say when a journal cannot be opened as it is kept at rest; the decorators are in `at-rest/`. */
import { LastgoodError } from '../errors.ts'
import type { Entry } from '../journal/journal.ts'

export type SealedEntry = Extract<Entry, { type: 'sealed' }>

export function journalSealed(message: string, hint: string, details: Record<string, unknown> = {}): LastgoodError {
  return new LastgoodError('journal-sealed', message, { hint, details })
}

/** For a reader that met an entry which no decorator has opened: it is never taken for nothing. */
export function stillSealed({ seq, codec, key }: SealedEntry): LastgoodError {
  const isEncrypted = codec === 'aes-256-gcm'
  const how = isEncrypted ? `encrypted with the key ${JSON.stringify(key)}` : `compressed with ${codec}`
  const decorator = isEncrypted ? 'encrypted(store, { current: { id, key } })' : 'compressed(store)'
  return journalSealed(
    `entry ${seq} is ${how}, and the store was opened without that`,
    `open it as it was written: ${decorator}, from @lastgood/core/at-rest, in lastgood.config.mjs too`,
    { seq, codec, ...(key !== undefined && { key }) },
  )
}
