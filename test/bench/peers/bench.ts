/**
 * `bench peers`: lastgood beside the minimum and beside what else keeps agents or their steps, with one workload.
 *
 * 1. The contenders take turns with every part of every round, so that other load on the machine affects all.
 * 2. A contender that cannot be installed, started or measured is reported with the reason; the others are measured.
 * 3. The packages of a peer are installed on demand, outside of this repository.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { contenders, type Contender } from './contenders.ts'
import { makeReady, type Ready } from './job.ts'
import { nodeFor, versionsOf } from './packages.ts'
import { measurePart, mediansOf, noSamples, type Part, type RoundOptions } from './rounds.ts'
import { startServer, type Server, type ServerName } from './servers.ts'
import { standingsOf } from './standings.ts'
import { stepOf } from './workload.ts'

export interface PeersBenchOptions extends Omit<RoundOptions, 'workload'> {
  readonly rounds: number
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
    const samples = new Map(ready.map(({ name }) => [name, noSamples()]))
    const parts: readonly Part[] = [...options.lengths, 'at once', 'kill']
    for (let round = 0; round < options.rounds; round++) {
      for (const part of parts) {
        for (const one of inTurn(ready, round)) {
          const known = samples.get(one.name)
          if (!known) continue
          try {
            await measurePart(one, part, round, known, { ...options, workload })
          } catch (error) {
            samples.delete(one.name)
            leaveOut(one, error)
          }
        }
        tell(`round ${round + 1} of ${options.rounds}: ${typeof part === 'number' ? `${part} steps` : part}`)
      }
    }
    const measured = ready.flatMap((one) => {
      const known = samples.get(one.name)
      return known ? [mediansOf(one, known)] : []
    })
    const used = new Set(measured.map(({ contender }) => contender.packages))
    const running = [...servers.values()].filter((one): one is Server => !(one instanceof Error))
    const names = running.map(({ version }) => version).filter((one) => one !== '')
    return {
      options,
      ranOn: node.version,
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

function inTurn<T>(all: readonly T[], round: number): T[] {
  const from = Math.floor((round * all.length) / 3)
  return all.map((_, at) => all[(from + at) % all.length] as T)
}
