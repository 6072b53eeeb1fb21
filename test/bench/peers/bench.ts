/**
 * `bench peers`: lastgood beside the least that would do and beside what else keeps agents or their steps, with one workload.
 *
 * 1. The contenders take turns with every round, so that what the machine does meanwhile happens to all of them.
 * 2. Who cannot be installed, started or measured is told with the reason, and the others are measured.
 * 3. What a peer is made of is installed on demand, outside of this repository.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { median } from '../store/spread.ts'
import { contenders, type Contender } from './contenders.ts'
import { makeReady, type Ready } from './job.ts'
import { measureAtOnce, measureGoingOn, measureSteps, type AtOnce, type GoingOn, type Steps } from './measure.ts'
import { nodeFor, versionsOf } from './packages.ts'
import { startServer, type Server, type ServerName } from './servers.ts'
import { standingsOf } from './standings.ts'
import { stepOf } from './workload.ts'

export interface PeersBenchOptions {
  readonly rounds: number
  /** Steps of the sessions that are measured, ascending. */
  readonly lengths: readonly number[]
  readonly atOnce: { readonly sessions: number; readonly steps: number }
  /** Steps before the kill. */
  readonly killAfter: number
  readonly warmUp: number
  readonly warmUpMs: number
  readonly limitMs: number
  readonly goOnLimitMs: number
  /** A length that took longer is not measured again. */
  readonly slowMs: number
  /** Parts of names. Default: all. */
  readonly only?: readonly string[]
}

const usual: PeersBenchOptions = {
  rounds: 3,
  lengths: [50, 200, 1000],
  atOnce: { sessions: 32, steps: 50 },
  killAfter: 50,
  warmUp: 500,
  warmUpMs: 1_000,
  limitMs: 20_000,
  goOnLimitMs: 30_000,
  slowMs: 10_000,
}

/** To see that the bench works. */
const quick: PeersBenchOptions = {
  ...usual,
  rounds: 1,
  lengths: [50],
  atOnce: { sessions: 32, steps: 10 },
  warmUpMs: 300,
  limitMs: 5_000,
  goOnLimitMs: 5_000,
}

export const peersBenchOptions = { usual, quick }

export interface Measured {
  readonly contender: Contender
  readonly lengths: readonly ({ readonly steps: number } & Steps)[]
  readonly atOnce: AtOnce
  readonly goingOn: GoingOn
}

export interface Missing {
  readonly name: string
  readonly why: string
}

export async function benchPeers(
  options: PeersBenchOptions,
  tell: (line: string) => void,
  everybody: readonly Contender[] = contenders,
) {
  const dir = await mkdtemp(join(process.cwd(), '.bench-peers-'))
  const closing: (() => Promise<unknown>)[] = [() => rm(dir, { recursive: true, force: true })]
  const missing = new Map<string, string>()
  const leaveOut = ({ name }: Contender, error: unknown) => {
    missing.set(name, (error as Error).message)
    tell(`${name} is left out`)
  }
  try {
    const workload = join(dir, 'workload.json')
    const longest = Math.max(...options.lengths, options.atOnce.steps, options.killAfter, options.warmUp)
    await writeFile(workload, JSON.stringify(Array.from({ length: longest }, (_, step) => stepOf(step))))
    const chosen = everybody.filter(({ name }) => options.only?.some((part) => name.includes(part)) ?? true)
    const node = await nodeFor(Math.max(...chosen.map(({ oldestNode }) => oldestNode ?? 0)))
    const servers = new Map<ServerName, Server | Error>()
    const ready: Ready[] = []
    for (const contender of chosen) {
      try {
        const server = await serverFor(contender.server, dir, servers, closing)
        ready.push(await makeReady(contender, server, node, dir))
      } catch (error) {
        leaveOut(contender, error)
      }
    }
    const rounds = new Map<string, Round[]>()
    for (let round = 0; round < options.rounds; round++) {
      for (const [at, one] of inTurn(ready, round).entries()) {
        if (missing.has(one.name)) continue
        try {
          const before = rounds.get(one.name) ?? []
          rounds.set(one.name, [...before, await measureRound(one, round, before, { ...options, workload })])
        } catch (error) {
          leaveOut(one, error)
        }
        tell(`round ${round + 1} of ${options.rounds}, ${at + 1} of ${ready.length}: ${one.name}`)
      }
    }
    const measured = ready.flatMap((one) => (missing.has(one.name) ? [] : [mediansOf(one, rounds.get(one.name) ?? [])]))
    const used = new Set(measured.map(({ contender }) => contender.packages))
    const running = [...servers.values()].filter((one): one is Server => !(one instanceof Error))
    const names = running.map(({ version }) => version).filter((one) => one !== '')
    return {
      options,
      node: node.version,
      servers: [...new Set(names)],
      versions: [...used].flatMap((one) => (one === undefined ? [] : [versionsOf(one)])),
      missing: [...missing].map(([name, why]): Missing => ({ name, why })),
      measured,
      standings: standingsOf(measured),
    }
  } finally {
    for (const close of closing.reverse()) await close()
  }
}

