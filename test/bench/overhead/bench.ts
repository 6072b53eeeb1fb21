/** `bench overhead`: what lastgood adds to a request of the SDK, without a network and without a model. */
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { memoryStore, openSession, removeSession, type Store } from '@lastgood/core'
import { fileStore } from '@lastgood/core/file'
import { redisStore } from '@lastgood/redis'
import { Redis } from 'ioredis'
import { goalsTable, type Goal } from '../goal.ts'
import { spreadOf, type Spread } from '../spread.ts'
import { startRedis } from '../../support/redis-server.ts'
import { formatTable, type Surroundings, surroundingsLine } from '../../support/report.ts'
import { goalsOf, paths, type Path, type Requests } from './goals.ts'
import { bytesPerStep, historyOf, streamEvents } from './history.ts'
import { measureAlone, measureStep, type Level, type Measured, type StoreName } from './requests.ts'
import { measureValidation } from './validation.ts'

export interface OverheadOptions {
  /** Of each path. */
  readonly runs: number
  /** Lengths of conversations: even numbers above 6. */
  readonly lengths: readonly number[]
}

/** In ms. */
export interface OverheadResults extends OverheadOptions {
  readonly redis: string
  readonly requests: readonly Requests[]
  readonly validation: readonly { readonly messages: number; readonly whole: Spread; readonly step: Spread }[]
  readonly goals: readonly Goal[]
}

export async function benchOverhead(
  options: OverheadOptions,
  onProgress: (line: string) => void,
): Promise<OverheadResults> {
  const { runs, lengths } = options
  const dir = await mkdtemp(join(process.cwd(), '.bench-overhead-'))
  const closing: (() => Promise<unknown>)[] = [() => rm(dir, { recursive: true, force: true })]
  try {
    const server = await startRedis({ appendfsync: 'everysec', dir })
    closing.push(() => server.stop())
    const client = new Redis(server.url)
    closing.push(async () => client.disconnect())
    const stores = { memory: memoryStore(), file: fileStore({ dir: join(dir, 'files') }), Redis: redisStore(client) }
    const requests: Requests[] = []
    for (const messages of lengths) {
      requests.push(await measureRequests(messages, runs, stores))
      onProgress(`${messages} messages`)
    }
    const validation = lengths.map((messages) => {
      const all = measureValidation(messages, runs)
      const [whole, step] = [all.map((one) => one.whole), all.map((one) => one.step)]
      return { messages, whole: spreadOf(whole), step: spreadOf(step) }
    })
    return { ...options, redis: server.version, requests, validation, goals: goalsOf(requests) }
  } finally {
    for (const close of closing.reverse()) await close()
  }
}

/** In turns, so that other load on the machine affects all of them; the first fifth warms up. */
async function measureRequests(messages: number, runs: number, stores: Stores): Promise<Requests> {
  const measured = Object.fromEntries(paths.map((path) => [path, new Array<Measured>()])) as Record<Path, Measured[]>
  const warmUp = Math.ceil(runs / 5)
  for (let run = 0; run < warmUp + runs; run++) {
    for (const at of paths.keys()) {
      const path = paths[(run + at) % paths.length] as Path
      const one = await measureOne(path, messages, stores, `${messages}-${run}-${at}`)
      if (run >= warmUp) measured[path].push(one)
    }
  }
  const of = Object.fromEntries(
    Object.entries(measured).map(([path, all]) => {
      const spread = (what: keyof Measured) => spreadOf(all.map((one) => one[what]))
      const [firstWord, cpu, end] = [spread('firstWord'), spread('cpu'), spread('end')]
      return [path, { firstWord, cpu, event: spread('event'), eventCpu: spread('eventCpu'), end }]
    }),
  ) as Requests['of']
  return { messages, bytes: Buffer.byteLength(JSON.stringify(historyOf(messages))), of }
}

type Stores = Readonly<Record<StoreName, Store>>

async function measureOne(path: Path, messages: number, stores: Stores, id: string): Promise<Measured> {
  if (path === 'SDK') return measureAlone(messages)
  const [level, name] = path.split(', ') as [Level, StoreName]
  const store = stores[name]
  const session = await openSession(id, { store })
  const measured = await measureStep(session, level, messages)
  await session.close()
  // What was measured before must not weigh on what is measured next.
  await removeSession(store, id)
  return measured
}

export function overheadReport(results: OverheadResults, isMarkdown: boolean, at: Surroundings): string {
  const { runs, redis, requests, validation, goals } = results
  const ms = ({ p50, p99 }: Spread) => `${p50.toFixed(2)} / ${p99.toFixed(2)}`
  const us = ({ p50, p99 }: Spread) => `${(p50 * 1000).toFixed(1)} / ${(p99 * 1000).toFixed(0)}`
  return [
    formatTable(
      ['messages', 'request', '', 'first word, ms', 'processor, ms', 'each event, µs', 'processor, µs', 'end, ms'],
      requests.flatMap(({ messages, bytes, of }) =>
        paths.map((path) => {
          const { firstWord, cpu, event, eventCpu, end } = of[path]
          const size = path === 'SDK' ? [String(messages), `${Math.round(bytes / 1000)} KB`] : ['', '']
          return [...size, path, ms(firstWord), ms(cpu), us(event), us(eventCpu), ms(end)]
        }),
      ),
      isMarkdown,
    ),
    formatTable(
      ['messages', 'whole history, ms', 'one step more, µs'],
      validation.map(({ messages, whole, step }) => [String(messages), ms(whole), us(step)]),
      isMarkdown,
    ),
    goalsTable('ms', goals, (value) => value.toFixed(2), isMarkdown),
    `p50 / p99 of ${runs} runs; ${bytesPerStep / 1000} KB a step, ${streamEvents} events an answer; Redis ${redis}`,
    surroundingsLine(at),
  ].join('\n\n')
}
