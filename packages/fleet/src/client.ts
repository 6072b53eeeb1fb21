/** What a program can do with a fleet whose workers run elsewhere: submit turns, look, pause. */
import { isDead, LastgoodError, waitsForPerson, type Block, type Head, type Store } from '@lastgood/core'
import { Agents } from './agents.ts'
import { copyOf } from './connection.ts'
import { continueTurn } from './continue-turn.ts'
import { DueIndex } from './due-index.ts'
import { keysUnder } from './keys.ts'
import { resolveClient, type ClientOptions } from './options.ts'
import { Queues } from './queue.ts'
import { assertTurn, submit, type SubmitOptions, type SubmitParts, type Submitted } from './submit.ts'
import { readable } from './unreadable.ts'

/** What is queued and under way of an agent. */
export interface QueueCounts {
  waiting: number
  /** Sessions that workers have; those of a dead worker until its lease or its job's lock ends. */
  active: number
  paused: boolean
}

export interface FleetStatus {
  /** By name. */
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
   * Records a turn and queues it. Creates the session if it is new. The same turn again (by its number, or in the same
   * words while it is open) makes no second one.
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
  return clientOver({ options: resolved, index, queues, agents: new Agents(connection, keys, queues, resolved) })
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
      const queued = await Promise.all(names.map((name) => queues.look(name)))
      const [paused, rows, begun] = await Promise.all([agents.isPaused(), index.counts(), index.begun()])
      const taken = new Set(queued.flatMap((one) => one.taken))
      const held = await Promise.all(begun.map(async (id) => (taken.has(id) ? undefined : agentOfHeld(store, id))))
      const counts = queued.map((one, i) => {
        const active = one.taken.length + held.filter((agent) => agent === names[i]).length
        return [names[i] ?? '', { waiting: one.waiting, active, paused: one.paused }] as const
      })
      return { agents: Object.fromEntries(counts), paused, ...rows }
    },

    pause: (agent) => agents.pause(agent),
    resume: (agent) => agents.resume(agent),
    close: () => queues.close(),
    [Symbol.asyncDispose]: () => queues.close(),
  }
}

const isSettled = (head: Head, turn: number): boolean => head.lastGoodTurn >= turn || waitsForPerson(head)

/**
 * The agent of a session that a live process holds. A worker that was frozen, or without Redis, runs on although its
 * jobs are gone.
 */
async function agentOfHeld(store: Store, sessionId: string): Promise<string | undefined> {
  const summary = await readable(store, sessionId)
  return summary?.holder && !isDead(summary.holder.owner) ? summary.head.agent : undefined
}

function noSuchTurn(sessionId: string, turn: number): LastgoodError {
  return new LastgoodError('bad-option', `session ${sessionId} has no turn ${turn}`, {
    hint: 'submit it first: client.submit(sessionId, input, { agent })',
    details: { sessionId, turn },
  })
}
