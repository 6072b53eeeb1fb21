// What was true of a session, and when, according to its journal.

import type { Store } from '@lastgood/core'
import { headAfter } from '../../../packages/core/src/session/checkpoint.ts'
import { initialSnapshot, step } from '../../../packages/core/src/machine/machine-step.ts'

export interface Truth {
  from: number
  /** Undefined while it lasts. */
  to: number | undefined
  status: string
}

/** Each status of the session, in order. */
export async function truthOf(store: Store, sessionId: string): Promise<Truth[]> {
  const known = { sessionId, facts: {}, agent: undefined, model: undefined, machineVersion: '' }
  const all: Truth[] = []
  let snapshot = initialSnapshot
  for await (const entry of store.read(sessionId)) {
    ;({ snapshot } = step(snapshot, entry))
    const { status } = headAfter(known, [entry], snapshot)
    const last = all.at(-1)
    if (last?.status === status) continue
    if (last) last.to = entry.at
    all.push({ from: entry.at, to: undefined, status })
  }
  return all
}
