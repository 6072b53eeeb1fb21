/** The options of a fleet. Bad ones throw when it is made. */
import {
  checksOf,
  LastgoodError,
  leaseDuration,
  positiveMs,
  systemClock,
  withoutSecrets,
  type Agent,
  type Block,
  type Clock,
  type OptionChecks,
  type SessionOptions,
  type Store,
} from '@lastgood/core'
import { assertConnection, type FleetConnection } from './connection.ts'
import type { FleetEvent, Tell } from './events.ts'
import { redisLimiter, type LimiterOptions } from './redis-limiter.ts'

/** An agent as a fleet runs it: `defineAgent` of `@lastgood/anthropic` makes one. */
export type FleetAgent = Agent<string | Block[], unknown, { signal?: AbortSignal } | undefined>

export interface ClientOptions {
  /** The store of the sessions. The caller opens and closes it. */
  store: Store
  /** An ioredis client for the queues and the due index. The caller opens and closes it. */
  connection: FleetConnection
  /** The prefix of all keys. Default: `lastgood`. */
  prefix?: string
  /** Default: the system clock. */
  clock?: Clock
  /** Called with what happens, without content. Default: none. */
  onEvent?: (event: FleetEvent) => void
  /** Handed to every session: see `SessionOptions`. */
  machineVersion?: string
}

export interface FleetOptions
  extends
    ClientOptions,
    Pick<SessionOptions, 'policy' | 'decide' | 'limiter' | 'storePatienceMs' | 'logger' | 'telemetry'> {
  /** The agents by name, with `concurrency` if one differs. */
  agents: Readonly<Record<string, FleetAgent | { agent: FleetAgent; concurrency?: number }>>
  /** Requests a minute of the whole fleet, by model. Default: no limit but the ramp after an outage; see `redisLimiter`. */
  perMinute?: LimiterOptions['perMinute']
  /** Sessions of one agent that this process runs at a time. Default 10. */
  concurrency?: number
  /** How long a lease runs without renewal: the time until another worker goes on after a crash. Default 10,000 ms, at most a day. */
  leaseMs?: number
  /** How often due rows are looked for. Default 1,000 ms. */
  pollMs?: number
  /** How often one worker of the fleet sweeps the heads for lost rows. Default 60,000 ms. */
  sweepEveryMs?: number
  /** A session that has to wait for longer than this is closed until its instant. Default 5,000 ms. */
  parkAboveMs?: number
  /** Starts in a row without a finished step (worker died, agent threw) before a session is set aside. Default 4. */
  crashLimit?: number
  /** How long a tool under way has to end and be recorded when the fleet is closed. Default 5,000 ms. */
  graceMs?: number
}

export interface RunningAgent {
  readonly agent: FleetAgent
  readonly concurrency: number
}

export type ResolvedClient = Required<Pick<ClientOptions, 'store' | 'connection' | 'prefix' | 'clock'>> & {
  readonly tell: Tell
  readonly session: SessionOptions
}

export interface ResolvedFleet extends ResolvedClient {
  readonly agents: ReadonlyMap<string, RunningAgent>
  readonly leaseMs: number
  readonly pollMs: number
  readonly sweepEveryMs: number
  readonly parkAboveMs: number
  readonly crashLimit: number
  readonly graceMs: number
}

// As objects, so that the compiler keeps them complete.
const clientNames: Record<keyof ClientOptions, true> = {
  store: true,
  connection: true,
  prefix: true,
  clock: true,
  onEvent: true,
  machineVersion: true,
}
const fleetNames: Record<keyof FleetOptions, true> = {
  ...clientNames,
  policy: true,
  decide: true,
  limiter: true,
  storePatienceMs: true,
  logger: true,
  telemetry: true,
  agents: true,
  perMinute: true,
  concurrency: true,
  leaseMs: true,
  pollMs: true,
  sweepEveryMs: true,
  parkAboveMs: true,
  crashLimit: true,
  graceMs: true,
}
const { assertKnown }: OptionChecks = checksOf('Fleet')

