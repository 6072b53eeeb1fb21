/**
 * What people did from a page, with their reasons: the last actions, in the store's shared state, so that every page
 * shows them.
 *
 * 1. What a journal has a place for is in the journal as well. It has none for the reason of a resume: this is its
 *    record.
 * 2. It is advice, like all shared state: an action does not fail because it could not be noted; its answer says so.
 */
import { withoutSecrets, type Clock, type SharedState } from '@lastgood/core'
import type { ActionRecord } from '@lastgood/dashboard'
import { z } from 'zod'
import { iso } from '../durations.ts'
import { shorten } from '../text.ts'

const key = 'dashboard:actions'
/** Far below what a shared record may hold, whatever is in them. */
const kept = 30
/** Tries against writers at the same moment. */
const attempts = 10

const recordSchema = z.strictObject({ v: z.literal(1), actions: z.array(z.unknown()) })
const actionSchema = z.object({
  at: z.string(),
  action: z.enum(['resume', 'suspend', 'takeover', 'rewind', 'fork', 'resume-all']),
  sessionId: z.string().nullable(),
  reason: z.string(),
  host: z.string(),
  outcome: z.string(),
})

/** The newest first, without those that only a newer release can read. */
export async function readActions(shared: SharedState): Promise<readonly ActionRecord[]> {
  const record = await shared.read(key)
  return (actionsIn(record?.value) ?? []).flatMap((action) => actionSchema.safeParse(action).data ?? [])
}

/** None if it is no record, which may be replaced; undefined if a newer release wrote it: that one is left alone. */
function actionsIn(value: unknown): readonly unknown[] | undefined {
  const { data } = recordSchema.safeParse(value)
  const version = typeof value === 'object' && value !== null && 'v' in value ? value.v : undefined
  const isNewer = typeof version === 'number' && version > 1
  return data?.actions ?? (isNewer ? undefined : [])
}

/** Whether it was noted. */
export async function noteAction(
  { shared, clock }: { shared: SharedState; clock: Clock },
  action: Omit<ActionRecord, 'at'>,
): Promise<boolean> {
  const noted = {
    ...action,
    at: iso(clock.now()),
    reason: shorten(withoutSecrets(action.reason), 300),
    outcome: shorten(withoutSecrets(action.outcome), 300),
  }
  try {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const found = await shared.read(key)
      const before = actionsIn(found?.value)
      if (!before) return false
      const actions = [noted, ...before].slice(0, kept)
      if (await shared.write(key, found?.version ?? 0, { v: 1, actions })) return true
    }
  } catch {
    // As below: not noted, which does not fail the action.
  }
  return false
}
