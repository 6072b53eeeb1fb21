/**
 * `bench fleet --outage`: an outage for real workers, and for as many sessions that share nothing. The API is the lab
 * behind a provider that takes a fifth more than the usual rate and refuses what exceeds it, so that a herd hurts it.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { fleetClient } from '@lastgood/fleet'
import { createLab, reply, text, toolUse } from '@lastgood/outage-lab'
import { redisStore } from '@lastgood/redis'
import { Redis } from 'ioredis'
import { startRedis } from '../../support/redis-server.ts'
import { startNode } from '../gateway/child.ts'
import { formatTable, type Surroundings, surroundingsLine } from '../../support/report.ts'
import { Provider } from './provider.ts'
import { Traffic } from './traffic.ts'

export interface ComebackOptions {
  readonly sessions: number
  readonly workers: number
  /** Until the outage: the fleet learns its usual rate from whole minutes. */
  readonly warmMs: number
  readonly outageMs: number
  readonly afterMs: number
}

export const contenders = ['fleet', 'back-off to 60 s'] as const
export type ContenderName = (typeof contenders)[number]

/** A request, in ms since the start; `answeredAt` is when its answer began, undefined for a refusal. */
export interface Asked {
  readonly session: string
  readonly at: number
  readonly answeredAt: number | undefined
}

export interface Comeback {
  readonly contender: ContenderName
  /** Requests a second in the last minute before the outage, or in as much of it as there was. */
  readonly usual: number
  /** From the end of the outage until this many sessions had an answer, ms; undefined if fewer had. */
  readonly first: number | undefined
  readonly half: number | undefined
  readonly most: number | undefined
  readonly all: number | undefined
  /** The busiest second and ten seconds from the end of the outage on, relative to the usual rate. */
  readonly peak1s: number
  readonly peak10s: number
  readonly refused: number
  readonly refusedAfter: number
}

/** A step: the tool takes 1 to 3 s, the request hardly any time. */
const meanStepMs = 2000

export interface ComebackResults {
  readonly options: ComebackOptions
  readonly comebacks: readonly Comeback[]
}

export async function benchComeback(
  options: ComebackOptions,
  onProgress: (line: string) => void,
): Promise<ComebackResults> {
  const comebacks: Comeback[] = []
  for (const contender of contenders) {
    const asked = await play(contender, options)
    comebacks.push(comebackOf(contender, asked, options))
    onProgress(`${contender}: ${asked.length} requests`)
  }
  return { options, comebacks }
}

/** The measures of a run. */
export function comebackOf(
  contender: ContenderName,
  asked: readonly Asked[],
  { sessions, warmMs, outageMs, afterMs }: ComebackOptions,
): Comeback {
  const end = warmMs + outageMs
  const traffic = new Traffic(end + afterMs + 1000)
  for (const { at } of asked) traffic.add(at)
  const back = new Map<string, number>()
  for (const { session, answeredAt } of asked) {
    if (answeredAt !== undefined && answeredAt >= end && !back.has(session)) back.set(session, answeredAt - end)
  }
  const times = [...back.values()].sort((a, b) => a - b)
  const when = (count: number) => times[Math.max(0, Math.ceil(count) - 1)]
  const refused = asked.filter(({ answeredAt }) => answeredAt === undefined)
  const usual = traffic.mean(Math.max(0, warmMs - 60_000), warmMs)
  return {
    contender,
    usual,
    first: when(1),
    half: when(sessions / 2),
    most: when(sessions * 0.99),
    all: when(sessions),
    peak1s: traffic.peak(end, 1000) / usual,
    peak10s: traffic.peak(end, 10_000) / usual,
    refused: refused.length,
    refusedAfter: refused.filter(({ at }) => at >= end).length,
  }
}

