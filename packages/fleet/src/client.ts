/** What a program can do with a fleet whose workers run elsewhere: submit turns, look, pause. */
import { LastgoodError, type Block, type Head } from '@lastgood/core'
import { Agents } from './agents.ts'
import { waitsForPerson } from './assess.ts'
import { copyOf } from './connection.ts'
import { DueIndex } from './due-index.ts'
import { keysUnder } from './keys.ts'
import { resolveClient, type ClientOptions } from './options.ts'
import { Queues, type QueueCounts } from './queue.ts'
import { assertTurn, continueTurn, submit, type SubmitOptions, type SubmitParts, type Submitted } from './submit.ts'

export interface FleetStatus {
  /** What is queued and under way, by agent. */
  readonly agents: Readonly<Record<string, QueueCounts>>
  /** All agents were paused, including later ones; `agents` shows which of them were resumed since. */
  readonly paused: boolean
  /** Rows whose instant has come, and rows that are to be looked at later. */
  readonly due: number
  readonly later: number
  /** Sessions with a start that has neither finished a step nor ended: just begun, or their worker died. */
  readonly started: number
}

export interface FleetClient extends AsyncDisposable {
  /**
   * Records a turn and queues it. Creates the session if it is new. Submitting the same turn again makes no second one.
   * Errors: `bad-option` (another turn is open), `session-busy`, `store-unavailable`.
   */
  submit(sessionId: string, input: string | Block[], options: SubmitOptions): Promise<Submitted>
  /**
   * Lets a worker continue the open turn, also one that is suspended. `priority` is `interactive` by default.
   * Errors: `bad-option` (no turn is open), `session-not-found`, `session-busy`, `store-unavailable`.
   */
  continueTurn(sessionId: string, options?: Pick<SubmitOptions, 'priority'>): Promise<Submitted>
  /** Resolves, with the head, when turn `turn` has ended or the session is suspended for a person. */
  settled(sessionId: string, turn: number, options?: { signal?: AbortSignal }): Promise<Head>
  status(): Promise<FleetStatus>
  /**
   * Until `resume`, no worker of the fleet takes another session of this agent, or of any. Errors, as for `resume`:
   * `bad-option` for an agent that has had no session.
   */
  pause(agent?: string): Promise<void>
  resume(agent?: string): Promise<void>
  /** Closes what it opened. */
  close(): Promise<void>
}

/** How often `settled` looks: often at first, for short turns. */
const [firstLookMs, longestLookMs] = [100, 2_000]

/** Errors: `bad-option`. */
export function fleetClient(options: ClientOptions): FleetClient {
  const resolved = resolveClient(options)
  const keys = keysUnder(resolved.prefix)
  const connection = copyOf(resolved.connection)
  const [index, queues] = [new DueIndex(connection, keys), new Queues(connection, keys)]
  return clientOver({ options: resolved, index, queues, agents: new Agents(index, queues) })
}

/** The client closes `queues`, and so the connection of both, when it is closed. */
export function clientOver(parts: SubmitParts): FleetClient {
  const { options, index, queues, agents } = parts
  const { store, clock } = options

  return {
    submit: (sessionId, input, asked) => submit(parts, sessionId, input, asked),
    continueTurn: (sessionId, asked) => continueTurn(parts, sessionId, asked),

    async settled(sessionId, turn, { signal } = {}) {
      assertTurn(turn)
      for (let pauseMs = firstLookMs; ; pauseMs = Math.min(longestLookMs, pauseMs * 1.5)) {
        const summary = await store.summary(sessionId)
        if (!summary || summary.head.turn < turn) throw noSuchTurn(sessionId, turn)
        if (isSettled(summary.head, turn)) return summary.head
        await clock.sleepUntil(clock.now() + pauseMs, { signal })
      }
    },

    async status() {
      const names = await agents.names()
      const counts = await Promise.all(names.map(async (name) => [name, await queues.counts(name)] as const))
      const [paused, rows] = await Promise.all([index.isPaused(), index.counts()])
      return { agents: Object.fromEntries(counts), paused, ...rows }
    },

    pause: (agent) => agents.pause(agent),
    resume: (agent) => agents.resume(agent),
    close: () => queues.close(),
    [Symbol.asyncDispose]: () => queues.close(),
  }
}

const isSettled = (head: Head, turn: number): boolean => head.lastGoodTurn >= turn || waitsForPerson(head)

function noSuchTurn(sessionId: string, turn: number): LastgoodError {
  return new LastgoodError('bad-option', `session ${sessionId} has no turn ${turn}`, {
    hint: 'submit it first: client.submit(sessionId, input, { agent })',
    details: { sessionId, turn },
  })
}
