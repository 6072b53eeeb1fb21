/**
 * `bench startup`: how long a person waits for a command that does nothing, and for the list of a store with many
 * sessions, in files and on a Redis server of its own.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileStore } from '@lastgood/core/file'
import { redisStore } from '@lastgood/redis'
import { Redis } from 'ioredis'
import { startRedis } from '../../support/redis-server.ts'
import { formatTable, surroundingsLine, type Surroundings } from '../../support/report.ts'
import { goalsTable, type Goal } from '../goal.ts'
import { median } from '../spread.ts'
import { goalsOf, kinds, type Waited } from './goals.ts'
import { lastgood, timeProcess } from './processes.ts'
import { writeSessions } from './sessions.ts'

export interface StartupOptions {
  /** Processes of each kind. */
  readonly runs: number
  readonly sessions: number
}

export interface StartupResults extends StartupOptions {
  readonly waited: readonly Waited[]
  readonly goals: readonly Goal[]
}

export async function benchStartup(
  options: StartupOptions,
  onProgress: (line: string) => void,
): Promise<StartupResults> {
  const { runs, sessions } = options
  const dir = await mkdtemp(join(process.cwd(), '.bench-startup-'))
  const closing: (() => Promise<unknown>)[] = [() => rm(dir, { recursive: true, force: true })]
  try {
    const files = join(dir, 'files')
    await writeSessions(fileStore({ dir: files }), sessions)
    onProgress(`${sessions} sessions on files`)
    const server = await startRedis({ dir })
    closing.push(() => server.stop())
    const client = new Redis(server.url)
    closing.push(async () => client.disconnect())
    await writeSessions(redisStore(client), sessions)
    onProgress(`${sessions} sessions in Redis`)
    const list = (store: string) => [lastgood, 'list', '--all', '--store', store]
    const asked: [string, readonly string[]][] = [
      [kinds.node, ['-e', '0']],
      [kinds.version, [lastgood, '--version']],
      [kinds.help, [lastgood, '--help']],
      [kinds.empty, list(join(dir, 'none'))],
      [kinds.file, list(files)],
      [kinds.redis, list(server.url)],
    ]
    const waited = await measure(asked, runs, dir, onProgress)
    return { ...options, waited, goals: goalsOf(waited) }
  } finally {
    for (const close of closing.reverse()) await close()
  }
}

/** In turns, so that other load on the machine affects all of them. */
async function measure(
  asked: readonly (readonly [string, readonly string[]])[],
  runs: number,
  dir: string,
  onProgress: (line: string) => void,
): Promise<Waited[]> {
  const times = asked.map(() => new Array<number>())
  const lines = asked.map(() => 0)
  for (let run = 0; run < runs; run += 1) {
    for (const [at, [, argv]] of asked.entries()) {
      const timed = await timeProcess(argv, dir)
      times[at]?.push(timed.ms)
      lines[at] = timed.lines
    }
    onProgress(`round ${run + 1} of ${runs}`)
  }
  return asked.map(([what], at) => {
    const all = times[at] ?? []
    return { what, p50: median(all), least: Math.min(...all), lines: lines[at] ?? 0 }
  })
}

export function startupReport(
  { waited, goals, sessions }: StartupResults,
  isMarkdown: boolean,
  at: Surroundings,
): string {
  const ms = (value: number) => value.toFixed(0)
  const rows = waited.map(({ what, p50, least, lines }) => [what, ms(p50), ms(least), String(lines)])
  return [
    `${sessions} sessions`,
    formatTable(['waited, ms', 'p50', 'least', 'lines'], rows, isMarkdown),
    goalsTable('ms', goals, ms, isMarkdown),
    surroundingsLine(at),
  ].join('\n\n')
}
