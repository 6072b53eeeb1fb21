/** What the tests of the fleet share: a Redis under a prefix of its own, agents without a model, and fleets that end with the test. */
import { randomUUID } from 'node:crypto'
import { openSession, type Clock, type Session, type Store } from '@lastgood/core'
import { redisStore } from '@lastgood/redis'
import { Redis } from 'ioredis'
import { expect, inject, onTestFinished } from 'vitest'
import type { FleetConnection } from '../src/connection.ts'
import { DueIndex } from '../src/due-index.ts'
import type { FleetEvent } from '../src/events.ts'
import { runFleet, type Fleet } from '../src/fleet.ts'
import { keysUnder } from '../src/keys.ts'
import type { FleetAgent, FleetOptions } from '../src/options.ts'

export const patient = { timeout: 20_000 }

export function connect(
  url = inject('redisUrl'),
  options: { maxRetriesPerRequest?: number; commandTimeout?: number } = {},
): Redis {
  const redis = new Redis(url, options)
  redis.on('error', () => undefined)
  onTestFinished(() => redis.disconnect())
  return redis
}

export interface Place {
  readonly prefix: string
  readonly redis: FleetConnection
  readonly store: Store
  readonly index: DueIndex
  /** What all fleets of the place told. */
  readonly told: FleetEvent[]
  /** A fleet that polls often. */
  start(agents: FleetOptions['agents'], options?: Partial<FleetOptions>): Fleet
  /** Keys of the fleet that are left, without the prefix. */
  keys(): Promise<string[]>
}

export function openPlace(redis: FleetConnection = connect(), prefix = `test:${randomUUID()}`): Place {
  const store = redisStore(redis, { prefix })
  const told: FleetEvent[] = []
  return {
    prefix,
    redis,
    store,
    told,
    index: new DueIndex(redis, keysUnder(prefix)),
    start(agents, options = {}) {
      const fleet = runFleet({
        store,
        connection: redis,
        prefix,
        agents,
        pollMs: 50,
        onEvent: (event) => told.push(event),
        ...options,
      })
      onTestFinished(() => fleet.close())
      return fleet
    },
    async keys() {
      const nodes = redis.isCluster
        ? (redis as never as { nodes(role: string): Redis[] }).nodes('master')
        : [redis as Redis]
      const found = await Promise.all(nodes.map((node) => node.keys(`*${prefix}*`)))
      return found
        .flat()
        .filter((key) => key.includes('fleet'))
        .sort()
    },
  }
}

/** Does what `work` does, then answers. */
export function agentOf(
  name: string,
  work: (session: Session, signal: AbortSignal) => Promise<void> = async () => {},
): FleetAgent {
  return {
    name,
    async run(session, _input, options) {
      await session.resume()
      await work(session, options?.signal ?? session.signal)
      if (session.hasOpenTurn && !session.isParked && session.owed.kind !== 'wait') await answer(session)
    },
  }
}

export async function answer(session: Session): Promise<void> {
  const content = [{ type: 'text', text: 'Done.' }]
  const message = { id: `m${session.seq}`, role: 'assistant', model: 'm', content, stop_reason: 'end_turn' } as const
  await session.record([
    { type: 'request-sent', model: 'm', attempt: 1 },
    { type: 'response-received', message },
    { type: 'turn-ended', turn: session.turn },
  ])
}

/** A session with an open turn that nobody holds. */
export async function openTurn(
  store: Store,
  id: string,
  agent: string | undefined,
  then?: (session: Session) => Promise<void>,
  clock?: Clock,
) {
  const session = await openSession(id, { store, ...(clock && { clock }) })
  await session.startTurn([{ role: 'user', content: 'Go.' }], agent)
  await then?.(session)
  await session.close()
}

/** The endpoint and the model that sessions wait for. */
export const key = { endpoint: 'https://api.example.com', model: 'claude-opus-5-5' }

/** A request that failed and is sent again at `at`. */
export async function backOff(session: Session, at: number): Promise<void> {
  if (session.envelope === undefined) {
    await session.record([{ type: 'envelope-changed', envelope: { body: { model: key.model }, betas: [] } }])
  }
  await session.record([
    { type: 'request-sent', model: key.model, attempt: 1 },
    { type: 'fault-observed', fault: { kind: 'overloaded', status: 529 }, decision: { kind: 'retry', at } },
  ])
}

/** Rests until aborted. */
export const untilAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    const abort = () => reject(signal.reason as Error)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort)
  })

/** Every session has ended this turn. */
export async function expectEnded(store: Store, ids: readonly string[], turn = 1): Promise<void> {
  const open = async () => {
    const summaries = await Promise.all(ids.map((id) => store.summary(id)))
    return summaries.filter((one) => one?.head.lastGoodTurn !== turn || one.holder !== null).length
  }
  await expect.poll(open, patient).toBe(0)
}
