/** Sessions to which outages happened, minute by minute, and the report on them. */
import { memoryStore, openSession, type EntryBody, type Store } from '@lastgood/core'
import { ManualClock } from '@lastgood/core/testing'
import { answered, ended, sent, started } from '../../../test/context.ts'
import { readReport, type Report } from './report.ts'

export const minute = 60_000
export const start = Date.parse('2026-11-22T02:00:00Z')

/** What happened to a session: bodies, the minute of each group, and new processes. */
export type Story = readonly (readonly [minutes: number, ...bodies: (EntryBody | 'killed' | 'leave')[]])[]

/** Tells each session's story on one store, then reads the report at minute `until`. */
export async function reportOf(
  stories: Record<string, Story>,
  until = 600,
  sinceMinute = 0,
): Promise<{ report: Report; store: Store }> {
  const clock = new ManualClock({ startAt: start })
  const store = memoryStore({ clock })
  for (const [id, story] of Object.entries(stories)) {
    const own = new ManualClock({ startAt: start })
    const open = (n: number) =>
      openSession(id, { store, clock: own, takeover: true, owner: { id: `${id}-${n}`, host: 'h', realm: 'r', pid: n } })
    let session = await open(1)
    for (const [minutes, ...bodies] of story) {
      await own.advance(start + minutes * minute - own.now())
      for (const body of bodies) {
        if (body === 'leave') continue
        if (body !== 'killed') await session.record([body])
        else session = await open(2)
      }
    }
    if (!story.some(([, ...bodies]) => bodies.includes('leave'))) await session.close()
  }
  await clock.advance(until * minute)
  const { report } = await readReport(store, { since: start + sinceMinute * minute, now: clock.now() })
  return { report, store }
}

export const fails = (minutes: number, more: object = {}): EntryBody => ({
  type: 'fault-observed',
  fault: { kind: 'overloaded', status: 529, errorType: 'overloaded_error', message: 'Overloaded', ...more },
  decision: { kind: 'retry', at: start + minutes * minute },
})
export const asking = (model: string): EntryBody => ({ type: 'request-sent', model, attempt: 2 })
export const yes = answered('Yes.')
export const good = [started(1), sent(), yes, ended(1)]
export const call = answered('', { id: 't1', name: 'deploy', input: {} })
export const begun: EntryBody = { type: 'tool-started', toolUseId: 't1', name: 'deploy', inDoubt: 'rerun' }
export const done = (outcome: 'ran' | 'in-doubt' | 'verified'): EntryBody => ({
  type: 'tool-finished',
  toolUseId: 't1',
  result: { type: 'tool_result', tool_use_id: 't1' },
  outcome,
})
