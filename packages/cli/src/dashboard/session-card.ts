/** One session as its card on the page: where it stands, and the command to type in a terminal. Pure. */
import { helpedBy, withoutSecrets, type Head } from '@lastgood/core'
import type { SessionCard } from '@lastgood/dashboard'
import { iso, isoOrNull } from '../durations.ts'
import type { SurvivedOutage } from '../outages/session-outages.ts'
import { clientCommand, fallbackOf, isClients } from '../sessions/client-command.ts'
import { mustRephrase, resumeCommandOf, type SessionRow } from '../sessions/session-row.ts'
import { safeLine } from '../text.ts'

export interface CardFacts {
  readonly now: number
  /** The flags that lead a command to this store. */
  readonly flags: readonly string[]
  /** The agents of the configuration: their sessions go on here, whatever the agents are called. */
  readonly agents: ReadonlySet<string>
  readonly survived: SurvivedOutage | undefined
}

const [hourMs, dayMs] = [3_600_000, 86_400_000]

export function sessionCard(row: SessionRow, facts: CardFacts): SessionCard {
  const { head, holder, status } = row
  const { flags, agents, now } = facts
  const survived = facts.survived && now - facts.survived.until < dayMs ? facts.survived : undefined
  const isSpoken = status === 'idle' || mustRephrase(head)
  const said = status === 'needs-input' ? ['--in-doubt report'] : isSpoken ? ['"<message>"'] : []
  return {
    sessionId: head.sessionId,
    group: groupOf(row, survived, now),
    status,
    agent: line(head.agent),
    model: line(head.model),
    fallback: line(fallbackOf(head)),
    cwd: line(head.cwd),
    turn: head.turn,
    lastGoodTurn: head.lastGoodTurn,
    entries: head.seq,
    createdAt: iso(head.createdAt),
    updatedAt: iso(head.updatedAt),
    reason: line(head.reason),
    dueAt: isoOrNull(head.dueAt),
    heldBy: holder && { host: safeLine(holder.owner.host), pid: holder.owner.pid, since: iso(holder.since) },
    recovered: survived
      ? {
          at: iso(survived.until),
          afterMs: survived.until - survived.since,
          how: survived.end,
          attempts: survived.attempts,
        }
      : null,
    command: resumeCommandOf(head, [...flags, ...said]) ?? null,
    clientCommand: ownCommand(head, agents, flags) ?? null,
  }
}

/** The client's own command, if nobody else can go on with its session. */
export function ownCommand(head: Head, agents: ReadonlySet<string>, flags: readonly string[]): string | undefined {
  return isClients(head, agents) ? clientCommand(head, flags) : undefined
}

/** A session that no process will wake needs a person, even one that waits: its process is gone. */
function groupOf(
  { head, holder, status, isRecoverable, isForWorkers }: SessionRow,
  survived: SurvivedOutage | undefined,
  now: number,
): SessionCard['group'] {
  if (holder === null && helpedBy(head) !== undefined) return 'done'
  if (isForWorkers) return 'waiting'
  if (isRecoverable || status === 'needs-input' || status === 'suspended') return 'needs-you'
  if (status === 'waiting') return 'waiting'
  // A running session is listed as recovered only for a while.
  if (survived && (status === 'idle' || now - survived.until < hourMs)) return 'recovered'
  return status === 'idle' ? 'done' : 'running'
}

/** Text from anywhere, made safe to show. */
const line = (text: string | undefined): string | null => (text === undefined ? null : safeLine(withoutSecrets(text)))
