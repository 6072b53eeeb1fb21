/**
 * Outages as they happen in the field, as data for `outages`: seeded, so that one seed is one outage on every machine.
 * 1. The shapes and lengths are those of public incident reports (https://status.claude.com/history): most outages are
 *    partial, half are over after 78 minutes, and a quarter come back.
 * 2. Only the seed decides; each name and each model draws from it independently.
 */
import { chance } from './digest.ts'
import type { Fault, FaultMix, Outage } from './outage.ts'

export const profileNames = [
  'blip',
  'wall',
  'partial',
  'relapse',
  'hang',
  'auth',
  'transport',
  'false-billing',
  'model-withdrawn',
] as const
export type ProfileName = (typeof profileNames)[number]

export interface ProfileOptions {
  readonly seed: number
  /** When it begins, in milliseconds since the lab's start. */
  readonly startMs: number
  /** The models that it hits, each with its own draws. Default: all requests alike; `model-withdrawn` needs one. */
  readonly models?: readonly string[]
}

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const OVERLOADED: Fault = { kind: 'status', status: 529 }
const INTERNAL: Fault = { kind: 'status', status: 500 }
const ERROR_EVENT: Fault = {
  kind: 'error-event',
  after: { events: 4 },
  type: 'overloaded_error',
  message: 'Overloaded',
}
const WALL = mix([70, OVERLOADED], [25, INTERNAL], [5, ERROR_EVENT])
const PARTIAL = mix(
  [50, INTERNAL],
  [35, OVERLOADED],
  [8, ERROR_EVENT],
  [3, { kind: 'cut', after: { events: 4 }, how: 'end' }],
  [4, { kind: 'stall', after: { events: 4 }, pings: true }],
)
const HANG = mix(
  [1, { kind: 'stall', after: 'before-headers', pings: false }],
  [1, { kind: 'stall', after: 'headers', pings: false }],
  [1, { kind: 'stall', after: 'headers', pings: true }],
)
const TRANSPORT = mix(
  [50, { kind: 'reset', at: 'before-headers' }],
  [20, { kind: 'stall', after: 'before-headers', pings: false }],
  ...[502, 520, 522, 523, 524].map((status): readonly [number, Fault] => [6, { kind: 'status', status }]),
)
const BILLING: readonly Fault[] = [
  {
    kind: 'status',
    status: 400,
    message:
      'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.',
  },
  { kind: 'status', status: 402 },
  { kind: 'status', status: 429, errorCode: 'enforced_spend_limit_reached' },
]

/** A stretch of an outage: its length, the share of requests that it hits, and what they get. */
interface Phase {
  /** Default 0. */
  readonly pauseMs?: number
  readonly forMs: number
  readonly rate: number
  readonly fault: Outage['fault']
  readonly everywhere?: true
}

/** Uniform numbers in [0, 1), by name. */
type Luck = (what: string, at?: number) => number

const PROFILES: { readonly [name in ProfileName]: (luck: Luck) => readonly Phase[] } = {
  blip: (luck) => [
    { forMs: between(luck('length'), 5 * SECOND, MINUTE), rate: 1, fault: mix([1, OVERLOADED], [1, INTERNAL]) },
  ],
  wall: (luck) => [wall(luck)],
  partial: (luck) => [partial(luck)],
  relapse: (luck) => [wall(luck), { ...partial(luck), pauseMs: between(luck('pause'), 5 * MINUTE, 30 * MINUTE) }],
  hang: (luck) => [{ forMs: between(luck('length'), HOUR, 2 * HOUR), rate: 0.3, fault: HANG }],
  auth: (luck) => [
    {
      forMs: between(luck('length'), 30 * MINUTE, 80 * MINUTE),
      rate: 0.5 + luck('rate') / 2,
      fault: { kind: 'status', status: 401 },
      everywhere: true,
    },
  ],
  transport: (luck) => [
    {
      forMs: evenly(luck('length'), 5 * MINUTE, HOUR),
      rate: 0.6 + luck('rate') * 0.4,
      fault: TRANSPORT,
      everywhere: true,
    },
  ],
  'false-billing': (luck) => [
    {
      forMs: between(luck('length'), 2 * HOUR, 5 * HOUR),
      rate: 1,
      fault: BILLING[Math.floor(luck('kind') * BILLING.length)] ?? OVERLOADED,
    },
  ],
  'model-withdrawn': (luck) => [
    { forMs: between(luck('length'), 2 * DAY, 14 * DAY), rate: 1, fault: { kind: 'withdrawn' }, everywhere: true },
  ],
}

/** The outages of a profile. Throws a TypeError for `model-withdrawn` without a model. */
export function outageProfile(name: ProfileName, { seed, startMs, models }: ProfileOptions): readonly Outage[] {
  if (name === 'model-withdrawn' && !models?.length) throw new TypeError('model-withdrawn: `models` is missing')
  return (models ?? [undefined]).flatMap((model) => {
    const luck: Luck = (what, at = 0) => chance(seed, name, model ?? '', what, at)
    let from = startMs
    return PROFILES[name](luck).map(({ pauseMs = 0, forMs, rate, fault, everywhere }): Outage => {
      const start = from + Math.round(pauseMs)
      from = start + Math.round(forMs)
      return {
        name,
        when: {
          window: [start, from],
          ...(rate < 1 && { rate }),
          ...(model !== undefined && { model }),
          ...(everywhere && { endpoint: 'all' as const }),
        },
        fault,
      }
    })
  })
}

/** From the first start to the last end of the outages that have a window, since the lab's start. */
export function outageSpan(outages: readonly Outage[]): { readonly startsMs: number; readonly endsMs: number } {
  const windows = outages.flatMap(({ when }) => ('window' in when ? [when.window] : []))
  return {
    startsMs: Math.min(...windows.map(([from]) => from)),
    endsMs: Math.max(...windows.map(([, to]) => to ?? Infinity)),
  }
}

function wall(luck: Luck): Phase {
  return { forMs: evenly(luck('length'), 15 * SECOND, 15 * MINUTE), rate: 0.6 + luck('rate') * 0.4, fault: WALL }
}

/** Lognormal: median 75 minutes, sigma 1. One request in ten fails, give or take: Beta(2, 18). */
function partial(luck: Luck): Phase {
  const normal = Math.sqrt(-2 * Math.log(1 - luck('long'))) * Math.cos(2 * Math.PI * luck('turn'))
  // The second smallest of 19 uniform numbers has exactly that distribution.
  const [, second = 0] = Array.from({ length: 19 }, (_, at) => luck('share', at)).sort((a, b) => a - b)
  return { forMs: 75 * MINUTE * Math.exp(normal), rate: second, fault: PARTIAL }
}

function mix(...parts: readonly (readonly [weight: number, fault: Fault])[]): FaultMix {
  return { oneOf: parts.map(([weight, fault]) => ({ weight, fault })) }
}

function between(luck: number, low: number, high: number): number {
  return low + luck * (high - low)
}

/** As many short ones as long ones: log-uniform. */
function evenly(luck: number, low: number, high: number): number {
  return low * (high / low) ** luck
}
