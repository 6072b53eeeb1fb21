/** The benches by name: what each shows, its options, and how it is run. */
import { availableParallelism } from 'node:os'
import { profileNames } from '@lastgood/outage-lab'
import { BadOption, count, flag, words, type Command, type Outcome } from '../support/command.ts'
import { surroundings, type Surroundings } from '../support/report.ts'
import { atRestReport, benchAtRest } from './at-rest/bench.ts'
import { benchCapacity, capacityReport } from './capacity/bench.ts'
import { benchFleet, fleetReport } from './fleet/bench.ts'
import { benchComeback, comebackReport } from './fleet/comeback.ts'
import { benchTakeover, takeoverReport } from './fleet/takeover.ts'
import { benchGateway, gatewayBenchOptions } from './gateway/bench.ts'
import { gatewayReport } from './gateway/table.ts'
import { benchOutage, outageReport } from './outage/bench.ts'
import { benchOverhead, overheadReport } from './overhead/bench.ts'
import { benchPeers, peersBenchOptions } from './peers/bench.ts'
import { peersReport } from './peers/table.ts'
import { benchStartup, startupReport } from './startup/bench.ts'
import { benchStore } from './store/bench.ts'
import { storeReport } from './store/table.ts'

type Bench = Omit<Command, 'name'> & { readonly about: string }

const seed = count('', 1)
const jobs = count('threads', availableParallelism())

async function outcome<Results extends object>(
  running: Promise<Results>,
  report: (results: Results, isMarkdown: boolean, at: Surroundings) => string,
): Promise<Outcome> {
  const at = surroundings()
  const results = await running
  const isBroken = 'broken' in results && Array.isArray(results.broken) && results.broken.length > 0
  return {
    results: { ...at, ...results },
    report: (isMarkdown) => report(results, isMarkdown, at),
    exitCode: isBroken ? 1 : 0,
  }
}

const comebackOptions = { sessions: 160, workers: 4, warmMs: 130_000, outageMs: 60_000, afterMs: 90_000 }

export const benches: Readonly<Record<string, Bench>> = {
  outage: {
    about: 'each outage profile, to sessions of lastgood and of other clients, on virtual time',
    flags: {
      sessions: count('', 500),
      steps: count('of a session', 200),
      seed,
      profile: words(`one of ${profileNames.join(', ')}; may be repeated, default all`),
      jobs,
    },
    async run(given, tell) {
      const profiles = given.chosen('profile', profileNames)
      const [sessions = 0, steps = 0, theSeed = 0, threads = 0] = ['sessions', 'steps', 'seed', 'jobs'].map(given.count)
      const options = { profiles, sessions, steps, seed: theSeed, jobs: threads }
      return outcome(
        benchOutage(options, tell).then((results) => ({ sessions, steps, seed: theSeed, ...results })),
        outageReport,
      )
    },
  },
  overhead: {
    about: 'what lastgood adds to a request of the SDK, at both levels',
    flags: { runs: count('of each kind', 100) },
    run: (given, tell) =>
      outcome(benchOverhead({ runs: given.count('runs') ?? 0, lengths: [10, 200, 1000] }, tell), overheadReport),
  },
  store: {
    about: 'what a checkpoint and opening a session cost, against the bare minimum',
    flags: {
      checkpoints: count('of each contender', 2000),
      longest: count('steps of the longest session', 10_000),
      runs: count('pairs of processes that open a session', 7),
      'other-keys': count('of other keys on the same Redis while a session is opened', 1_000_000),
    },
    run(given, tell) {
      const [checkpoints = 0, longest = 0, runs = 0] = ['checkpoints', 'longest', 'runs'].map(given.count)
      const otherKeys = given.count('other-keys') ?? 0
      return outcome(benchStore({ checkpoints, longest, runs, otherKeys }, tell), storeReport)
    },
  },
  peers: {
    about: 'lastgood beside other ways to keep an agent, installed on demand',
    flags: {
      quick: flag('a minute or two, to see whether it works'),
      only: words('part of a name, as in the table; may be repeated, default all'),
      steps: words('lengths of the sessions, default 50,200,1000'),
      runs: count('rounds, usually 3'),
    },
    async run(given, tell) {
      const lengths = given.words('steps').flatMap((some) => some.split(',').map(Number))
      if (!lengths.every((one) => Number.isInteger(one) && one > 0))
        throw new BadOption('--steps are whole numbers above 0')
      const [rounds, only] = [given.count('runs'), given.words('only')]
      const options = {
        ...peersBenchOptions[given.flag('quick') ? 'quick' : 'usual'],
        ...(rounds !== undefined && { rounds }),
        ...(lengths.length > 0 && { lengths }),
        ...(only.length > 0 && { only }),
      }
      return outcome(benchPeers(options, tell), peersReport)
    },
  },
  gateway: {
    about: 'what a gateway adds to a request and a stream, against the bare minimum and another gateway',
    flags: { quick: flag('a few of each, to see whether it works') },
    run: (given, tell) =>
      outcome(benchGateway(gatewayBenchOptions[given.flag('quick') ? 'quick' : 'usual'], tell), gatewayReport),
  },
  startup: {
    about: 'how long a person waits for a command, and for the list of sessions',
    flags: { runs: count('processes of each kind', 15), sessions: count('in the store', 5000) },
    run(given, tell) {
      const [runs = 0, sessions = 0] = ['runs', 'sessions'].map(given.count)
      return outcome(benchStartup({ runs, sessions }, tell), startupReport)
    },
  },
  fleet: {
    about:
      'from the death of a worker until its sessions go on; or how a fleet comes back from an outage, real or on virtual time',
    flags: {
      outage: flag('to real workers, and to sessions that share nothing; nine minutes'),
      simulate: flag('the outage, on virtual time'),
      sessions: count('of the simulation', 100_000),
      workers: count('of the simulation', 1000),
      seed,
      jobs,
    },
    run(given, tell) {
      if (given.flag('outage')) return outcome(benchComeback(comebackOptions, tell), comebackReport)
      if (!given.flag('simulate')) return outcome(benchTakeover([1, 1000], tell), takeoverReport)
      const [sessions = 0, workers = 0, theSeed = 0, threads = 0] = ['sessions', 'workers', 'seed', 'jobs'].map(
        given.count,
      )
      return outcome(benchFleet({ sessions, workers, seed: theSeed, jobs: threads }, tell), fleetReport)
    },
  },
  capacity: {
    about: 'what sessions use of Redis and of a worker',
    flags: { sessions: count('', 200), commands: count('of each kind', 5000) },
    run(given, tell) {
      const [sessions = 0, commands = 0] = ['sessions', 'commands'].map(given.count)
      return outcome(benchCapacity({ sessions, commands }, tell), capacityReport)
    },
  },
  'at-rest': {
    about: 'what an entry costs when it is compressed, encrypted, or both',
    flags: { runs: count('', 100) },
    run: (given, tell) => outcome(benchAtRest(given.count('runs') ?? 0, tell), atRestReport),
  },
}