/** Throws `bad-option`. */
export function resolveClient(options: ClientOptions): ResolvedClient {
  assertKnown(undefined, options, Object.keys(clientNames))
  return clientOf(options)
}

function clientOf(options: ClientOptions): ResolvedClient {
  const { store, connection, prefix = 'lastgood', clock = systemClock, onEvent, machineVersion } = options
  if (typeof (store as Store | undefined)?.summary !== 'function') {
    throw bad('store', 'is not a store', 'pass one: store: redisStore(client)')
  }
  assertConnection(connection)
  return {
    store,
    connection,
    prefix,
    clock,
    tell: (event) => void toldTo(onEvent, event),
    session: { store, clock, ...(machineVersion !== undefined && { machineVersion }) },
  }
}

/** A listener that throws, or returns a promise that rejects, does not end the fleet. */
async function toldTo(onEvent: ClientOptions['onEvent'], event: FleetEvent): Promise<void> {
  try {
    await (onEvent?.(event) as unknown)
  } catch (error) {
    const text: unknown = error instanceof Error ? error.message : 'a value that is not an Error was thrown'
    process.emitWarning(withoutSecrets(String(text)), { code: 'LASTGOOD_LISTENER' })
  }
}

/** Throws `bad-option`. */
export function resolveFleet(options: FleetOptions): ResolvedFleet {
  assertKnown(undefined, options, Object.keys(fleetNames))
  const client = clientOf(options)
  const { policy, decide, storePatienceMs, logger, telemetry } = options
  const { prefix, clock } = client
  const perMinute = options.perMinute !== undefined && { perMinute: options.perMinute }
  const limiter = options.limiter ?? redisLimiter(client.connection, { prefix, clock, ...perMinute })
  const leaseMs = leaseDuration(options.leaseMs ?? 10_000)
  return {
    ...client,
    agents: agentsOf(options),
    leaseMs,
    pollMs: positiveMs('pollMs', options.pollMs ?? 1_000),
    sweepEveryMs: positiveMs('sweepEveryMs', options.sweepEveryMs ?? 60_000),
    parkAboveMs: positiveMs('parkAboveMs', options.parkAboveMs ?? 5_000),
    crashLimit: count('crashLimit', options.crashLimit ?? 4),
    graceMs: positiveMs('graceMs', options.graceMs ?? 5_000),
    session: {
      ...client.session,
      leaseMs,
      limiter,
      ...(policy && { policy }),
      ...(decide && { decide }),
      ...(storePatienceMs !== undefined && { storePatienceMs }),
      ...(logger && { logger }),
      ...(telemetry && { telemetry }),
    },
  }
}

function agentsOf({ agents, concurrency = 10 }: FleetOptions): ReadonlyMap<string, RunningAgent> {
  const usual = count('concurrency', concurrency)
  const names = Object.keys(agents ?? {})
  if (names.length === 0) throw bad('agents', 'has no agent', 'name at least one: agents: { coder }')
  return new Map(
    names.map((name) => {
      const given = agents[name]
      const { agent, concurrency: own = usual } = isPair(given) ? given : { agent: given }
      if (typeof agent?.run !== 'function' || agent.name !== name) {
        throw bad(
          `agents.${name}`,
          'is not an agent with this name',
          'sessions find an agent by name: use the same name in both places',
        )
      }
      return [name, { agent, concurrency: count(`agents.${name}.concurrency`, own) }]
    }),
  )
}

/** JavaScript callers may pass anything. */
const isPair = (given: unknown): given is { agent: FleetAgent; concurrency?: number } =>
  typeof given === 'object' && given !== null && 'agent' in given

function count(field: string, value: number): number {
  if (Number.isInteger(value) && value > 0) return value
  throw bad(field, `must be a whole number above 0, got ${String(value)}`, `leave ${field} out for the default`)
}

function bad(field: string, what: string, hint: string): LastgoodError {
  return new LastgoodError('bad-option', `${field} ${what}`, { hint, details: { field } })
}
