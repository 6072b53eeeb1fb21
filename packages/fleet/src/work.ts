/**
 * One session under one worker: run until there is nothing to do here now, then given back.
 *
 * 1. A wait of more than `parkAboveMs` occupies no worker: the session is closed with its turn open, and its row says
 *    when it continues (P6).
 * 2. A start whose end is not seen counts. After too many in a row without a finished step the session waits for a
 *    person. A model's answer is no step here: a session whose tool calls kill every worker has one with each start.
 * 3. When the process is asked to stop, the turn stays open and another worker continues it. A tool under way is told,
 *    and has some seconds to end, so that what it did is recorded (P2).
 * 4. The fence decides who may write (P3): a worker that lost its session reports it and leaves the row to the new one.
 * 5. `workOn` never rejects.
 */
import { isLastgoodError, LastgoodError, statuses, type Entry, type Message, type Session } from '@lastgood/core'
import { begin, type Begun } from './begin.ts'
import type { CountAction, RowAction } from './due-index.ts'
import type { FleetEvent } from './events.ts'
import type { RunningAgent } from './options.ts'
import { troubleOf } from './repeat.ts'
import { settle } from './settle.ts'
import type { Workplace } from './workplace.ts'

/** An agent that threw is tried again after this, then after twice that, and so on. */
const [firstAgainMs, longestAgainMs] = [1_000, 60_000]

export async function workOn(place: Workplace, running: RunningAgent, sessionId: string): Promise<void> {
  const { tell } = place.options
  try {
    const begun = await begin(place, running.agent.name, sessionId)
    if (begun) await new Job(place, running, begun).run()
  } catch (error) {
    // The row written before is looked at again.
    tell(troubleOf('session', error))
  }
}

class Job {
  readonly #place: Workplace
  readonly #running: RunningAgent
  readonly #session: Session
  readonly #begun: Begun
  readonly #stop = new AbortController()
  readonly #names: { readonly sessionId: string; readonly agent: string }

  constructor(place: Workplace, running: RunningAgent, begun: Begun) {
    this.#place = place
    this.#running = running
    this.#session = begun.session
    this.#begun = begun
    this.#names = { sessionId: begun.session.id, agent: running.agent.name }
  }

