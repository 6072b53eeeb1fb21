/**
 * Watchers: telemetry and logs that follow a session from its opening on.
 *
 * 1. A watcher changes nothing: a session does the same with it and without it, and what it throws is a warning.
 * 2. It is asked to run some work, so that it can attribute to the work what happens inside. The work runs once, and
 *    its result is returned as soon as it has ended, whatever the watcher still does.
 * 3. Nothing waits longer than a few seconds for a watcher that does not get ready or does not begin the work.
 */
import type { Clock } from '../clock.ts'
import { messageOf } from '../errors.ts'
import { inTime } from '../in-time.ts'
import { withoutSecrets } from '../secrets.ts'
import type { Head } from '../store/head.ts'
import type { WatchedSession } from './watched-session.ts'

const patienceMs = 3_000

/** What a session runs that takes time. */
export type Work =
  /** An agent's run by `session.run`. */
  | { kind: 'run'; agent: string }
  /** A request of a loop that lastgood runs, to the end of its answer. */
  | { kind: 'request' }
  /** A tool; `again` if it was started before and its outcome was unknown. */
  | { kind: 'tool'; toolUseId: string; name: string; again: boolean }

export type RunWork = <Result>(work: Work, run: () => Promise<Result>) => Promise<Result>

export interface Watcher {
  /**
   * A session was opened here, and its restart is not recorded yet: `before` is its head in the store. The watcher
   * listens by `session.subscribe`; the function that it returns is asked to run the session's work.
   */
  opened(session: WatchedSession, before: Head | undefined): Promise<RunWork | void> | RunWork | void
  /** Runs the work for a request from another process, as part of the trace that the request's headers name. */
  serving?<Result>(headers: Headers, run: () => Promise<Result>): Promise<Result>
}

const justRun: RunWork = (_work, run) => run()

/** The watchers of one session. */
export class Watchers {
  #run: RunWork = justRun

  async open(all: readonly Watcher[], session: WatchedSession, before: Head | undefined): Promise<void> {
    const { clock, id } = session
    const warn = (error: unknown) => warnOf(id, error)
    for (const watcher of all) {
      const inner = this.#run
      try {
        const outer = await inTime(clock, patienceMs, async () => watcher.opened(session, before))
        if (outer)
          this.#run = (work, run) =>
            harmless(
              (once) => outer(work, once),
              () => inner(work, run),
              clock,
              warn,
            )
      } catch (error) {
        warn(error)
      }
    }
  }

  run: RunWork = (work, run) => this.#run(work, run)
}

/** The result of `run`, which runs once whatever the watcher does with it. */
async function harmless<Result>(
  watch: (run: () => Promise<Result>) => Promise<Result>,
  run: () => Promise<Result>,
  clock: Clock,
  warn: (error: unknown) => void,
): Promise<Result> {
  let ran: Promise<Result> | undefined
  let begin = () => {}
  const begun = new Promise<void>((resolve) => (begin = resolve))
  const once = () => {
    begin()
    return (ran ??= run())
  }
  const watching = (async () => watch(once))().catch(async (error: unknown) => {
    const own = await ran?.then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    if (own === undefined || own !== error) warn(error)
  })
  await inTime(clock, patienceMs, () => Promise.race([begun, watching])).catch(warn)
  return once()
}

function warnOf(sessionId: string, error: unknown): void {
  const said = withoutSecrets(messageOf(error))
  process.emitWarning(`a watcher of session ${sessionId} failed: ${said}`, { code: 'LASTGOOD_WATCHER' })
}