async function serverFor(
  name: ServerName,
  dir: string,
  servers: Map<ServerName, Server | Error>,
  closing: (() => Promise<unknown>)[],
): Promise<Server> {
  let server = servers.get(name)
  if (!server) {
    server = await startServer(name, dir).catch((error: Error) => error)
    servers.set(name, server)
    if (!(server instanceof Error)) closing.push(() => (server as Server).stop())
  }
  if (server instanceof Error) throw server
  return server
}

interface Round {
  readonly lengths: ReadonlyMap<number, Steps>
  readonly atOnce: AtOnce
  readonly goingOn: GoingOn
}

async function measureRound(
  one: Ready,
  round: number,
  before: readonly Round[],
  options: PeersBenchOptions & { workload: string },
): Promise<Round> {
  const lengths = new Map<number, Steps>()
  const id = (what: string) => `${one.program}-${one.name.replaceAll(/\W+/g, '-')}-${what}-${round}`
  for (const steps of options.lengths) {
    const known = before[0]?.lengths.get(steps)
    const isSlow = known && known.p50 * known.done > options.slowMs
    lengths.set(steps, isSlow ? known : await measureSteps(one, id(String(steps)), steps, options))
  }
  const atOnce = await measureAtOnce(one, { id: id('at-once'), ...options.atOnce }, options)
  // Once where it takes long.
  const known = before[0]?.goingOn
  const isSlow = known && (known.ms ?? Infinity) > options.slowMs
  const goingOn = isSlow ? known : await measureGoingOn(one, id('kill'), options.killAfter, options)
  return { lengths, atOnce, goingOn }
}

function mediansOf(contender: Ready, rounds: readonly Round[]): Measured {
  const of = (value: (round: Round) => number) => median(rounds.map(value))
  const lengths = [...(rounds[0]?.lengths.keys() ?? [])].map((steps) => {
    const at = (key: Exclude<keyof Steps, 'isExact'>) => of((round) => round.lengths.get(steps)?.[key] ?? NaN)
    return {
      steps,
      done: at('done'),
      p50: at('p50'),
      p99: at('p99'),
      late: at('late'),
      clientCpu: at('clientCpu'),
      serverCpu: at('serverCpu'),
      written: at('written'),
      stored: at('stored'),
      open: at('open'),
      openAlone: at('openAlone'),
      isExact: rounds.every((round) => round.lengths.get(steps)?.isExact === true),
    }
  })
  const { on: _on, target: _target, node: _node, path: _path, ...plain } = contender
  const wentOn = rounds.map(({ goingOn }) => goingOn)
  const isBack = wentOn.every(({ ms }) => ms !== undefined)
  return {
    contender: plain,
    lengths,
    atOnce: { p50: of(({ atOnce }) => atOnce.p50), perSecond: of(({ atOnce }) => atOnce.perSecond) },
    goingOn: {
      ms: isBack ? of(({ goingOn }) => goingOn.ms ?? NaN) : undefined,
      lost: isBack ? Math.max(...wentOn.map(({ lost }) => lost ?? NaN)) : undefined,
    },
  }
}

function inTurn<T>(all: readonly T[], round: number): T[] {
  const from = Math.floor((round * all.length) / 3)
  return all.map((_, at) => all[(from + at) % all.length] as T)
}
