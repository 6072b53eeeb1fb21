/**
 * Sessions as people look at them: which can be resumed, which are held, and how each goes on.
 *
 * A session is recoverable when something in it is left to continue, no process holds it, and no worker of a fleet comes
 * for it. A lease whose holder is known to be dead does not count.
 */
import {
  helpedBy,
  isDead,
  isLeftToWorkers,
  isToRephrase,
  ownWayOn,
  readFleetAgents,
  shellWord,
  type FleetAgents,
  type Head,
  type Holder,
  type Owner,
  type SessionFilter,
  type SessionSummary,
  type Store,
} from '@lastgood/core'
import { commandLine, safeLine } from '../text.ts'

/** The head's status, but for a turn that nobody runs: `queued` for a worker, or `interrupted`, its process being gone. */
export type ShownStatus = Head['status'] | 'interrupted' | 'queued'
export const shownStatuses: readonly ShownStatus[] = [
  'needs-input',
  'suspended',
  'interrupted',
  'queued',
  'waiting',
  'running',
  'idle',
]

export interface SessionRow {
  readonly head: Head
  /** The live holder. */
  readonly holder: Holder | null
  readonly status: ShownStatus
  readonly isRecoverable: boolean
  /** Nobody holds it, and a worker of a fleet comes for it. */
  readonly isForWorkers: boolean
}

/** `fleet`: the agents of the fleets of its store. */
export function rowOf({ head, holder }: SessionSummary, fleet: FleetAgents): SessionRow {
  const live = holder && !isDead(holder.owner) ? holder : null
  const isLeft = live === null && head.status !== 'idle'
  const isForWorkers = isLeft && isLeftToWorkers(head, fleet)
  return {
    head,
    holder: live,
    isRecoverable: isLeft && !isForWorkers && helpedBy(head) === undefined,
    isForWorkers,
    status: !isLeft || head.status !== 'running' ? head.status : isForWorkers ? 'queued' : 'interrupted',
  }
}

/** The process that holds a session, or did something with it: `pid 12 on build-7`. */
export function processText({ pid, host }: Pick<Owner, 'pid' | 'host'>): string {
  return `pid ${pid} on ${safeLine(host)}`
}

/** Recoverable sessions first; the newest first within each group. */
export const recoverableFirst = (a: SessionRow, b: SessionRow): number =>
  Number(b.isRecoverable) - Number(a.isRecoverable) || b.head.updatedAt - a.head.updatedAt

/** In the order of `recoverableFirst`. */
export async function sessionRows(
  store: Store,
  now: number,
  filter: SessionFilter = {},
): Promise<{ rows: SessionRow[]; failure?: unknown }> {
  const rows: SessionRow[] = []
  try {
    const fleet = await readFleetAgents(store.shared, now)
    for await (const summary of store.list(filter)) rows.push(rowOf(summary, fleet))
  } catch (failure) {
    // One damaged session must not hide the others: those listed before it are shown, and the damage is reported.
    return { rows: rows.sort(recoverableFirst), failure }
  }
  return { rows: rows.sort(recoverableFirst) }
}

/** The command that goes on with a session, with the flags that lead to its store. */
export function resumeCommandFor(sessionId: string, flags: readonly string[] = []): string {
  return commandLine('lastgood resume', shellWord(safeLine(sessionId)), ...flags)
}

/** The same, or undefined where no command can: neither a configured agent nor a known client ran the session. */
export function resumeCommandOf({ sessionId, agent }: RunBy, flags: readonly string[] = []): string | undefined {
  return agent === undefined ? undefined : resumeCommandFor(sessionId, flags)
}
type RunBy = Pick<Head, 'sessionId' | 'agent'>

/** Stands in a command for the words of the next turn. */
export const ownWords = "'<message>'"
/** Before a command with other words, for a session whose open turn was refused for what it says. */
export const rephrase = 'the same would be refused again; other words replace the open turn'

/** Whether its open turn was refused for what it says. */
export function mustRephrase({ machine: { value, context } }: Pick<Head, 'machine'>): boolean {
  const { faultKind = null } = context as { faultKind?: string | null }
  return value === 'refused' && isToRephrase(faultKind)
}

/** The command for people to type: with a place for other words, where the same would be refused again. */
export function typedCommandOf(head: Head, flags: readonly string[]): string | undefined {
  const command = resumeCommandOf(head, flags)
  return command !== undefined && mustRephrase(head) ? `${command} ${ownWords}` : command
}

/** The last lines for people: how to go on. `words`: of the next turn, appended to the command. */
export function goOnLines(
  head: RunBy & Partial<Pick<Head, 'machine'>>,
  flags: readonly string[],
  words?: string,
): string {
  const command = resumeCommandOf(head, flags)
  if (command === undefined) return `to continue, ${ownWayOn(head.sessionId)}\n`
  if (words !== undefined) return `continue with\n${command} ${words}\n`
  if (head.machine && mustRephrase({ machine: head.machine })) return `${rephrase}\n${command} ${ownWords}\n`
  return `continue with\n${command}\n`
}

/** A warning if the session was recorded in another folder. */
export function noteOfFolder({ cwd: recorded }: Pick<Head, 'cwd'>, cwd: string): string | undefined {
  if (recorded === undefined || recorded === cwd) return undefined
  return `note: recorded in ${safeLine(recorded)}, but this is ${safeLine(cwd)}`
}
