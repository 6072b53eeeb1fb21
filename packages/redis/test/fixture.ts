// Clients, stores and journals for the tests of the Redis store. Every client of a test is closed after it, and every
// test has keys of its own.
import { randomUUID } from 'node:crypto'
import { headVersion, journalVersion, type Entry, type Head, type Lease, type Owner, type Store } from '@lastgood/core'
import { Redis, type RedisOptions } from 'ioredis'
import { onTestFinished } from 'vitest'
import { redisStore } from '../src/redis-store.ts'

type ClientOptions = Omit<RedisOptions, 'replyMapping'>

export function client(url: string, options: ClientOptions = {}): Redis {
  const redis = new Redis(url, options)
  // Tests that stop servers look at what the store throws, not at these events.
  redis.on('error', () => undefined)
  onTestFinished(() => redis.disconnect())
  return redis
}

export interface Opened {
  redis: Redis
  store: Store
  prefix: string
  key: (sessionId: string, part: 'session' | 'journal') => string
}

export function openStore(url: string, options: ClientOptions = {}): Opened {
  const redis = client(url, options)
  const prefix = `test:${randomUUID()}`
  return {
    redis,
    prefix,
    store: redisStore(redis, { prefix }),
    key: (sessionId, part) => `${prefix}:{${sessionId}}:${part}`,
  }
}

export function someOwner(): Owner {
  return { id: randomUUID(), host: 'host-a', realm: 'realm-a', pid: 4711 }
}

export async function leaseOf(store: Store, sessionId: string, owner = someOwner()): Promise<Lease> {
  const result = await store.acquire(sessionId, owner, 60_000)
  if (result.kind === 'busy') throw new Error(`${sessionId} is busy`)
  return result
}

/** `count` entries after `afterSeq`, each with `text` inside. */
export function someEntries(lease: Lease, afterSeq: number, count: number, text = 'hello'): Entry[] {
  return Array.from({ length: count }, (_, i) => ({
    v: journalVersion,
    seq: afterSeq + 1 + i,
    at: 1_700_000_000_000,
    fence: lease.fence,
    lane: 'main',
    type: 'turn-continued',
    messages: [{ role: 'user', content: [{ type: 'text', text }] }],
  }))
}

export function headAt(sessionId: string, seq: number): Head {
  return {
    v: headVersion,
    sessionId,
    seq,
    status: 'running',
    turn: 1,
    lastGoodTurn: 0,
    createdAt: 1_700_000_000_000,
    updatedAt: 1_700_000_000_000 + seq,
    machine: { version: '1', value: 'idle', context: {} },
  }
}

export function appendSome(store: Store, lease: Lease, afterSeq: number, count = 1, text = 'hello'): Promise<number> {
  return store.append(
    lease,
    afterSeq,
    someEntries(lease, afterSeq, count, text),
    headAt(lease.sessionId, afterSeq + count),
  )
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

/** What `work` was rejected with. */
export async function rejection(work: Promise<unknown>): Promise<unknown> {
  try {
    await work
  } catch (error) {
    return error
  }
  throw new Error('it was not rejected')
}

/** The commands on keys of `prefix` that clients sent while `work` ran, not those that scripts called. */
export async function commandsDuring(url: string, prefix: string, work: () => Promise<unknown>): Promise<string[]> {
  const observer = client(url)
  const monitor = await observer.monitor()
  const sent: string[] = []
  const marker = randomUUID()
  const all = new Promise<void>((resolve) => {
    monitor.on('monitor', (_time: string, args: string[], source: string) => {
      if (args[1] === marker) resolve()
      else if (source !== 'lua' && args.some((arg) => arg.startsWith(prefix))) sent.push(args[0]?.toLowerCase() ?? '')
    })
  })
  try {
    await work()
    await observer.echo(marker)
    await all
  } finally {
    monitor.disconnect()
  }
  return sent
}
