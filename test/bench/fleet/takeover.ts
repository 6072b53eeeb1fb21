/**
 * `bench fleet`: from the death of a worker until another one continues its sessions. The worker that is killed and the
 * one that takes over are real processes; the API holds every request, and notes when each session asks again.
 */
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { fleetClient } from '@lastgood/fleet'
import { redisStore } from '@lastgood/redis'
import { Redis } from 'ioredis'
import { startRedis } from '../../support/redis-server.ts'
import { startNode } from '../gateway/child.ts'
import { median, quantile } from '../spread.ts'
import { formatTable, type Surroundings, surroundingsLine } from '../../support/report.ts'

/** In ms since the kill. */
export interface TakenOver {
  readonly sessions: number
  readonly first: number
  readonly half: number
  readonly most: number
  readonly all: number
}

export interface TakeoverResults {
  readonly takenOver: readonly TakenOver[]
}

export async function benchTakeover(
  counts: readonly number[],
  onProgress: (line: string) => void,
): Promise<TakeoverResults> {
  const takenOver: TakenOver[] = []
  for (const sessions of counts) {
    takenOver.push(await takeOver(sessions))
    onProgress(`${sessions} sessions of a dead worker`)
  }
  return { takenOver }
}

/** An API that never answers, and counts the requests of each session. */
async function holdingApi() {
  const asked = new Map<string, number[]>()
  const held: ServerResponse[] = []
  let heard = () => {}
  const server = createServer((request, response) => {
    held.push(response)
    const session = String(request.headers['x-session'])
    asked.set(session, [...(asked.get(session) ?? []), performance.now()])
    request.resume()
    heard()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    /** Resolves when `sessions` sessions have each asked `times` times. */
    async untilAsked(sessions: number, times: number): Promise<number[]> {
      const those = () => [...asked.values()].flatMap((at) => at[times - 1] ?? [])
      while (those().length < sessions) await new Promise<void>((resolve) => (heard = resolve))
      return those()
    },
    close() {
      for (const response of held) response.destroy()
      server.close()
    },
  }
}

async function takeOver(sessions: number): Promise<TakenOver> {
  const closing: (() => unknown)[] = []
  try {
    const redis = await startRedis()
    closing.push(() => redis.stop())
    const api = await holdingApi()
    closing.push(() => api.close())
    const connection = new Redis(redis.url)
    closing.push(() => connection.disconnect())
    const client = fleetClient({ store: redisStore(connection), connection })
    closing.push(() => client.close())
    const ids = Array.from({ length: sessions }, (_, at) => `session-${at}`)
    for (const id of ids) await client.submit(id, `Work on ${id}.`, { agent: 'asker', priority: 'batch' })

    const program = fileURLToPath(new URL('takeover-worker.js', import.meta.url))
    const start = () => {
      const worker = startNode({ args: [program, redis.url, api.url, String(sessions)] })
      closing.push(() => worker.stop())
      return worker
    }
    const dying = start()
    await api.untilAsked(sessions, 1)
    start()
    // By then it has looked for work, and found none.
    await new Promise((resolve) => setTimeout(resolve, 3_000))
    const killedAt = performance.now()
    dying.process.kill('SIGKILL')
    const again = (await api.untilAsked(sessions, 2)).map((at) => at - killedAt).sort((a, b) => a - b)
    return {
      sessions,
      first: again[0] ?? NaN,
      half: median(again),
      most: quantile(again, 0.99) ?? NaN,
      all: again.at(-1) ?? NaN,
    }
  } finally {
    for (const close of closing.reverse()) await close()
  }
}

export function takeoverReport({ takenOver }: TakeoverResults, isMarkdown: boolean, at: Surroundings): string {
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
  return [
    formatTable(
      ['sessions of a worker that was killed', 'the first asks again', 'half', '99 %', 'all'],
      takenOver.map(({ sessions, first, half, most, all }) => [
        String(sessions),
        ...[first, half, most, all].map(seconds),
      ]),
      isMarkdown,
    ),
    surroundingsLine(at),
  ].join('\n\n')
}
