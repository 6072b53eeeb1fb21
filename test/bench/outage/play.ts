/**
 * One outage, played against many sessions of one client on a clock of its own.
 */
import { ManualClock } from '@lastgood/core/testing'
import { outageProfile, type Outage, type ProfileName } from '@lastgood/outage-lab'
import { quantile } from '../spread.ts'
import { watchBreaker } from './breaker-watch.ts'
import { claudeCodePolicy, sdkPolicy } from './plain-clients.ts'
import { playLastgood, playPlain, type Ending, type Parkings } from './players.ts'
import { createProvider } from './provider.ts'
import { backAfterMs, failedInAMinute, meanRate, peakRate } from './traffic.ts'
import { meanStepMs, model, secondModel } from './workload.ts'

export const clients = ['lastgood', 'sdk', 'claude-code'] as const
export type Client = (typeof clients)[number]

export interface PlayOptions {
  readonly profile: ProfileName
  readonly client: Client
  readonly sessions: number
  readonly steps: number
  readonly seed: number
  /** Of this many requests of lastgood's sessions, one is checked by the lab's rules. */
  readonly judgeEvery: number
}

export interface Played {
  readonly profile: ProfileName
  readonly client: Client
  readonly sessions: number
  /** From the first fault to the last, in ms. */
  readonly outageMs: number
  readonly completed: number
  /** Sessions that ended for good without having completed, by reason. */
  readonly gaveUp: Readonly<Record<string, number>>
  /** Neither completed nor ended when the virtual clock was stopped: two days after the outage, and after all work. */
  readonly stuck: number
  /** How often a session was suspended and resumed later, by the fault. */
  readonly parked: Readonly<Record<string, number>>
  readonly requests: number
  readonly failed: number
  /** The most failed requests of one session in a minute: many mean a loop without a pause. */
  readonly failedInAMinute: number
  /** Requests that broke the rules of the API. */
  readonly invalid: readonly string[]
  /** Requests that left while the breaker was open, and were not its probe. */
  readonly pastBreaker: number
  readonly breakerOpened: number
  readonly probes: number
  /** Sessions that had not completed when the outage ended, and how many of them had an answer again. */
  readonly atWork: number
  readonly back: number
  /** From the end of the outage until half and 99 % of them had an answer to a new request; absent if fewer had. */
  readonly halfBackMs: number | undefined
  readonly backMs: number | undefined
  /** Requests per second: the mean before the outage, the peaks from its first end on over 1 s, 10 s and a minute. */
  readonly rateBefore: number
  readonly peak1s: number
  readonly peak10s: number
  readonly peakMinute: number
}

const dayMs = 86_400_000

export async function play(options: PlayOptions): Promise<Played> {
  const { profile, client, sessions, steps, seed, judgeEvery } = options
  const clock = new ManualClock({ seed })
  const startedAt = clock.now()
  const begin = Math.round(Math.min(300_000, (steps * meanStepMs) / 4))
  const outages = outageProfile(profile, {
    seed,
    startMs: begin,
    ...(profile === 'model-withdrawn' && { models: [model] }),
  })
  const ends = windowsOf(outages).map(([, end]) => startedAt + end)
  const [firstEnd, end] = [Math.min(...ends), Math.max(...ends)]
  const watch = watchBreaker(clock)
  let pastBreaker = 0
  const onFetch = (session: number, asked: string): void => {
    if (watch.breaks(`s${session}`, asked)) pastBreaker += 1
  }
  const provider = await createProvider({ clock, outages, seed: seed + 1, judgeEvery, onFetch })
  const endings = new Map<number, { ending: Ending; at: number }>()
  const parkings: Parkings = new Map()
  const world = { clock, provider, steps, seed }
  const ladder = profile === 'model-withdrawn' ? [{ model }, { model: secondModel }] : []
  const playOne = (number: number) =>
    client === 'lastgood'
      ? playLastgood(number, world, { store: watch.store, ladder, parkings })
      : playPlain(number, world, client === 'sdk' ? sdkPolicy : claudeCodePolicy)
  const errors: unknown[] = []
  for (let number = 0; number < sessions; number++) {
    playOne(number).then(
      (ending) => endings.set(number, { ending, at: clock.now() }),
      (error: unknown) => errors.push(error),
    )
  }
  const deadline = end + 2 * dayMs + steps * meanStepMs
  while (endings.size < sessions && clock.now() < deadline && errors.length === 0) await clock.advance(60_000)
  if (errors.length > 0) throw errors[0]

  const { sent, invalid } = provider
  const gaveUp: Record<string, number> = {}
  for (const { ending } of endings.values()) {
    if (ending.kind === 'gave-up') gaveUp[ending.why] = (gaveUp[ending.why] ?? 0) + 1
  }
  const atWork = Array.from({ length: sessions }, (_, number) => number).filter((number) => {
    const { ending, at = Infinity } = endings.get(number) ?? {}
    return at >= end || ending?.kind === 'gave-up'
  })
  const backAfter = backAfterMs(sent, end)
  const back = atWork.flatMap((number) => backAfter.get(number) ?? [])
  const warm = startedAt + Math.min(begin / 2, 2 * meanStepMs)
  return {
    profile,
    client,
    sessions,
    outageMs: end - startedAt - begin,
    completed: [...endings.values()].filter(({ ending }) => ending.kind === 'completed').length,
    gaveUp,
    stuck: sessions - endings.size,
    parked: Object.fromEntries(parkings),
    requests: sent.length,
    failed: sent.filter(({ failed }) => failed).length,
    failedInAMinute: failedInAMinute(sent),
    invalid,
    pastBreaker,
    breakerOpened: watch.counts.opened,
    probes: watch.counts.probes,
    atWork: atWork.length,
    back: back.length,
    halfBackMs: quantile(back, 0.5, atWork.length),
    backMs: quantile(back, 0.99, atWork.length),
    rateBefore: meanRate(sent, warm, startedAt + begin),
    peak1s: peakRate(sent, firstEnd, 1000),
    peak10s: peakRate(sent, firstEnd, 10_000),
    peakMinute: peakRate(sent, firstEnd, 60_000),
  }
}

function windowsOf(outages: readonly Outage[]): readonly (readonly [number, number])[] {
  return outages.flatMap(({ when }) =>
    'window' in when ? [[when.window[0], when.window[1] ?? Infinity] as const] : [],
  )
}
