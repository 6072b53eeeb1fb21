/**
 * `pnpm bench outage`, `overhead`, `store`, `gateway` and `startup`: the numbers of docs/benchmarks.md; `pnpm bench at-rest`: those
 * of docs/at-rest.md; `pnpm bench peers`: those of docs/performance.md. Exit code 1 when a rule is broken.
 */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { profileNames, type ProfileName } from '@lastgood/outage-lab'
import { atRestReport, benchAtRest } from './at-rest/bench.ts'
import { benchGateway, gatewayBenchOptions } from './gateway/bench.ts'
import { gatewayReport } from './gateway/table.ts'
import { benchOutage, outageReport } from './outage/bench.ts'
import { benchOverhead, overheadReport } from './overhead/bench.ts'
import { benchPeers, peersBenchOptions } from './peers/bench.ts'
import { peersReport } from './peers/table.ts'
import { surroundings } from './report.ts'
import { benchStartup, startupReport } from './startup/bench.ts'
import { benchStore } from './store/bench.ts'
import { storeReport } from './store/table.ts'

const usage = `Usage: pnpm bench outage|overhead|store|gateway|peers|startup|at-rest [options]

  --json, --md            results as JSON, or tables in Markdown

outage:   each outage profile, to sessions of lastgood and of other clients, on virtual time
  --sessions <n>          default 500
  --steps <n>             steps of a session, default 200
  --seed <n>              default 1
  --profile <name>        one of ${profileNames.join(', ')}; may be repeated, default all
  --jobs <n>              threads, default one for each processor

overhead: what lastgood adds to a request
  --runs <n>              default 100

at-rest:  what an entry costs when it is compressed, encrypted, or both
  --runs <n>              default 100

startup:  how long a person waits for a command, and for the list of a store
  --runs <n>              processes of each kind, default 15
  --sessions <n>          in the store, default 5000

store:    what a checkpoint and opening a session cost, against the least that would do
  --checkpoints <n>       of each contender, default 2000
  --longest <n>           steps of the longest session, default 10000
  --runs <n>              pairs of processes that open a session, default 7

gateway:  what a gateway adds to a request and a stream, against the least that would do and another gateway
  --quick                 a few of each, to see that it works

peers:    lastgood beside other ways to keep an agent, installed on demand
  --quick                 a minute or two, to see that it works
  --only <name>           part of a name, as in the table; may be repeated, default all
  --steps <n,n>           lengths of the sessions, default 50,200,1000
  --runs <n>              rounds, default 3`

const options = {
  json: { type: 'boolean', default: false },
  md: { type: 'boolean', default: false },
  quick: { type: 'boolean', default: false },
  sessions: { type: 'string' },
  steps: { type: 'string' },
  only: { type: 'string', multiple: true },
  seed: { type: 'string', default: '1' },
  jobs: { type: 'string', default: String(availableParallelism()) },
  runs: { type: 'string' },
  checkpoints: { type: 'string', default: '2000' },
  longest: { type: 'string', default: '10000' },
  profile: { type: 'string', multiple: true },
} as const

const countNames = ['sessions', 'steps', 'seed', 'jobs', 'runs', 'checkpoints', 'longest'] as const

function refuse(): number {
  console.error(usage)
  return 2
}

const benches = ['outage', 'overhead', 'store', 'gateway', 'peers', 'startup', 'at-rest'] as const
const isBench = (name: string | undefined): name is (typeof benches)[number] => benches.some((one) => one === name)
const isProfile = (name: string): name is ProfileName => profileNames.some((one) => one === name)

function readArguments() {
  try {
    return parseArgs({ options, allowPositionals: true })
  } catch {
    return undefined // an option that is not known
  }
}

async function main(): Promise<number> {
  const { values, positionals = [] } = readArguments() ?? {}
  if (!values) return refuse()
  const { json, md, profile = [...profileNames] } = values
  const [bench = '', ...more] = positionals
  const usual = { store: { runs: '7' }, startup: { runs: '15', sessions: '5000' } }[bench]
  const given = { runs: '100', sessions: '500', ...usual, ...values, steps: values.steps ?? '200' }
  const lengths = bench === 'peers' ? values.steps?.split(',').map(Number) : undefined
  if (lengths) given.steps = String(Math.min(...lengths))
  const counts = Object.fromEntries(countNames.map((name) => [name, Number(given[name])]))
  const { sessions = 0, steps = 0, seed = 0, jobs = 0, runs = 0, checkpoints = 0, longest = 0 } = counts
  const profiles = profile.filter(isProfile)
  const isSound = Object.values(counts).every((one) => Number.isInteger(one) && one > 0)
  if (!isSound || profiles.length < profile.length || more.length > 0 || !isBench(bench)) return refuse()

  const at = surroundings()
  const startedAt = performance.now()
  const tell = (line: string): void => {
    process.stderr.write(`${((performance.now() - startedAt) / 1000).toFixed(0).padStart(5)} s  ${line}\n`)
  }
  if (bench === 'at-rest') {
    const results = await benchAtRest(runs, tell)
    console.log(json ? JSON.stringify({ bench, ...at, ...results }, null, 2) : atRestReport(results, md, at))
    return 0
  }
  if (bench === 'overhead') {
    const results = await benchOverhead(runs, tell)
    console.log(json ? JSON.stringify({ bench, ...at, ...results }, null, 2) : overheadReport(results, md, at))
    return 0
  }
  if (bench === 'store') {
    const results = await benchStore({ checkpoints, longest, runs }, tell)
    console.log(json ? JSON.stringify({ bench, ...at, ...results }, null, 2) : storeReport(results, md, at))
    return 0
  }
  if (bench === 'startup') {
    const results = await benchStartup({ runs, sessions }, tell)
    console.log(json ? JSON.stringify({ bench, ...at, ...results }, null, 2) : startupReport(results, md, at))
    return 0
  }
  if (bench === 'peers') {
    const { quick, only } = values
    const chosen = {
      ...peersBenchOptions[quick ? 'quick' : 'usual'],
      ...(values.runs && { rounds: runs }),
      ...(lengths && { lengths }),
      ...(only && { only }),
    }
    const results = await benchPeers(chosen, tell)
    console.log(json ? JSON.stringify({ bench, ...at, ...results }, null, 2) : peersReport(results, md, at))
    return 0
  }
  if (bench === 'gateway') {
    const results = await benchGateway(gatewayBenchOptions[values.quick ? 'quick' : 'usual'], tell)
    console.log(json ? JSON.stringify({ bench, ...at, ...results }, null, 2) : gatewayReport(results, md, at))
    return 0
  }
  const results = await benchOutage({ profiles, sessions, steps, seed, jobs }, tell)
  console.log(
    json ? JSON.stringify({ bench, ...at, sessions, steps, seed, ...results }, null, 2) : outageReport(results, md, at),
  )
  return results.broken.length === 0 ? 0 : 1
}

process.exitCode = await main()
