/**
 * The options for opening a session. Bad options throw at once, so that a typo does not look like an outage.
 */
import { systemClock, type Clock } from '../clock.ts'
import { fileStore } from '../file/index.ts'
import type { Owner } from '../journal/journal.ts'
import { machineVersion } from '../machine/machine-state.ts'
import { thisOwner } from '../store/owner.ts'
import { checkedDecide, decide } from '../policy/decide.ts'
import { checksOf, leaseDuration, positiveMs, type OptionChecks } from '../option-checks.ts'
import { resolvePolicy, type Policy, type PolicyOptions } from '../policy/options.ts'
import type { RequestLimiter } from '../health/request-limiter.ts'
import { checkedRetention, type Retention } from './retention.ts'
import { answering, defaultPatienceMs } from '../store/answering.ts'
import type { Store } from '../store/store.ts'
import { logWatcher, type Logger } from '../watching/logger.ts'
import type { Watcher } from '../watching/watcher.ts'

export interface SessionOptions {
  /** Where the journal lives. Default: `fileStore()`. */
  store?: Store
  /** How faults are answered; each default is documented there. */
  policy?: PolicyOptions
  /** What is done about a fault. Default: `decide`, by the policy; wrap it to answer some faults yourself. */
  decide?: typeof decide
  /** Asked before each request: a rate that a fleet shares, `redisLimiter` of `@lastgood/fleet`. Default: none. */
  limiter?: RequestLimiter
  /** How long the lease runs without renewal. Default 30,000 ms, at most a day. */
  leaseMs?: number
  /**
   * How long a commit is retried while the store cannot answer; after that the session must be opened again. Each
   * single answer of the store is waited for as long, at least 5,000 ms, also when a session is opened and closed.
   * Default 15,000 ms.
   */
  storePatienceMs?: number
  /** Take the session from a live holder. Default false; from a process known to be dead it is always taken. */
  takeover?: boolean
  /**
   * The calls of its answers run elsewhere, and go on whoever opens the session: opening it while they run is
   * not a restart. Default false.
   */
  callsElsewhere?: boolean
  /**
   * How long after its last entry the session may be pruned; `null`: only when somebody asks for it. Default: as
   * recorded, at first `null`.
   */
  ttlMs?: number | null
  /** Whether it is never pruned. Default: as recorded, at first false. */
  pinned?: boolean
  /** Recorded with a new session, for people who look for it; null: none. Default: the folder of this process. */
  cwd?: string | null
  /** Name of this build's control state. Default: the release's own; a head written under another name is folded anew. */
  machineVersion?: string
  /** Gets a line for each change, without content: `pino()`, or anything like it. Default: none. */
  logger?: Logger
  /** Traces and metrics: `otel()` of `@lastgood/otel`, or watchers of your own. Default: none. */
  telemetry?: Watcher | readonly Watcher[]
  /** Default: the system's. */
  clock?: Clock
  /** Who holds the lease. Default: this process. */
  owner?: Owner
}

/** All present. */
export type ResolvedOptions = Required<
  Omit<SessionOptions, 'policy' | 'ttlMs' | 'pinned' | 'logger' | 'telemetry' | 'limiter'>
> & {
  policy: Policy
  limiter: RequestLimiter | undefined
  watchers: readonly Watcher[]
  retention: Retention
}

// As an object, so that the compiler keeps it complete.
const optionNames: Record<keyof SessionOptions, true> = {
  store: true,
  policy: true,
  decide: true,
  limiter: true,
  leaseMs: true,
  storePatienceMs: true,
  takeover: true,
  callsElsewhere: true,
  ttlMs: true,
  pinned: true,
  cwd: true,
  machineVersion: true,
  logger: true,
  telemetry: true,
  clock: true,
  owner: true,
}
const { assertKnown, assertFunctions }: OptionChecks = checksOf('Session')

/** Throws `bad-option`. */
export function resolveOptions(options: SessionOptions): ResolvedOptions {
  assertKnown(undefined, options, Object.keys(optionNames))
  assertFunctions({ decide: options.decide })
  const clock = options.clock ?? systemClock
  const { leaseMs = 30_000, storePatienceMs: patienceMs = defaultPatienceMs } = options
  const storePatienceMs = positiveMs('storePatienceMs', patienceMs)
  return {
    store: answering(options.store ?? fileStore(), clock, storePatienceMs),
    policy: resolvePolicy(options.policy),
    decide: options.decide ? checkedDecide(options.decide) : decide,
    limiter: options.limiter,
    retention: checkedRetention(options),
    watchers: [options.telemetry ?? [], options.logger ? logWatcher(options.logger) : []].flat(),
    leaseMs: leaseDuration(leaseMs),
    storePatienceMs,
    takeover: options.takeover ?? false,
    callsElsewhere: options.callsElsewhere ?? false,
    cwd: options.cwd === undefined ? process.cwd() : options.cwd,
    machineVersion: options.machineVersion ?? machineVersion,
    clock,
    owner: options.owner ?? thisOwner(clock.newId()),
  }
}
