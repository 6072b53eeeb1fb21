/** What sessions cost a Redis server: memory, log, and processor time for each command. */
import { openSession, type Lease, type Store } from '@lastgood/core'
import { compressed } from '@lastgood/core/at-rest'
import { redisStore } from '@lastgood/redis'
import { Redis } from 'ioredis'
import { startRedis } from '../../support/redis-server.ts'
import { startOf, stepOf } from './steps.ts'

export const forms = ['as it is', 'compressed'] as const

export interface Kept {
  readonly form: (typeof forms)[number]
  readonly steps: number
  /** Bytes per session: in the server's memory, and in its append-only file. */
  readonly memory: number
  readonly log: number
  /** Bytes of the steps' JSON. */
  readonly content: number
}

export interface Served {
  readonly command: string
  /** Processor time per command of the server and of the client, in µs. */
  readonly server: number
  readonly client: number
}

const atOnce = 32

/** What `sessions` sessions of `steps` steps take. */
export async function measureKept(form: Kept['form'], sessions: number, steps: number): Promise<Kept> {
  const server = await startRedis({ appendfsync: 'everysec', args: ['--auto-aof-rewrite-percentage', '0'] })
  const client = new Redis(server.url)
  try {
    const plain = redisStore(client)
    const store = form === 'compressed' ? compressed(plain) : plain
    // What the server allocates once belongs to no session.
    await writeSession(store, 'first', 1)
    const before = await usedBy(client)
    await inTurns(sessions, (at) => writeSession(store, `session-${at}`, steps))
    const after = await usedBy(client)
    const content = Array.from({ length: steps }, (_, at) => Buffer.byteLength(JSON.stringify(stepOf(at))))
    return {
      form,
      steps,
      memory: (after.memory - before.memory) / sessions,
      log: (after.log - before.log) / sessions,
      content: content.reduce((sum, one) => sum + one, 0),
    }
  } finally {
    client.disconnect()
    await server.stop()
  }
}

async function writeSession(store: Store, id: string, steps: number): Promise<void> {
  const session = await openSession(id, { store, cwd: '/home/ann/project' })
  await session.record(startOf())
  for (let at = 0; at < steps; at += 1) await session.record(stepOf(at))
  await session.close()
}

async function usedBy(client: Redis): Promise<{ memory: number; log: number }> {
  const numberIn = (text: string, name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(text)?.[1])
  const [memory, persistence] = [await client.info('memory'), await client.info('persistence')]
  return { memory: numberIn(memory, 'used_memory'), log: numberIn(persistence, 'aof_current_size') }
}

/** What one command takes of the server's one processor. */
export async function measureServed(count: number): Promise<Served[]> {
  const server = await startRedis({ appendfsync: 'everysec', args: ['--auto-aof-rewrite-percentage', '0'] })
  const client = new Redis(server.url)
  try {
    const store = redisStore(client)
    const sessions = await Promise.all(
      Array.from({ length: atOnce }, (_, at) => openSession(`session-${at}`, { store, leaseMs: 3_600_000 })),
    )
    for (const session of sessions) await session.record(startOf())
    const leases = await Promise.all(
      Array.from({ length: atOnce }, (_, at) => store.acquire(`lease-${at}`, session(at).owner, 3_600_000)),
    )
    function session(at: number) {
      return sessions[at % atOnce] as (typeof sessions)[number]
    }
    const asked: [string, (at: number) => Promise<unknown>][] = [
      ['checkpoint of a step', (at) => session(at).record(stepOf(at))],
      ['lease renewed', (at) => store.renew(leases[at % atOnce] as Lease, 3_600_000)],
      ['look at a head', (at) => store.summary(`session-${at % atOnce}`)],
      ['lease taken and given back', (at) => takeAndGive(store, `other-${at % 1000}`, session(at).owner)],
    ]
    const served: Served[] = []
    for (const [command, ask] of asked) {
      // A warm-up, so that the JIT compiler is done before anything counts.
      await inTurns(Math.ceil(count / 5), ask)
      const [before, cpu] = [await processorOf(client), process.cpuUsage()]
      await inTurns(count, ask)
      const { user, system } = process.cpuUsage(cpu)
      served.push({
        command,
        server: ((await processorOf(client)) - before) / count,
        client: (user + system) / count,
      })
    }
    for (const one of sessions) await one.close()
    return served
  } finally {
    client.disconnect()
    await server.stop()
  }
}

async function takeAndGive(store: Store, id: string, owner: Lease['owner']): Promise<void> {
  const lease = await store.acquire(id, owner, 60_000)
  if (lease.kind === 'lease') await store.release(lease)
}

/** In µs. */
async function processorOf(client: Redis): Promise<number> {
  const text = await client.info('cpu')
  const secondsOf = (name: string) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(text)?.[1])
  return (secondsOf('used_cpu_user') + secondsOf('used_cpu_sys')) * 1_000_000
}

/** Several at once, as in a worker with many sessions. */
async function inTurns(count: number, job: (at: number) => Promise<unknown>): Promise<void> {
  let next = 0
  const one = async () => {
    for (let at = next++; at < count; at = next++) await job(at)
  }
  await Promise.all(Array.from({ length: atOnce }, one))
}
