/**
 * One outage, played to a whole fleet on virtual time: sessions that take steps of a request (3 to 13 s) and a tool (1 to
 * 7 s), one event after the other. Lastgood's own pure functions decide when a session sends (`fleet-clients.ts`).
 */
import { seededRandom } from '@lastgood/core/testing'
import { Agenda } from './agenda.ts'
import { backOff, fleet, type Asker, type Pacing } from './fleet-clients.ts'
import { Provider } from './provider.ts'
import { Traffic } from './traffic.ts'

export const clientNames = ['fleet', 'breaker alone', 'back-off to 60 s', 'back-off to 32 s'] as const
export type ClientName = (typeof clientNames)[number]

const minute = 60_000
const scenarios = {
  '5 min': { ms: 5 * minute, failing: 1, recovering: undefined },
  '30 min': { ms: 30 * minute, failing: 1, recovering: undefined },
  '30 min, then a third of the capacity': {
    ms: 30 * minute,
    failing: 1,
    recovering: { share: 1 / 3, ms: 5 * minute },
  },
  'a fifth fails for 2 min': { ms: 2 * minute, failing: 0.2, recovering: undefined },
} as const
export type ScenarioName = keyof typeof scenarios
export const scenarioNames = Object.keys(scenarios) as ScenarioName[]

/** In the other scenarios every request fails. */
export const isPartial = (scenario: ScenarioName): boolean => scenarios[scenario].failing < 1

export interface SimulationOptions {
  readonly client: ClientName
  readonly sessions: number
  readonly workers: number
  readonly scenario: ScenarioName
  readonly seed: number
}

export interface Simulated extends SimulationOptions {
  /** Requests a second before the outage. */
  readonly usual: number
  /** From the end of the outage until this many sessions had an answer to a request sent since; absent if fewer had. */
  readonly halfBackMs: number | undefined
  readonly backMs: number | undefined
  readonly allBackMs: number | undefined
  /** Requests a second, from the end of the outage on. */
  readonly peak1s: number
  readonly peak10s: number
  /** Requests that failed: in all, and of those sent after the end of the outage. */
  readonly wasted: number
  readonly wastedAfter: number
  readonly requests: number
  readonly answered: number
  /** From the end of the outage until the breaker closed. */
  readonly noticedMs: number | undefined
  /** How often a worker asked the limiter or read the record. */
  readonly asked: { readonly limiter: number; readonly record: number }
}

/** Long enough for a whole minute of the usual rate in the health record. */
const outageAt = 126_000
const [meanStepMs, capacityShare] = [12_000, 1.2]
/** A session without an answer by then counts as not back. */
const patienceMs = 600_000
const lookOnMs = 120_000

type Doing = 'asks' | 'hears' | 'is-answered' | 'is-refused'

export function simulate(options: SimulationOptions): Simulated {
  const { client, sessions, workers, scenario, seed } = options
  const { ms, ...outage } = scenarios[scenario]
  const random = seededRandom(seed)
  const between = (low: number, high: number) => low + random() * (high - low)
  const end = outageAt + ms
  const deadline = end + patienceMs
  const steady = (sessions * 1000) / meanStepMs
  const provider = new Provider(steady * capacityShare, { from: outageAt, to: end, ...outage }, random)
  const pacing = pacingOf(client, workers, random)
  const traffic = new Traffic(deadline + 1000)
  const agenda = new Agenda(sessions)
  const doing: Doing[] = Array.from({ length: sessions }, () => 'asks')
  const askers = Array.from({ length: sessions }, (_, session): Asker => ({
    session,
    draw: random(),
    waited: false,
    faults: 0,
    firstFaultAt: 0,
    sentAt: 0,
    ticket: undefined,
  }))
  const back = new Float64Array(sessions).fill(Infinity)
  let [backCount, answered, wasted, wastedAfter, until] = [0, 0, 0, 0, deadline]

  const next = (session: number, what: Doing, at: number) => {
    doing[session] = what
    agenda.add(session, at)
  }
  const asks = (asker: Asker, now: number) => {
    const at = pacing.ask(asker, now)
    if (at > now) {
      asker.waited = true
      return next(asker.session, 'asks', at)
    }
    traffic.add(now)
    asker.sentAt = now
    if (provider.takes(now)) next(asker.session, 'hears', now + between(500, 1500))
    else next(asker.session, 'is-refused', now + between(200, 1000))
  }
  // A model counts as answering from the first event of an answer, not from its end.
  const hears = (asker: Asker, now: number) => {
    pacing.answered(asker, now)
    next(asker.session, 'is-answered', asker.sentAt + between(3000, 13_000))
  }
  const isAnswered = (asker: Asker, now: number) => {
    const { session, sentAt } = asker
    answered += 1
    if (sentAt >= end && back[session] === Infinity) {
      back[session] = now - end
      backCount += 1
      if (backCount === sessions) until = Math.max(now, end + lookOnMs)
    }
    asker.draw = random()
    asker.waited = false
    asker.faults = 0
    next(session, 'asks', now + between(1000, 7000))
  }
  const isRefused = (asker: Asker, now: number) => {
    wasted += 1
    if (asker.sentAt >= end) wastedAfter += 1
    if (asker.faults === 0) asker.firstFaultAt = now
    asker.faults += 1
    asker.waited = true
    next(asker.session, 'asks', pacing.failed(asker, now))
  }

  for (let session = 0; session < sessions; session++) agenda.add(session, between(0, meanStepMs))
  while (agenda.next < until) {
    const now = agenda.next
    const session = agenda.take()
    const asker = askers[session] as Asker
    if (doing[session] === 'asks') asks(asker, now)
    else if (doing[session] === 'hears') hears(asker, now)
    else if (doing[session] === 'is-answered') isAnswered(asker, now)
    else isRefused(asker, now)
  }

  const sorted = back.sort()
  const share = (part: number) => {
    const ms = sorted[Math.ceil(part * sessions) - 1]
    return ms === Infinity ? undefined : ms
  }
  return {
    ...options,
    usual: traffic.mean(60_000, outageAt),
    halfBackMs: share(0.5),
    backMs: share(0.99),
    allBackMs: share(1),
    peak1s: traffic.peak(end, 1000),
    peak10s: traffic.peak(end, 10_000),
    wasted,
    wastedAfter,
    requests: traffic.total,
    answered,
    noticedMs: pacing.closedAt === undefined ? undefined : pacing.closedAt - end,
    asked: pacing.asked,
  }
}

function pacingOf(client: ClientName, workers: number, random: () => number): Pacing {
  switch (client) {
    case 'fleet':
      return fleet(workers, random, { limiter: true })
    case 'breaker alone':
      return fleet(workers, random, { limiter: false })
    case 'back-off to 60 s':
      return backOff(60_000, 2000, random)
    case 'back-off to 32 s':
      return backOff(32_000, 500, random)
  }
}
