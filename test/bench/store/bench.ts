/**
 * `bench store`: what a checkpoint costs, also far into a session, what it stores, and how fast a session is opened,
 * each against the floor of its medium. It uses its own Redis servers, and a folder in the current one, on a disk.
 */
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { compressed } from '@lastgood/core/at-rest'
import { fileStore } from '@lastgood/core/file'
import { redisStore } from '@lastgood/redis'
import { Redis } from 'ioredis'
import { startRedis } from '../../support/redis-server.ts'
import {
  measureAtOnce,
  measureCheckpoints,
  measureProcessor,
  type AtOnce,
  type Checkpoints,
  type Processor,
} from './checkpoints.ts'
import { fileMedium, redisMedium, type Medium } from './contenders.ts'
import { goalsOf, type Beside, type StoreResults } from './goals.ts'
import { measureGrowth, writeSession, type Growth, type Stored } from './growth.ts'
import { measureOpening, type Opening, type Subject } from './opening.ts'
import { usualHead } from './workload.ts'

export interface StoreBenchOptions {
  /** Measured checkpoints of each contender. */
  readonly checkpoints: number
  /** Steps of the longest session. */
  readonly longest: number
  /** Pairs of processes that open a session; rounds of sessions at once. */
  readonly runs: number
  /** Keys of others on the same Redis, beside which a session is opened. */
  readonly otherKeys: number
}

export async function benchStore(options: StoreBenchOptions, onProgress: (line: string) => void) {
  const dir = await mkdtemp(join(process.cwd(), '.bench-store-'))
  const closing: (() => Promise<unknown>)[] = [() => rm(dir, { recursive: true, force: true })]
  try {
    const head = await usualHead()
    const media = [await fileSetup(dir, head)]
    for (const fsync of ['everysec', 'always'] as const) media.push(await redisSetup(fsync, head, closing))
    const results = await measure(media, options, onProgress)
    return { options, redis: media.at(-1)?.version ?? '', ...results, goals: goalsOf(results) }
  } finally {
    for (const close of closing.reverse()) await close()
  }
}

interface Setup {
  readonly medium: Medium
  /** The same, with what is stored compressed. */
  readonly compressing: Medium
  readonly version?: string
  /** Bytes stored so far for this session, or for all of them. */
  readonly bytesIn: (id: string) => Promise<number>
  readonly floorArguments: (id: string) => readonly string[]
  readonly openArguments: (id: string) => readonly string[]
  /** Makes `keys` keys of others; undefined for a medium without others. */
  readonly crowd?: (keys: number) => Promise<unknown>
}

type Head = Awaited<ReturnType<typeof usualHead>>

async function fileSetup(dir: string, head: Head): Promise<Setup> {
  const store = fileStore({ dir })
  return {
    medium: fileMedium(dir, store, head),
    compressing: { ...fileMedium(dir, compressed(store), head), name: 'file, compressed' },
    bytesIn: async (id) => (await stat(store.journalAt(id))).size,
    floorArguments: (id) => ['floor', store.journalAt(id)],
    openArguments: (id) => ['file', dir, id],
  }
}

async function redisSetup(
  appendfsync: 'everysec' | 'always',
  head: Head,
  closing: (() => Promise<unknown>)[],
): Promise<Setup> {
  // On the same disk as the files, and without a rewrite of the log while something is measured.
  const dir = await mkdtemp(join(process.cwd(), '.bench-redis-'))
  closing.push(() => rm(dir, { recursive: true, force: true }))
  const server = await startRedis({ appendfsync, dir, args: ['--auto-aof-rewrite-percentage', '0'] })
  closing.push(() => server.stop())
  const client = new Redis(server.url)
  closing.push(() => client.quit())
  const store = redisStore(client)
  const name = `redis ${appendfsync}`
  return {
    medium: redisMedium(name, client, store, head, server.pid),
    compressing: redisMedium(`${name}, compressed`, client, compressed(store), head, server.pid),
    version: server.version,
    bytesIn: async () => Number(/aof_current_size:(\d+)/.exec(await client.info('persistence'))?.[1]),
    floorArguments: (id) => ['floor-redis', server.url, `lastgood:{${id}}:journal`],
    openArguments: (id) => ['redis', server.url, id],
    crowd: (keys) => client.eval(crowdScript, 0, keys),
  }
}

const crowdScript = `for i = 1, ARGV[1] do redis.call('SET', 'other:' .. i, i) end`

async function measure(
  media: readonly Setup[],
  { checkpoints: count, longest, runs, otherKeys }: StoreBenchOptions,
  tell: (line: string) => void,
): Promise<StoreResults> {
  const checkpoints: Checkpoints[] = []
  const processor: Processor[] = []
  const growth: Growth[] = []
  const stored: Stored[] = []
  const shrunk: Stored[] = []
  const opening: Opening[] = []
  const beside: Beside[] = []
  const atOnce: AtOnce[] = []
  for (const { medium } of media) {
    checkpoints.push(await measureCheckpoints(medium, count))
    processor.push(await measureProcessor(medium, count, runs))
    tell(`${medium.name}: checkpoints`)
  }
  for (const { medium } of media) {
    for (const sessions of [1, 32]) {
      atOnce.push(await measureAtOnce(medium, sessions, Math.ceil(count / sessions / 2), runs + 2))
    }
    tell(`${medium.name}: sessions at once`)
  }
  // With either kind of durability the same is written and read.
  for (const setup of media.slice(0, 2)) {
    const { medium } = setup
    for (const role of ['append', 'record'] as const) {
      growth.push(await measureGrowth(medium, role, [longest / 10, longest], Math.min(300, longest / 10)))
      tell(`${medium.name}: ${role}, deep in a session`)
    }
    const subjects: Subject[] = []
    for (const { id, what, steps, size } of sessionsToOpen(longest)) {
      const one = await writeSession(medium, 'record', id, steps, setup.bytesIn, size)
      if (id === 'shorter') {
        stored.push(one)
        shrunk.push(await writeSession(setup.compressing, 'record', 'compressed', steps, setup.bytesIn))
      }
      const [floor, open] = [setup.floorArguments(id), setup.openArguments(id)]
      const subject = { medium: medium.name, what, bytes: one.stored, floor, open }
      subjects.push(subject)
      opening.push(await measureOpening(subject, runs))
      tell(`${medium.name}: opening ${what}`)
    }
    const [shorter] = subjects
    if (!setup.crowd || !shorter) continue
    const alone = await measureOpening(shorter, runs)
    await setup.crowd(otherKeys)
    beside.push({ keys: otherKeys, alone, beside: await measureOpening(shorter, runs) })
    tell(`${medium.name}: opening ${shorter.what} beside ${otherKeys} other keys`)
  }
  return { checkpoints, processor, growth, stored, shrunk, opening, beside, atOnce }
}

function sessionsToOpen(longest: number) {
  return [
    { id: 'shorter', what: `${longest / 10} steps`, steps: longest / 10, size: 'usual' },
    { id: 'longer', what: `${longest} steps`, steps: longest, size: 'usual' },
    { id: 'small', what: `${longest * 10} small entries`, steps: longest * 2.5, size: 'small' },
  ] as const
}
