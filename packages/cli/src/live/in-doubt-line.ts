/** What was done about a call that was started before a restart, and whose outcome nobody had recorded. Pure. */
import type { InDoubtDid } from '@lastgood/core'

const words: Readonly<Record<InDoubtDid, string>> = {
  'verified-done': 'it had been done, says the tool; not repeated',
  'verified-not-done': 'it had not been done, says the tool; it runs now',
  rerun: 'it runs again, with the same idempotency key',
  reported: 'not repeated; the model is told to look first',
  parked: 'not repeated; a person has to decide',
}

/** `label`: what a person knows the call by. */
export function inDoubtLine(label: string, did: InDoubtDid): string {
  return `? ${label} was in doubt: ${words[did]}`
}
