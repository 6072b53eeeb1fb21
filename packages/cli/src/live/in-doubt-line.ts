/** What was done about an in-doubt call: it was started before a restart, and its outcome was never recorded. Pure. */
import type { InDoubtDid } from '@lastgood/core'

const words: Readonly<Record<InDoubtDid, string>> = {
  'verified-done': 'the tool says it was done; not repeated',
  'verified-not-done': 'the tool says it was not done; runs now',
  rerun: 'runs again with the same idempotency key',
  reported: 'not repeated; the model is told to check first',
  parked: 'not repeated; a person has to decide',
}

/** `label`: what a person knows the call by. */
export function inDoubtLine(label: string, did: InDoubtDid): string {
  return `? ${label} was in doubt: ${words[did]}`
}
