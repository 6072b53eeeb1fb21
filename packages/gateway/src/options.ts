/** The options of a gateway. Bad options throw when it is created. */
import {
  answering,
  checksOf,
  isLastgoodError,
  LastgoodError,
  logWatcher,
  memoryStore,
  resolvePolicy,
  systemClock,
  validateLadder,
  type Clock,
  type InterceptorOptions,
  type LadderRung,
  type Logger,
  type OptionChecks,
  type PolicyOptions,
  type SessionEvent,
  type Store,
  type Watcher,
} from '@lastgood/core'
import { regionOf, type AwsOptions } from './aws-signature.ts'

export type Fetch = (input: string, init: RequestInit) => Promise<Response>

/** Credentials by the name of their header: `x-api-key` or `authorization`. */
export type Credentials = Readonly<Record<string, string>>

export interface GatewayOptions {
  /**
   * The API behind the gateway: origin, and the path before `/v1` if there is one; or several, which take a turn over
   * from each other, with the client's own credentials. Default `https://api.anthropic.com`.
   */
  upstream?: string | readonly string[]
  /** Where the conversations are kept. Default: memory, gone with the process. */
  store?: Store
  /**
   * Models, or other addresses, that take a turn when the requested model cannot. Only for requests with tools, and for
   * an agent's own conversation without: a helper's small model is not replaced by a large one. Default: none.
   */
  fallback?: NonNullable<InterceptorOptions['ladder']>
  /** Whether a model that takes a turn over says so to the person, in a line before its first words. Default false. */
  tellsFallback?: boolean
  /** How faults are handled; each default is documented there. */
  policy?: PolicyOptions
  /** When an answer counts as stalled; each default is documented there. At least 1,000 ms. */
  limits?: NonNullable<InterceptorOptions['limits']>
  /**
   * How long a streamed answer is waited for before its headers go out, so that a failure within that time has its true
   * status. Default 20,000 ms: under a tenth of what the most impatient measured client waits for headers.
   */
  holdMs?: number
  /**
   * How long an answer that does not stream is waited for before its headers go out. Default 280,000 ms: the shortest
   * measured time-out for headers is 300 s.
   */
  holdWholeMs?: number
  /** The longest silence before a ping, or before a blank if the answer does not stream. Default 10,000 ms. */
  pingMs?: number
  /**
   * The longest silence of an answer before its client gets, instead of the next ping, an event without content.
   * Default 240,000 ms: the least patient measured client accepts 30 pings in a row, and then waits for 300 s.
   */
  progressMs?: number
  /**
   * How long an answer is read on after its client has gone, and kept after its end, for a client that asks again.
   * Default 90,000 ms: the longest measured pause between two tries of a client is 40 s.
   */
  reattachMs?: number
  /** How long a session stays open after its last request, unless another gateway takes it over. Default 300,000 ms. */
  idleMs?: number
  /** How long the answers in hand may take to end, and to be read, when the gateway is closed. Default 10,000 ms. */
  drainMs?: number
  /** The largest body of a Messages request. Default 32 MiB, the API's own limit. */
  maxBodyBytes?: number
  /** How many requests may be inside at once, Messages requests with their bodies in memory. Default 1,000. */
  maxRequests?: number
  /** Names that the `Host` header may have, besides those of the loopback interface. Default: none. */
  hosts?: readonly string[]
  /**
   * What clients have to send in `x-lastgood-token`, at least 16 characters. Default: none, for a gateway that only
   * this machine can reach.
   */
  token?: string
  /**
   * Headers that replace the client's own credentials at an upstream, asked for before each request; every client that
   * reaches the gateway then uses them. Default: the client's own everywhere.
   */
  credentials?: (upstream: string) => Credentials | undefined | Promise<Credentials | undefined>
  /**
   * AWS credentials that sign what leaves for Amazon Bedrock, in place of the client's own credentials; every client that
   * reaches the gateway then uses them. A body of any request is then held in memory. Default: nothing is signed.
   */
  aws?: AwsOptions
  /** The folder that the clients work in, recorded with their sessions. Default: none, since they may be anywhere. */
  cwd?: string
  /** How requests leave. Default: the global `fetch`. */
  fetch?: Fetch
  /** Turns an error's hint into the one a client is told, with commands that find this store. Default: unchanged. */
  wayOn?: (hint: string) => string
  /** Called with what happens in the open sessions. Default: nothing is called. */
  onEvent?: (sessionId: string, event: SessionEvent) => void
  /** Gets a line for each change in a session, without content: `pino()`, or anything like it. Default: none. */
  logger?: Logger
  /** Traces and metrics: `otel()` of `@lastgood/otel`, or watchers of your own. Default: none. */
  telemetry?: Watcher | readonly Watcher[]
  /** Default: the system's. */
  clock?: Clock
}

export type ResolvedGatewayOptions = Required<
  Omit<GatewayOptions, 'policy' | 'cwd' | 'token' | 'upstream' | 'aws' | 'logger' | 'telemetry'>
> & {
  aws: AwsOptions | undefined
  cwd: string | null
  watchers: readonly Watcher[]
  token: string | undefined
  /**
   * A client can renew what the API refuses. Claude Code also asks again after a refusal of what is signed for it, and
   * shows it meanwhile to the person, who can sign in.
   */
  hasClientsLogin: boolean
  policy: PolicyOptions
  upstream: string
  /** The upstream is not the default. */
  isGiven: boolean
  /** The upstreams after the first. */
  others: readonly string[]
}

