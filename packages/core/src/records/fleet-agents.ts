/**
 * The agents whose open turns a fleet continues, as noted in a store: its readers see no queue.
 *
 * 1. A fleet goes on with every open turn of its agents that waits for no person, whoever began it.
 * 2. A note holds until its instant, and workers renew it: a fleet that is gone is not said to continue anything.
 * 3. It is advice, like all shared state: where it could not be written, a queued turn looks like an interrupted one.
 */
import type { Head } from '../store/head.ts'
import { isRecord } from '../json.ts'
import type { SharedState } from './shared-state.ts'

/** Those that are in a note that holds. */
export type FleetAgents = ReadonlySet<string>

const key = 'fleet:agents'
/** Tries against writers at the same moment. */
const attempts = 3

/** Errors: `store-unavailable`. */
export async function readFleetAgents(shared: SharedState, now: number): Promise<FleetAgents> {
  const noted = [...notesIn((await shared.read(key))?.value)]
  return new Set(noted.flatMap(([agent, until]) => (until >= now ? [agent] : [])))
}

/** Notes `agent` for `forMs` from `now` on. Written only when more than half of that has passed: many may note it. */
export async function noteFleetAgent(shared: SharedState, agent: string, now: number, forMs: number): Promise<void> {
  try {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const found = await shared.read(key)
      const agents = notesIn(found?.value)
      if ((agents.get(agent) ?? 0) > now + forMs / 2) return
      const value = { agents: Object.fromEntries(new Map(agents).set(agent, now + forMs)) }
      if (await shared.write(key, found?.version ?? 0, value)) return
    }
  } catch {
    // As said.
  }
}

/** Whether no worker continues its open turn before a person has. */
export const waitsForPerson = ({ status, dueAt }: Pick<Head, 'status' | 'dueAt'>): boolean =>
  status === 'needs-input' || (status === 'suspended' && dueAt === undefined)

/** Whether workers continue the session, once nobody holds it. */
export function isLeftToWorkers(head: Head, agents: FleetAgents): boolean {
  return head.status !== 'idle' && head.agent !== undefined && agents.has(head.agent) && !waitsForPerson(head)
}

/** By agent, the instant until which its note holds, in epoch ms. */
function notesIn(value: unknown): Map<string, number> {
  const agents = isRecord(value) && isRecord(value['agents']) ? Object.entries(value['agents']) : []
  return new Map(agents.filter((one): one is [string, number] => typeof one[1] === 'number'))
}
