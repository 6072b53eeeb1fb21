/** What was done about a call that was started before a restart, and whose outcome nobody had recorded. Pure. */
import type { InDoubtDid, SessionEvent } from '@lastgood/core'
import { safeLine } from '../text.ts'

const words: Readonly<Record<InDoubtDid, string>> = {
  'verified-done': 'it had been done, says the tool; not repeated',
  'verified-not-done': 'it had not been done, says the tool; it runs now',
  rerun: 'it runs again, with the same idempotency key',
  reported: 'not repeated; the model is told to look first',
  parked: 'not repeated; a person has to decide',
}

export function inDoubtLine({ name, did }: SessionEvent & { type: 'in-doubt' }): string {
  return `? ${safeLine(name)} was in doubt: ${words[did]}`
}
