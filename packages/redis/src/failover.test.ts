// A Cluster of three masters with a replica each, one after the other taken away. The tests share it, in their order.
import { randomUUID } from 'node:crypto'
import type { Lease, Store } from '@lastgood/core'
import { isLastgoodError, openSession } from '@lastgood/core'
import { Cluster, type Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { RunningRedis } from '../../../test/support/redis-server.ts'
import { type RunningCluster, startCluster } from '../test/cluster.ts'
import { appendSome, client, collect, leaseOf, rejection } from '../test/fixture.ts'
import { redisStore } from './redis-store.ts'

const patient = { timeout: 25_000 }

let cluster: RunningCluster

beforeAll(async () => {
  cluster = await startCluster({ replicas: true })
})

afterAll(() => cluster.stop())

function open(prefix = `test:${randomUUID()}`, options: ConstructorParameters<typeof Cluster>[1] = {}) {
  const nodes = [...cluster.nodes, ...cluster.replicas].map(({ port }) => ({ host: '127.0.0.1', port }))
  const redis = new Cluster(nodes, options)
  redis.on('error', () => undefined)
  onTestFinished(() => redis.disconnect())
  return { redis, prefix, store: redisStore(redis, { prefix }) }
}

/** An id of a session that master `i` keeps. */
async function sessionOn(redis: Cluster, prefix: string, i: number, name = 's'): Promise<string> {
  for (let n = 0; ; n++) {
    const slot = await redis.cluster('KEYSLOT', `${prefix}:{${name}-${n}}:session`)
    if (Math.floor((slot * 3) / 16_384) === i) return `${name}-${n}`
  }
}

const at = (nodes: RunningRedis[], i: number): RunningRedis => nodes[i] as RunningRedis
const portsOf = (redis: Cluster) => redis.nodes('master').map(({ options }) => options.port)

/** Appends one entry after the other, again while the store cannot answer, as a session does. */
function startWriter(store: Store, lease: Lease, afterSeq = 0) {
  const writer = { acknowledged: afterSeq, stopped: false, done: Promise.resolve() }
  onTestFinished(() => void (writer.stopped = true))
  writer.done = (async () => {
    while (!writer.stopped) {
      try {
        writer.acknowledged = await appendSome(store, lease, writer.acknowledged)
      } catch (error) {
        if (!isLastgoodError(error, 'store-unavailable')) throw error
        // A session backs off; here it is enough that others get their turn.
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
  })()
  return writer
}

describe('in a Cluster whose masters have replicas', { timeout: 60_000 }, () => {
  it('findings are of every master, and what they have in common is said once', async () => {
    const { redis } = open()
    await client(at(cluster.nodes, 1).url).config('SET', 'appendfsync', 'everysec')
    const findings = await redisStore(redis).findings()
    await client(at(cluster.nodes, 1).url).config('SET', 'appendfsync', 'always')
    const nodes = cluster.nodes.map(({ port }) => `127.0.0.1:${port}`)
    const [ofOne, ofAll] = [
      findings.find(({ what }) => what.includes('appendfsync')),
      findings.find(({ what }) => what.includes('min-replicas-to-write')),
    ]
    expect(ofOne).toMatchObject({
      what: `${nodes[1]}: appendfsync everysec`,
      mend: `redis-cli -u redis://${nodes[1]}/0 CONFIG SET appendfsync always`,
    })
    for (const node of nodes) expect(ofAll?.what).toContain(node)
    expect(ofAll?.mend).toMatch(/^redis-cli --cluster call 127\.0\.0\.1:\d+ CONFIG SET min-replicas-to-write 1$/)
  })

  it('findings name the one master whose user lacks a right', async () => {
    for (const { url } of [...cluster.nodes, ...cluster.replicas])
      await client(url).acl('SETUSER', 'few', 'on', '>pass', '~*', '+@all')
    await client(at(cluster.nodes, 0).url).acl('SETUSER', 'few', '-hset', '-rpush')
    const { store } = open(undefined, { redisOptions: { username: 'few', password: 'pass' } })
    const { port } = at(cluster.nodes, 0)
    expect((await store.findings()).filter(({ severity }) => severity === 'danger')).toMatchObject([
      {
        what: `127.0.0.1:${port}: the user few lacks rights of the store: +hset +rpush`,
        mend: `redis-cli -u redis://127.0.0.1:${port}/0 ACL SETUSER few +hset +rpush`,
      },
    ])
  })

  it('P1: sessions that write while a master is killed go on at the promoted replica, and what was waited for is there', async () => {
    const { redis, prefix, store } = open()
    const ids = await Promise.all([0, 1, 2].map((i) => sessionOn(redis, prefix, i)))
    const leases = await Promise.all(ids.map((id) => leaseOf(store, id)))
    // Replication is asynchronous: only what a replica has confirmed is sure to be there after the kill.
    const master = nodeOf(redis, at(cluster.nodes, 0))
    const marked = await appendSome(store, leases[0] as Lease, 0, 50)
    expect(await master.wait(1, 5000)).toBe(1)

    const writers = leases.map((lease, i) => startWriter(store, lease, i === 0 ? marked : 0))
    await expect.poll(() => Math.min(...writers.map(({ acknowledged }) => acknowledged)), patient).toBeGreaterThan(60)
    await at(cluster.nodes, 0).kill('SIGKILL')
    const before = writers.map(({ acknowledged }) => acknowledged)
    let told: unknown
    const first = writers[0]?.done.catch((error: unknown) => void (told = error))
    // The one of the lost master goes on or, where the replica lacks its last entries, is told.
    const isClear = () => told !== undefined || (writers[0]?.acknowledged ?? 0) > (before[0] ?? 0) + 5
    await expect.poll(isClear, patient).toBe(true)
    if (told !== undefined) expect(told).toMatchObject({ code: 'journal-conflict' })
    await expect.poll(() => portsOf(redis), patient).toContain(at(cluster.replicas, 0).port)
    for (const writer of writers) writer.stopped = true
    await Promise.all([first, ...writers.slice(1).map(({ done }) => done)])

    for (const [i, id] of ids.entries()) {
      const seqs = (await collect(store.read(id))).map(({ seq }) => seq)
      expect(seqs).toEqual(Array.from({ length: seqs.length }, (_, n) => n + 1))
      const sure = i === 0 && told !== undefined ? marked : writers[i]?.acknowledged
      expect(seqs.length).toBeGreaterThanOrEqual(sure ?? 0)
    }
    // The sessions of the other masters had to wait for the promotion at most.
    for (const i of [1, 2]) expect(writers[i]?.acknowledged).toBeGreaterThan(before[i] ?? 0)
  })

  it('P1: a replica that was promoted without the last entries gets them again from a session, and tells any other writer', async () => {
    const { redis, prefix, store } = open()
    const [master, replica] = [at(cluster.nodes, 1), at(cluster.replicas, 1)]
    const id = await sessionOn(redis, prefix, 1)
    const lease = await leaseOf(store, id)
    await appendSome(store, lease, 0, 3)
    const session = await openSession(await sessionOn(redis, prefix, 1, 'session'), { store, storePatienceMs: 25_000 })
    onTestFinished(() => session.close())
    const backfilled: unknown[] = []
    session.subscribe((event) => void (event.type === 'backfilled' && backfilled.push(event)))
    await session.startTurn([{ role: 'user', content: 'Hello' }])
    expect(await nodeOf(redis, master).wait(1, 5000)).toBe(1)
    await cutOff(replica, master)

    // Acknowledged by the master alone.
    expect(await appendSome(store, lease, 3, 2)).toBe(5)
    const [sent] = await session.record([{ type: 'request-sent', model: 'm', attempt: 1 }])
    await master.kill('SIGKILL')

    // Until the replica is promoted, the store cannot answer.
    const tell = () => rejection(appendSome(store, lease, 5))
    await expect.poll(tell, patient).toMatchObject({
      code: 'journal-conflict',
      message: expect.stringContaining('the journal ends at entry 3'),
      hint: expect.stringContaining('lost'),
    })
    expect(portsOf(redis)).toContain(replica.port)
    expect((await collect(store.read(id))).map(({ seq }) => seq)).toEqual([1, 2, 3])
    // Somebody who opens it now goes on from what the head and the journal agree on.
    expect((await store.summary(id))?.head.seq).toBe(3)

    const [suspended] = await session.record([{ type: 'session-suspended', reason: 'interrupted', detail: 'a test' }])
    expect(backfilled).toEqual([{ type: 'backfilled', entries: 1 }])
    expect((await collect(store.read(session.id))).slice(-2)).toEqual([sent, suspended])
  })

  it('P1: a master that froze, was replaced and wakes up: its writer goes on without loss, or is told', async () => {
    const { redis, prefix, store } = open(undefined, { redisOptions: { commandTimeout: 500 } })
    const [master, replica] = [at(cluster.nodes, 2), at(cluster.replicas, 2)]
    const id = await sessionOn(redis, prefix, 2)
    const writer = startWriter(store, await leaseOf(store, id))
    let told: unknown
    const ended = writer.done.catch((error: unknown) => void (told = error))
    await expect.poll(() => writer.acknowledged, patient).toBeGreaterThan(20)
    await master.kill('SIGSTOP')
    const promoted = client(replica.url)
    await expect.poll(() => promoted.info('replication'), patient).toContain('role:master')
    const before = writer.acknowledged
    // What the writer sent meanwhile is in the old master's socket, and the old master does not know yet that it is one.
    await master.kill('SIGCONT')
    const isClear = () => told !== undefined || writer.acknowledged > before + 20
    await expect.poll(isClear, patient).toBe(true)
    writer.stopped = true
    await ended
    const demoted = client(master.url)
    await expect.poll(() => demoted.info('replication'), patient).toContain('role:slave')

    const seqs = (await collect(store.read(id))).map(({ seq }) => seq)
    expect(seqs).toEqual(Array.from({ length: seqs.length }, (_, n) => n + 1))
    if (told === undefined) expect(seqs.length).toBeGreaterThanOrEqual(writer.acknowledged)
    else expect(told).toMatchObject({ code: 'journal-conflict', hint: expect.stringContaining('lost') })
  })

  it('P5: without a master for its slots the store says that the cluster is down, and goes on when it is back', async () => {
    const { redis, prefix, store } = open(undefined, { retryDelayOnClusterDown: 20 })
    const id = await sessionOn(redis, prefix, 2)
    const lease = await leaseOf(store, id)
    await appendSome(store, lease, 0, 2)
    const [master, replica] = [at(cluster.nodes, 2), at(cluster.replicas, 2)]
    await Promise.all([replica.kill('SIGKILL'), master.kill('SIGKILL')])
    const tell = () => rejection(appendSome(store, lease, 2))
    await expect.poll(tell, patient).toMatchObject({
      code: 'store-unavailable',
      message: expect.stringContaining('the cluster is moving or has lost nodes'),
      hint: expect.stringContaining('cluster nodes'),
    })
    const down = expect.objectContaining({ severity: 'danger', what: expect.stringContaining('cluster_state fail') })
    await expect
      .poll(
        () =>
          redisStore(redis)
            .findings()
            .catch(() => []),
        patient,
      )
      .toContainEqual(down)
    await Promise.all([master.restart(), replica.restart()])
    const again = () => appendSome(store, lease, 2).catch((error: unknown) => error)
    await expect.poll(again, patient).toBe(3)
    expect(await collect(store.read(id))).toHaveLength(3)
  })
})

/** The client's own connection to a node: `WAIT` speaks of what one connection wrote. */
function nodeOf(redis: Cluster, { port }: RunningRedis): Redis {
  const node = redis.nodes('master').find(({ options }) => options.port === port)
  if (!node) throw new Error(`no master at port ${port}`)
  return node
}

/** From now on the replica gets nothing of its master, and may be promoted all the same. */
async function cutOff(replica: RunningRedis, master: RunningRedis): Promise<void> {
  const [redis, itsMaster] = [client(replica.url), client(master.url)]
  await redis.config('SET', 'cluster-replica-validity-factor', '0')
  await redis.config('SET', 'masteruser', 'nobody')
  await redis.config('SET', 'masterauth', 'wrong')
  await itsMaster.call('CLIENT', 'KILL', 'TYPE', 'replica')
  await expect.poll(() => itsMaster.info('replication'), patient).toContain('connected_slaves:0')
}
