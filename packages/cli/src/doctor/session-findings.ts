/** Sessions that do not go on by themselves, one finding for each kind. Pure. */
import { type Finding, machineVersion, ownWayOn } from '@lastgood/core'
import { ago, left } from '../durations.ts'
import { counted } from '../numbers.ts'
import { typedCommandOf, type SessionRow, type ShownStatus } from '../sessions/session-row.ts'
import { commandLine, safeLine } from '../text.ts'

export interface SessionFacts {
  readonly now: number
  /** The flags that lead to this store. */
  readonly flags: readonly string[]
  /** Where the command runs, and the agents known there; undefined: there is no configuration file. */
  readonly cwd: string
  readonly agents: ReadonlySet<string> | undefined
}

export function sessionFindings(rows: readonly SessionRow[], facts: SessionFacts): Finding[] {
  const idle = rows.filter(({ isRecoverable }) => isRecoverable)
  const of = (status: ShownStatus) => idle.filter((row) => row.status === status)
  return [
    ...asking(of('needs-input'), facts),
    ...interrupted(of('interrupted'), facts),
    ...waiting(of('waiting'), facts),
    ...suspended(of('suspended'), facts),
    ...forWorkers(rows, facts),
    ...unknownAgents(idle, facts),
  ]
}

function asking(rows: readonly SessionRow[], { flags }: SessionFacts): Finding[] {
  return finding(rows, {
    severity: 'warning',
    what: `${sessionsText(rows, 'needs', 'need')} a person: ${reasonOf(rows)}`,
    risk: 'nothing is lost; it waits until a person decides about a call of unknown outcome (P2)',
    mend: mendOf(rows, 'needs-input', [...flags, '--in-doubt report'], flags),
  })
}

function interrupted(rows: readonly SessionRow[], { flags }: SessionFacts): Finding[] {
  const calls = rows.reduce((sum, row) => sum + openCalls(row), 0)
  const doubt = calls === 0 ? '' : `, with ${counted(calls, 'tool call')} of unknown outcome`
  return finding(rows, {
    severity: 'warning',
    what: `${sessionsText(rows, 'was', 'were')} cut off in the middle of a turn: the process is gone${doubt}`,
    risk: `nothing acknowledged is lost, but no process continues it${doubt && '; no call is repeated silently (P2)'}`,
    mend: mendOf(rows, 'interrupted', flags),
  })
}

function waiting(rows: readonly SessionRow[], { flags, now }: SessionFacts): Finding[] {
  const due = rows.flatMap(({ head }) => head.dueAt ?? [])
  const first = due.length > 0 ? Math.min(...due) : now
  const when = first > now ? `the next try is due in ${left(first - now)}` : `a try was due ${ago(first, now)}`
  return finding(rows, {
    severity: 'warning',
    what: `${sessionsText(rows, 'waits', 'wait')} for the API, and no process is left to try again: ${when}`,
    risk: 'nothing is lost; it waits forever (P6)',
    mend: mendOf(rows, 'waiting', flags),
  })
}

function suspended(rows: readonly SessionRow[], { flags }: SessionFacts): Finding[] {
  return finding(rows, {
    severity: 'info',
    what: `${sessionsText(rows, 'is', 'are')} suspended: ${reasonOf(rows)}`,
    risk: 'nothing is lost; it continues once it is resumed (P6)',
    mend: mendOf(rows, 'suspended', flags),
  })
}

/** Workers were heard of in the last minutes; whether one runs now, a store does not say. */
function forWorkers(all: readonly SessionRow[], { flags }: SessionFacts): Finding[] {
  const rows = all.filter(({ isForWorkers }) => isForWorkers)
  return finding(rows, {
    severity: 'info',
    what: `${sessionsText(rows, 'is', 'are')} left to the workers of a fleet`,
    risk: 'nothing is lost; without a worker that runs their agents, nobody continues them (P6)',
    mend: commandLine('see what the fleet does: lastgood fleet', ...flags),
  })
}

/** Only sessions that were begun here: those of other projects have their agents there. */
function unknownAgents(rows: readonly SessionRow[], { agents, cwd }: SessionFacts): Finding[] {
  if (!agents) return []
  const lost = rows.filter(({ head }) => head.cwd === cwd && head.agent !== undefined && !agents.has(head.agent))
  const names = [...new Set(lost.map(({ head }) => safeLine(head.agent ?? '')))].join(', ')
  return finding(lost, {
    severity: 'warning',
    what: `${sessionsText(lost, 'was', 'were')} run by an agent that the configuration does not have: ${names}`,
    risk: 'resume refuses a session whose agent is not known here (P6)',
    mend: `add it under agents, by its recorded name: ${names}`,
  })
}

const finding = (rows: readonly SessionRow[], one: Finding): Finding[] => (rows.length === 0 ? [] : [one])

/** `session a waits`, `3 sessions (a, b, …) wait`. */
export function sessionsText(rows: readonly SessionRow[], one: string, many = one): string {
  const ids = rows.slice(0, 3).map(({ head }) => safeLine(head.sessionId))
  if (rows.length === 1) return `session ${ids[0]} ${one}`
  return `${rows.length} sessions (${ids.join(', ')}${rows.length > 3 ? ', …' : ''}) ${many}`
}

/** Their reason, if they share one. */
function reasonOf(rows: readonly SessionRow[]): string {
  const [reason = 'no reason was recorded', ...others] = new Set(rows.flatMap(({ head }) => head.reason ?? []))
  return others.length > 0 ? 'each for its own reason' : safeLine(reason)
}

function mendOf(
  rows: readonly SessionRow[],
  status: ShownStatus,
  flags: readonly string[],
  listFlags: readonly string[] = flags,
): string {
  const [only, ...others] = rows
  if (only && others.length === 0) return typedCommandOf(only.head, flags) ?? ownWayOn(only.head.sessionId)
  return commandLine('lastgood list --state', status, ...listFlags)
}

/** Calls that were started and have no result, according to the head. */
function openCalls({ head: { machine } }: SessionRow): number {
  const calls = machine.version === machineVersion ? machine.context['calls'] : undefined
  return Object.values((calls ?? {}) as Record<string, unknown>).filter((state) => state === 'started').length
}
