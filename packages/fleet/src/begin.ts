/**
 * The beginning of work on one session: whether there is something to do here now, and the lease.
 *
 * 1. The head decides whether there is something to do; the lease decides who does it (P3).
 * 2. A session that is left to other workers keeps its row, or gets one for later.
 */
import { isLastgoodError, openSession, type Session } from '@lastgood/core'
import type { CountAction } from './due-index.ts'
import { troubleOf } from './repeat.ts'
import { settle } from './settle.ts'
import type { Workplace } from './workplace.ts'

/** A session that is handed over before it was begun is queued again after this, when its job is gone. */
const handedBackMs = 1_000
/** A suspect is tried again after this if another one is under way. */
const againMs = 1_000

export interface Begun {
  readonly session: Session
  /** The score of its row. */
  readonly score: number
  readonly starts: number
  /** To be called when it is no longer a suspect. */
  readonly acquit: () => void
}

/** The session, opened; undefined if there is nothing to do here now. Errors: `store-unavailable`. */
export async function begin(place: Workplace, agent: string, sessionId: string): Promise<Begun | undefined> {
  const { options, index, unreadable, suspects, stopping } = place
  const { clock } = options
  if (stopping.aborted) return handBack(place, sessionId)
  try {
    // Otherwise its row says when to look again.
    if (!(await isDue(place, agent, sessionId))) return undefined
  } catch (error) {
    return leave(place, sessionId, unreadable.againInMs(sessionId, error), 'keep', error)
  }
  const acquit = suspects.enter(await index.startsOf(sessionId))
  if (!acquit) return leave(place, sessionId, againMs * (1 + clock.random()), 'keep')
  try {
    const { score, starts } = await index.start(sessionId, options.leaseMs)
    const session = await openSession(sessionId, options.session)
    unreadable.opened(sessionId)
    return { session, score, starts, acquit }
  } catch (error) {
    acquit()
    const isBusy = isLastgoodError(error, 'session-busy')
    return leave(place, sessionId, isBusy ? options.leaseMs : unreadable.againInMs(sessionId, error), 'undo', error)
  }
}

/** Leaves a session that was not begun to the other workers. Errors: `store-unavailable`. */
export const handBack = (place: Workplace, sessionId: string): Promise<undefined> =>
  leave(place, sessionId, handedBackMs, 'keep')

async function isDue({ options, recoveries }: Workplace, agent: string, sessionId: string): Promise<boolean> {
  const verdict = await recoveries.assessFresh(await options.store.summary(sessionId))
  return verdict.kind === 'due' && verdict.agent === agent
}

/** `inMs` undefined: the row stays as it is, and `error` is reported as trouble. */
async function leave(
  place: Workplace,
  sessionId: string,
  inMs: number | undefined,
  count: CountAction,
  error?: unknown,
): Promise<undefined> {
  if (inMs === undefined) place.options.tell(troubleOf('session', error))
  await settle(place, sessionId, { row: inMs ?? 'keep', count })
  return undefined
}