// As an object, so that the compiler keeps it complete.
const optionNames: Record<keyof GatewayOptions, true> = {
  upstream: true,
  store: true,
  fallback: true,
  tellsFallback: true,
  policy: true,
  limits: true,
  holdMs: true,
  holdWholeMs: true,
  pingMs: true,
  progressMs: true,
  reattachMs: true,
  idleMs: true,
  drainMs: true,
  maxBodyBytes: true,
  maxRequests: true,
  hosts: true,
  token: true,
  credentials: true,
  aws: true,
  cwd: true,
  fetch: true,
  wayOn: true,
  onEvent: true,
  logger: true,
  telemetry: true,
  clock: true,
}
const { assertKnown, badOption }: OptionChecks = checksOf('Gateway')

/** With a lower limit every answer might be given up before it begins, and asked for again. */
const leastLimitMs = 1_000

export function resolveGatewayOptions(options: GatewayOptions): ResolvedGatewayOptions {
  assertKnown(undefined, options, Object.keys(optionNames))
  const times = {
    holdMs: options.holdMs ?? 20_000,
    holdWholeMs: options.holdWholeMs ?? 280_000,
    pingMs: options.pingMs ?? 10_000,
    progressMs: options.progressMs ?? 240_000,
    reattachMs: options.reattachMs ?? 90_000,
    idleMs: options.idleMs ?? 300_000,
    drainMs: options.drainMs ?? 10_000,
    maxBodyBytes: options.maxBodyBytes ?? 32 * 1024 * 1024,
    maxRequests: options.maxRequests ?? 1_000,
  }
  for (const [field, value] of Object.entries(times)) {
    if (Number.isFinite(value) && value >= 0) continue
    throw new LastgoodError('bad-option', `${field} must be a number of at least 0, got ${String(value)}`, {
      hint: `leave ${field} out for the default`,
    })
  }
  for (const [field, value] of Object.entries(options.limits ?? {})) {
    if (value === undefined || value >= leastLimitMs) continue
    throw new LastgoodError('bad-option', `limits.${field} must be at least 1,000 ms, got ${String(value)}`, {
      hint: `leave ${field} out for the default`,
    })
  }
  resolvePolicy(options.policy)
  const upstreams = new Set([options.upstream ?? []].flat().map(upstreamOf))
  const [upstream = 'https://api.anthropic.com', ...others] = upstreams
  if (options.aws) assertSignable(options.aws, options, [...upstreams])
  return {
    ...times,
    upstream,
    isGiven: upstreams.size > 0,
    others,
    store: answering(options.store ?? memoryStore(), options.clock ?? systemClock),
    fallback: fallbackOf(options.fallback ?? [], others),
    tellsFallback: options.tellsFallback ?? false,
    wayOn: options.wayOn ?? ((hint) => hint),
    onEvent: options.onEvent ?? (() => {}),
    watchers: [options.telemetry ?? [], options.logger ? logWatcher(options.logger) : []].flat(),
    policy: options.policy ?? {},
    limits: options.limits ?? {},
    hosts: options.hosts ?? [],
    token: tokenOf(options.token),
    cwd: options.cwd ?? null,
    credentials: options.credentials ?? (() => undefined),
    aws: options.aws,
    hasClientsLogin: options.credentials === undefined,
    fetch: options.fetch ?? ((input, init) => fetch(input, init)),
    clock: options.clock ?? systemClock,
  }
}

/** A fallback that makes no valid ladder is reported here: otherwise every request would be refused because of it. */
function fallbackOf(fallback: readonly LadderRung[], others: readonly string[]): readonly LadderRung[] {
  const asked = { model: 'the requested model' }
  try {
    validateLadder([asked, ...others.map((endpoint) => ({ ...asked, endpoint })), ...fallback])
    return fallback
  } catch (error) {
    if (!isLastgoodError(error, 'bad-option')) throw error
    const field = fallback.length > 0 ? 'fallback' : 'upstream'
    throw new LastgoodError('bad-option', `${field}: ${error.message}`, { hint: error.hint, details: { field } })
  }
}

/** What could not be signed is told here, and not with each request. */
function assertSignable(aws: AwsOptions, { credentials }: GatewayOptions, upstreams: readonly string[]): void {
  assertKnown('aws', aws, ['credentials', 'region'])
  if (typeof aws.credentials !== 'function') throw badOption('aws.credentials', typeof aws.credentials, 'a function')
  if (credentials || upstreams.length === 0) {
    const why = credentials ? 'cannot be given together with credentials' : 'needs the upstream that it is for'
    throw new LastgoodError('bad-option', `aws ${why}`, {
      hint: 'for example upstream: https://bedrock-runtime.us-east-1.amazonaws.com, and aws',
      details: { field: 'aws' },
    })
  }
  for (const upstream of upstreams) regionOf(upstream, aws)
}

function tokenOf(token: string | undefined): string | undefined {
  if (token === undefined || /^[\x21-\x7e]{16,}$/.test(token)) return token
  throw new LastgoodError('bad-option', 'token must have at least 16 characters, without spaces', {
    hint: 'make one: openssl rand -hex 32',
  })
}

function upstreamOf(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url && (url.protocol === 'http:' || url.protocol === 'https:') && !url.username && !url.search && !url.hash) {
    return `${url.origin}${url.pathname.replace(/\/+$/, '')}`
  }
  throw new LastgoodError('bad-option', 'upstream must be an http or https address without credentials or a query', {
    hint: 'for example https://api.anthropic.com',
  })
}