  async run(): Promise<void> {
    const { options, stopping } = this.#place
    const session = this.#session
    const stop = () => this.#stop.abort(stopping.reason)
    stopping.addEventListener('abort', stop)
    if (stopping.aborted) stop()
    const unsubscribe = session.subscribe((event) => event.type === 'entry' && this.#hear(event.entry))
    try {
      if (this.#begun.starts > options.crashLimit) return await this.#setAside()
      options.tell({ kind: 'started', ...this.#names, turn: session.turn, starts: this.#begun.starts })
      await this.#settle(await this.#thrown())
    } finally {
      unsubscribe()
      this.#begun.acquit()
      stopping.removeEventListener('abort', stop)
      // A lease that cannot be released expires by itself.
      await session.close().catch(() => {})
    }
  }

  /** What the agent threw; undefined when it returned, or was told to stop and did not come back in time. */
  async #thrown(): Promise<{ error: unknown } | undefined> {
    const { agent } = this.#running
    const run = async () => {
      await this.#comeBack()
      await this.#session.run(agent, undefined, { signal: this.#stop.signal })
    }
    const ran = run().then(
      () => undefined,
      (error: unknown) => ({ error }),
    )
    return await Promise.race([ran, this.#graceIsOver()])
  }

  /** Resolves `graceMs` after the run was told to stop; the session is then closed even if a tool still runs. */
  #graceIsOver(): Promise<undefined> {
    const { clock, graceMs } = this.#place.options
    return new Promise((resolve) => {
      const begin = () => void clock.after(graceMs, () => resolve(undefined))
      if (this.#stop.signal.aborted) begin()
      else this.#stop.signal.addEventListener('abort', begin, { once: true })
    })
  }

  #hear(entry: Entry): void {
    const { clock, parkAboveMs } = this.#place.options
    const until = waitIn(entry)
    if (until !== undefined && until - clock.now() > parkAboveMs) this.#stop.abort(waits())
    // A finished step shows that the earlier deaths were not its doing.
    if (isStepDone(entry)) this.#clear()
  }

  #isCleared = false
  #clear(): void {
    if (this.#isCleared) return
    this.#isCleared = true
    this.#begun.acquit()
    const { tell } = this.#place.options
    settle(this.#place, this.#session.id, { row: 'keep', count: 'zero' }).catch((error: unknown) =>
      tell(troubleOf('due-index', error)),
    )
  }

  /** Ends the wait of a session that is due before its instant: its model answers again, or that clock was ahead. */
  async #comeBack(): Promise<void> {
    const { clock, parkAboveMs } = this.#place.options
    const { owed, owner } = this.#session
    if (owed.kind !== 'wait' || owed.until - clock.now() <= parkAboveMs) return
    await this.#session.record([
      {
        type: 'session-suspended',
        reason: 'interrupted',
        detail: 'The fleet resumed it before the end of its wait',
      },
      { type: 'session-resumed', owner },
    ])
  }

  async #setAside(): Promise<void> {
    const { id } = this.#session
    const { starts } = this.#begun
    await this.#session.suspend(
      'needs-input',
      `Set aside by the fleet: ${starts - 1} starts in a row completed no step. Continue with: lastgood resume ${id}`,
    )
    await this.#leave('remove', 'clear', { kind: 'set-aside', ...this.#names, starts: starts - 1 })
  }

  /** Gives the session back and settles its row. */
  async #settle(thrown: { error: unknown } | undefined): Promise<void> {
    const { options, stopping } = this.#place
    const session = this.#session
    await this.#askAbout(thrown?.error)
    const lost = session.signal.aborted ? session.signal.reason : undefined
    const { turn } = session
    const { wakeAt, reason } = session.context
    const status = statuses[session.state]
    await session.close().catch(() => {})

    if (isLastgoodError(lost, 'lease-lost')) return options.tell({ kind: 'lost', ...this.#names })
    if (isLastgoodError(lost, 'store-unavailable')) return this.#leave('keep', 'undo', troubleOf('session', lost))
    if (status === 'running') {
      if (!stopping.aborted) return this.#again(thrown?.error)
      return this.#leave(0, 'clear', { kind: 'handed-over', ...this.#names })
    }
    if (status === 'idle') return this.#leave('remove', 'clear', { kind: 'ended', ...this.#names, turn })
    const names = { ...this.#names, reason: reason ?? '' }
    if (wakeAt === null) return this.#leave('remove', 'clear', { kind: 'suspended', ...names })
    const kind = status === 'waiting' ? 'waiting' : 'suspended'
    await this.#leave(wakeAt - options.clock.now(), 'clear', { kind, ...names, until: wakeAt })
  }

  /** A step in doubt whose rule is `report` is reported again at each start, so a person has to look at it. */
  async #askAbout(error: unknown): Promise<void> {
    if (!isLastgoodError(error, 'step-in-doubt')) return
    const detail = `${error.message}. Continue with: lastgood resume ${this.#session.id}`
    await this.#session.suspend('needs-input', detail).catch(() => {})
  }

  /** The turn is still open and nothing in the journal says why: the agent's own code failed. */
  async #again(error: unknown): Promise<void> {
    const againInMs = Math.min(longestAgainMs, firstAgainMs * 2 ** (this.#begun.starts - 1))
    const code = isLastgoodError(error) ? error.code : 'unknown'
    await this.#leave(againInMs, 'keep', { kind: 'failed', ...this.#names, code, againInMs })
  }

  /** The event is reported even if the row cannot be written: the old row is looked at again. */
  async #leave(row: RowAction, count: CountAction, event: FleetEvent): Promise<void> {
    // A turn submitted since then has written the row again, and keeps it.
    const score = row === 'remove' ? this.#begun.score : undefined
    try {
      await settle(this.#place, this.#session.id, { score, row, count })
    } finally {
      this.#place.options.tell(event)
    }
  }
}

/** A tool call or step has ended, or the caller's own loop has gone on with tool results. */
function isStepDone(entry: Entry): boolean {
  if (entry.type === 'turn-continued') return entry.messages.some(bringsResults)
  const isEnd = entry.type === 'tool-finished' || entry.type === 'step-finished'
  return isEnd && entry.outcome !== 'in-doubt' && entry.outcome !== 'refused'
}

function bringsResults({ content }: Message): boolean {
  return Array.isArray(content) && content.some(({ type }) => type === 'tool_result')
}

/** The instant until which an entry makes the session wait. */
function waitIn(entry: Entry): number | undefined {
  if (entry.type === 'request-held') return entry.until
  return entry.type === 'fault-observed' && entry.decision.kind === 'retry' ? entry.decision.at : undefined
}

function waits(): LastgoodError {
  return new LastgoodError('session-closed', 'the session is waiting, and is closed until its wait ends', {
    hint: 'a worker of the fleet continues it then',
  })
}
