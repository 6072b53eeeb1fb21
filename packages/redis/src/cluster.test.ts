import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { storeContract } from '@lastgood/core/testing'
import { Cluster } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { type RunningCluster, startCluster } from '../test/cluster.ts'
import { appendSome, collect, leaseOf, rejection } from '../test/fixture.ts'
import { redisStore } from './redis-store.ts'

let cluster: RunningCluster

beforeAll(async () => {
  cluster = await startCluster()
})

afterAll(() => cluster.stop())

function openStore(prefix = `test:${randomUUID()}`, options: ConstructorParameters<typeof Cluster>[1] = {}) {
  const redis = new Cluster(
    cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port })),
    options,
  )
  redis.on('error', () => undefined)
  onTestFinished(() => redis.disconnect())
  return { redis, prefix, store: redisStore(redis, { prefix }) }
}

describe('in a Cluster of three masters', () => {
  it.each(storeContract.map((one) => [one.name, one] as const))('%s', async (_, contractCase) => {
    const { redis, prefix, store } = openStore()
    const kept = contractCase.run({
      store,
      another: async () => openStore(prefix).store,
      elapse: async (sessionId, ms) => {
        await redis.hincrby(`${prefix}:{${sessionId}}:session`, 'expiresAt', -ms)
      },
      close: () => store.close(),
    })
    await expect(kept).resolves.toBeUndefined()
  })

  it('all keys of a session are in one slot, and sessions are spread over all masters', async () => {
    const { redis, prefix, store } = openStore()
    const ids = Array.from({ length: 60 }, (_, i) => `s-${i}`)
    await Promise.all(ids.map(async (id) => appendSome(store, await leaseOf(store, id), 0)))
    const perNode = await Promise.all(redis.nodes('master').map((node) => node.keys(`${prefix}:*`)))
    for (const keys of perNode) {
      const sessions = keys.filter((key) => key.endsWith(':session'))
      expect(sessions.length).toBeGreaterThan(0)
      for (const key of sessions) {
        expect(keys).toContain(key.replace(/session$/, 'journal'))
        const slots = await Promise.all(
          [key, key.replace(/session$/, 'journal')].map((one) => redis.cluster('KEYSLOT', one)),
        )
        expect(slots[0]).toBe(slots[1])
      }
    }
    expect(await collect(store.list())).toHaveLength(60)
  })

  it('a script flush on every master is survived', async () => {
    const { redis, store } = openStore()
    const lease = await leaseOf(store, 's')
    await Promise.all(redis.nodes('master').map((node) => node.script('FLUSH')))
    expect(await appendSome(store, lease, 0)).toBe(1)
  })

  it('a slot that is being moved takes appends as long as the session is where it was (P6)', async () => {
    const { redis, prefix, store } = openStore()
    const lease = await leaseOf(store, 's')
    await appendSome(store, lease, 0)
    const slot = await redis.cluster('KEYSLOT', `${prefix}:{s}:session`)
    const nodes = redis.nodes('master')
    const holds = await Promise.all(nodes.map((node) => node.exists(`${prefix}:{s}:session`).catch(() => 0)))
    const [from, to] = [nodes[holds.indexOf(1)], nodes[holds.indexOf(0)]]
    if (!from || !to) throw new Error('the session is nowhere')
    const [fromId, toId] = [await from.cluster('MYID'), await to.cluster('MYID')]
    await to.cluster('SETSLOT', slot, 'IMPORTING', fromId)
    await from.cluster('SETSLOT', slot, 'MIGRATING', toId)
    onTestFinished(
      async () => void (await Promise.all([from, to].map((one) => one.cluster('SETSLOT', slot, 'STABLE')))),
    )
    expect(await appendSome(store, lease, 1)).toBe(2)
  })

  it('a user with the rights of the README gets along', async () => {
    const rights = readFileSync(new URL('../README.md', import.meta.url), 'utf8').match(/\+[a-z|]+(?=[ `\n])/g) ?? []
    const admin = openStore().redis
    await admin.cluster('INFO')
    await Promise.all(
      admin.nodes('master').map((node) => node.acl('SETUSER', 'lastgood', 'on', '>pass', '~test:*', ...rights)),
    )
    const { store } = openStore(undefined, { redisOptions: { username: 'lastgood', password: 'pass' } })
    expect(await appendSome(store, await leaseOf(store, 's'), 0)).toBe(1)
    expect(await collect(store.list())).toHaveLength(1)
  })

  it('a client that reads from replicas is refused (they may not have yet what was acknowledged)', () => {
    expect(() => openStore(undefined, { scaleReads: 'slave' })).toThrowError(
      expect.objectContaining({ code: 'bad-option' }),
    )
  })

  it('nobody at the startup nodes is told with the first of them', async () => {
    const redis = new Cluster([{ host: '127.0.0.1', port: 1 }], { clusterRetryStrategy: () => null })
    redis.on('error', () => undefined)
    onTestFinished(() => redis.disconnect())
    expect(await rejection(redisStore(redis).summary('s'))).toMatchObject({
      code: 'store-unavailable',
      message: 'the store at redis://127.0.0.1:1 cannot answer: no connection',
    })
  })

  it('nobody there is told, too, where the client would try to connect for ever, until it does (P5)', async () => {
    const there = cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port }))
    const redis = new Cluster([{ host: '127.0.0.1', port: 1 }], {
      clusterRetryStrategy(this: { startupNodes: unknown }, times) {
        if (times > 60) this.startupNodes = there
        return 1
      },
    })
    redis.on('error', () => undefined)
    onTestFinished(() => redis.disconnect())
    const store = redisStore(redis)
    const isReady = new Promise<void>((resolve) => redis.once('ready', resolve))
    const told = { code: 'store-unavailable', message: 'the store at redis://127.0.0.1:1 cannot answer: no connection' }
    expect(await rejection(store.summary('s'))).toMatchObject(told)
    // At once, as long as nothing has changed.
    expect(await rejection(store.summary('s'))).toMatchObject(told)
    await isReady
    await expect(store.summary('s')).resolves.toBeUndefined()
  })
})
