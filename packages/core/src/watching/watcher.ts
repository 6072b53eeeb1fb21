/**
 * Watchers: telemetry and logs, told of a session from its opening on.
 *
 * 1. A watcher changes nothing: a session does the same with it and without it, and what it throws is a warning.
 * 2. It is asked to run some work, so that what happens inside can be known as a part of it. It runs it once, and gives
 *    what it gives.
 */
import { messageOf } from '../errors.ts'
import type { Head } from '../store/store.ts'
import type { WatchedSession } from './watched-session.ts'

/** What a session runs that lasts. */
export type Work =
  /** An agent's run, as `session.run` has it. */
  | { kind: 'run'; agent: string }
  /** A request of a loop that lastgood runs, to the end of its answer. */
  | { kind: 'request' }
  /** A tool; `again` when it was started before and its outcome was unknown. */
  | { kind: 'tool'; toolUseId: string; name: string; again: boolean }

export type RunWork = <Result>(work: Work, run: () => Promise<Result>) => Promise<Result>

export interface Watcher {
  /**
   * A session was opened here, and its restart is not recorded yet: `before` is what the store knew of it. Listens by
   * `session.subscribe`; what it returns is asked to run the session's work.
   */
  opened(session: WatchedSession, before: Head | undefined): Promise<RunWork | void> | RunWork | void
  /** Runs what a request from another process asked for, as a part of what its headers say that it belongs to. */
  serving?<Result>(headers: Headers, run: () => Promise<Result>): Promise<Result>
}

const justRun: RunWork = (_work, run) => run()

/** The watchers of one session. */
export class Watchers {
  #run: RunWork = justRun

  async open(all: readonly Watcher[], session: WatchedSession, before: Head | undefined): Promise<void> {
    for (const watcher of all) {
      const inner = this.#run
      try {
        const outer = await watcher.opened(session, before)
        const warn = (error: unknown) => warnOf(session.id, error)
        if (outer) this.#run = (work, run) => harmless(outer, work, () => inner(work, run), warn)
      } catch (error) {
        warnOf(session.id, error)
      }
    }
  }

  run: RunWork = (work, run) => this.#run(work, run)
}

/** What `run` gives, which runs once whatever the watcher does with it. */
async function harmless<Result>(
  watcher: RunWork,
  work: Work,
  run: () => Promise<Result>,
  warn: (error: unknown) => void,
): Promise<Result> {
  let ran: Promise<Result> | undefined
  const once = () => (ran ??= run())
  try {
    await watcher(work, once)
  } catch (error) {
    const own = await ran?.then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    if (own === undefined || own !== error) warn(error)
  }
  return once()
}

function warnOf(sessionId: string, error: unknown): void {
  process.emitWarning(`a watcher of session ${sessionId} failed: ${messageOf(error)}`, { code: 'LASTGOOD_WATCHER' })
}
