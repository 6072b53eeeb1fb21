/**
 * What can be done from a page: each action with a person's reason, which is recorded.
 *
 * 1. The reason is recorded in the journal where it has a place for it, and always in the store's shared state; see
 *    `action-log.ts`.
 * 2. A session that another process writes is taken from it by the store's fence, and by nothing else (P3); only on
 *    request.
 * 3. A session whose client goes on with it by itself is never resumed, rewound or forked from here.
 * 4. A process that was started from here is asked to stop before its session is taken from it, so that nothing of it
 *    stays behind.
 */
import { hostname } from 'node:os'
import {
  readFleetAgents,
  type Clock,
  forkSession,
  LastgoodError,
  sessionBusy,
  sessionNotFound,
  visitSession,
  type Store,
} from '@lastgood/core'
import type { ActionDone } from '@lastgood/dashboard'
import { failureOf } from '../failure.ts'
import { freeName } from '../fork/command.ts'
import { withFlags } from '../same-place.ts'
import { processText, rowOf, type SessionRow } from '../sessions/session-row.ts'
import { safeLine } from '../text.ts'
import type { CheckedAction } from './action-body.ts'
import { noteAction } from './action-log.ts'
import { Refused } from './refusal.ts'
import { NotResumed, type Resumes } from './resumes.ts'
import { heldByClient, isClients } from '../sessions/client-command.ts'
import { ownCommand } from './session-card.ts'

export interface ActionPlace {
  readonly clock: Clock
  readonly store: Store
  readonly resumes: Resumes
  readonly agents: ReadonlySet<string>
  /** The flags that lead a command to this store. */
  readonly flags: readonly string[]
}

/** Errors: `Refused`, `NotResumed` among them, and the session's own. */
export async function act(place: ActionPlace, sessionId: string, asked: CheckedAction): Promise<ActionDone> {
  const { store } = place
  const summary = await store.summary(sessionId)
  if (!summary) throw sessionNotFound(sessionId, store)
  const { action, reason } = asked
  try {
    const done = await doIt(place, rowOf(summary, await readFleetAgents(store.shared, place.clock.now())), asked)
    const isNoted = await note(place, { action, sessionId, reason, outcome: done.text })
    return isNoted ? done : { ...done, text: `${done.text}; the reason could not be recorded` }
  } catch (error) {
    // A resume that was begun is worth a note; an action that was refused did not happen.
    if (error instanceof NotResumed) await note(place, { action, sessionId, reason, outcome: error.message })
    throw error
  }
}

export function note(
  { store, clock }: Pick<ActionPlace, 'store' | 'clock'>,
  action: Omit<Parameters<typeof noteAction>[1], 'host'>,
): Promise<boolean> {
  return noteAction({ shared: store.shared, clock }, { ...action, host: hostname() })
}

function doIt(place: ActionPlace, row: SessionRow, asked: CheckedAction): Promise<ActionDone> {
  switch (asked.action) {
    case 'resume':
      return resume(place, row, asked)
    case 'suspend':
      return suspend(place, row, asked)
    case 'takeover':
      return takeover(place, row, asked)
    case 'rewind':
      return rewind(place, row, asked)
    case 'fork':
      return fork(place, row, asked)
  }
}

type Asked<Name extends CheckedAction['action']> = CheckedAction & { action: Name }

async function resume(
  { resumes, agents, flags }: ActionPlace,
  row: SessionRow,
  { inDoubt }: Asked<'resume'>,
): Promise<ActionDone> {
  const { head, holder } = row
  if (holder) throw sessionBusy({ sessionId: head.sessionId, ...holder }, head)
  const command = ownCommand(head, agents, flags)
  if (command !== undefined) {
    const who = safeLine(head.agent ?? 'its client')
    throw new Refused(409, 'client-session', `${who} continues its session itself`, command)
  }
  if (head.status === 'idle') throw nothingOpen(row)
  const started = resumes.start(head, inDoubt)
  const begun = await resumes.begun(started)
  const { pid } = started
  const text = {
    begun: `it continues, as pid ${pid}`,
    ended: 'it continued, and has ended',
    silent: `it was started as pid ${pid}, and has reported nothing yet`,
  }[begun]
  return { text, sessionId: head.sessionId }
}

