/** What the tests of the fleet share: a Redis under a prefix of its own, agents without a model, and fleets that end with the test. */
import { randomUUID } from 'node:crypto'
import { openSession, type Session, type Store } from '@lastgood/core'
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
) {
  const session = await openSession(id, { store })
  await session.startTurn([{ role: 'user', content: 'Go.' }], agent)
  await then?.(session)
  await session.close()
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