async function play(contender: ContenderName, options: ComebackOptions): Promise<Asked[]> {
  const { sessions, workers, warmMs, outageMs, afterMs } = options
  const closing: (() => unknown)[] = []
  try {
    const asked: Asked[] = []
    const api = await startApi(asked, options)
    closing.push(() => api.close())
    const program = (name: string) => fileURLToPath(new URL(name, import.meta.url))
    const perWorker = Math.ceil(sessions / workers)
    if (contender === 'fleet') {
      const redis = await startRedis({ appendfsync: 'everysec' })
      closing.push(() => redis.stop())
      const connection = new Redis(redis.url)
      closing.push(() => connection.disconnect())
      const client = fleetClient({ store: redisStore(connection), connection })
      closing.push(() => client.close())
      for (let at = 0; at < sessions; at++) {
        await client.submit(`s-${at}`, `Session s-${at}: go on.`, { agent: 'stepper', priority: 'batch' })
      }
      for (let at = 0; at < workers; at++) {
        const args = [program('comeback-worker.js'), redis.url, api.url, String(perWorker + 1)]
        const worker = startNode({ args })
        closing.push(() => worker.process.kill('SIGKILL'))
      }
    } else {
      for (let at = 0; at < workers; at++) {
        const range = [at * perWorker, Math.min(sessions, (at + 1) * perWorker)].map(String)
        const alone = startNode({ args: [program('comeback-alone.js'), api.url, ...range] })
        closing.push(() => alone.process.kill('SIGKILL'))
      }
    }
    await new Promise((resolve) => setTimeout(resolve, warmMs + outageMs + afterMs))
    return asked
  } finally {
    for (const close of closing.reverse()) await close()
  }
}

async function startApi(asked: Asked[], { sessions, warmMs, outageMs }: ComebackOptions) {
  const lab = createLab({
    model: ({ messages }) => reply([text('Next.'), toolUse('wait', { n: messages.length })]),
    toolIds: 'fresh',
  })
  const capacity = ((sessions * 1000) / meanStepMs) * 1.2
  const outage = { from: warmMs, to: warmMs + outageMs, failing: 1, recovering: undefined }
  const provider = new Provider(capacity, outage, Math.random)
  const startedAt = performance.now()
  const server = createServer((request, response) => void answer(request, response))
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece as Buffer)
    const body = Buffer.concat(pieces)
    const session = /Session (s-\d+)/.exec(body.toString('latin1'))?.[1] ?? ''
    const at = performance.now() - startedAt
    if (!provider.takes(at)) {
      asked.push({ session, at, answeredAt: undefined })
      response.writeHead(529, { 'content-type': 'application/json' })
      response.end('{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}')
      return
    }
    const headers = new Headers(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
    const answered = await lab.fetch(`http://outage-lab.test${request.url ?? ''}`, { method: 'POST', headers, body })
    asked.push({ session, at, answeredAt: performance.now() - startedAt })
    response.writeHead(answered.status, [...answered.headers].flat())
    for await (const piece of answered.body ?? []) response.write(piece)
    response.end()
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      server.close()
      server.closeAllConnections()
      await lab.close()
    },
  }
}

export function comebackReport({ options, comebacks }: ComebackResults, isMarkdown: boolean, at: Surroundings): string {
  const seconds = (ms: number | undefined) => (ms === undefined ? '-' : `${(ms / 1000).toFixed(1)} s`)
  const { sessions, workers, outageMs } = options
  return [
    formatTable(
      ['sessions', 'usual', 'first', 'half back', '99 %', 'all', 'peak 1 s', '10 s', 'refused', 'refused after'],
      comebacks.map((one) => [
        one.contender,
        `${one.usual.toFixed(0)}/s`,
        ...[one.first, one.half, one.most, one.all].map(seconds),
        `${one.peak1s.toFixed(2)}x`,
        `${one.peak10s.toFixed(2)}x`,
        String(one.refused),
        String(one.refusedAfter),
      ]),
      isMarkdown,
    ),
    `${sessions} sessions on ${workers} processes, an outage of ${outageMs / 1000} s`,
    surroundingsLine(at),
  ].join('\n\n')
}