async function suspend(place: ActionPlace, row: SessionRow, { reason }: Asked<'suspend'>): Promise<ActionDone> {
  const { head, holder, status } = row
  if (status === 'idle') throw nothingOpen(row)
  if (!holder && (status === 'suspended' || status === 'needs-input')) {
    throw new LastgoodError('journal-conflict', `session ${head.sessionId} is suspended already`, {
      hint: `continue it: lastgood resume ${head.sessionId}`,
    })
  }
  await park(place, row, `suspended from the dashboard: ${reason}`)
  const from = holder ? `, and ${processText(holder.owner)} can no longer write to it` : ''
  return { text: `it is suspended${from}`, sessionId: head.sessionId }
}

/** Takes the session from the process that holds it, and goes on with it here. */
async function takeover(place: ActionPlace, row: SessionRow, { reason }: Asked<'takeover'>): Promise<ActionDone> {
  const { head, holder } = row
  if (!holder) {
    throw new LastgoodError('journal-conflict', `no process holds session ${head.sessionId}`, {
      hint: `continue it: lastgood resume ${head.sessionId}`,
    })
  }
  if (head.status === 'idle') throw nothingOpen(row)
  const from = processText(holder.owner)
  await park(place, row, `taken over from ${from}: ${reason}`)
  const { sessionId } = head
  const command = ownCommand(head, place.agents, place.flags)
  if (command !== undefined)
    return { text: `it was taken from ${from}, and is suspended; its client continues it`, sessionId }
  try {
    const started = place.resumes.start(head)
    await place.resumes.begun(started)
    return { text: `it was taken from ${from}, and continues, as pid ${started.pid}`, sessionId }
  } catch (error) {
    // The takeover is reported, whatever failed after it.
    const { code, message, hint } = error instanceof NotResumed ? error : failureOf(error)
    const text = `it was taken from ${from} and is suspended, but not resumed here: ${message}`
    throw new NotResumed(code, text, hint ? withFlags(hint, place.flags) : null)
  }
}

/** Fences the process that writes it: the store refuses its next append. */
async function park({ store, clock, resumes }: ActionPlace, { head }: SessionRow, detail: string): Promise<void> {
  await resumes.stop(head.sessionId)
  await visitSession(head.sessionId, { store, clock, takeover: true }, (session) =>
    session.record([{ type: 'session-suspended', reason: 'interrupted', detail }]),
  )
}

async function rewind(
  { store, clock, agents, flags }: ActionPlace,
  { head, holder }: SessionRow,
  { reason, to }: Asked<'rewind'>,
): Promise<ActionDone> {
  const { sessionId } = head
  if (isClients(head, agents)) throw heldByClient(head, flags)
  if (holder) throw sessionBusy({ sessionId, ...holder }, head)
  await visitSession(sessionId, { store, clock }, (session) => session.rewind(to, reason))
  return { text: to === 0 ? 'it is at its beginning' : `its last good turn is turn ${to}`, sessionId }
}

async function fork(
  { store, clock, agents, flags }: ActionPlace,
  { head }: SessionRow,
  { reason, at, newId }: Asked<'fork'>,
): Promise<ActionDone> {
  if (isClients(head, agents)) throw heldByClient(head, flags)
  const name = newId ?? (await freeName(store, head.sessionId))
  const { sessionId, turn } = await forkSession(store, head.sessionId, name, {
    clock,
    reason,
    ...(head.cwd !== undefined && { cwd: head.cwd }),
    ...(at !== undefined && { turn: at }),
  })
  return { text: `${sessionId} continues after turn ${turn}`, sessionId }
}

function nothingOpen({ head }: SessionRow): LastgoodError {
  return new LastgoodError('journal-conflict', `nothing is open in session ${head.sessionId}`, {
    hint: `a new turn: lastgood resume ${head.sessionId} "<message>"`,
  })
}
