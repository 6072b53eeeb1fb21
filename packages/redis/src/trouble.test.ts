// What a server says instead of doing what it was asked, told with the right hint, and gone on from. Each test has a
// server of its own.
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdir, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { type RunningRedis, type StartOptions, startRedis } from '../../../test/support/redis-server.ts'
import {
  appendSome,
  client,
  collect,
  commandsDuring,
  leaseOf,
  openStore,
  rejection,
  someEntries,
} from '../test/fixture.ts'
import { startProxy } from '../test/proxy.ts'
import { redisStore } from './redis-store.ts'

const patient = { timeout: 20_000 }

async function ownServer(options: StartOptions = {}): Promise<RunningRedis> {
  const server = await startRedis(options)
  onTestFinished(async () => {
    // At once: asked to end, a master first waits for replicas that are behind.
    await server.kill()
    await server.stop()
  })
  return server
}

/** Of a store that was asked while its server had this trouble. */
const told = (code: string, hint: string) => ({
  code: 'store-unavailable',
  details: { code },
  hint: expect.stringContaining(hint),
})

describe('P5: an append is refused, told why, and done later when it is asked again', { timeout: 60_000 }, () => {
  it('while a script of another client loops (BUSY), until SCRIPT KILL', async () => {
    const server = await ownServer({ args: ['--lua-time-limit', '50'] })
    const { store } = openStore(server.url)
    const lease = await leaseOf(store, 's')
    await appendSome(store, lease, 0)
    const looping = client(server.url)
      .eval('while true do end', 0)
      .catch((error: Error) => error.message)
    const admin = client(server.url, { enableReadyCheck: false })
    await expect.poll(() => admin.ping().catch(String), patient).toContain('BUSY')

    expect(await rejection(appendSome(store, lease, 1))).toMatchObject(told('BUSY', 'script kill'))
    await admin.script('KILL')
    expect(await looping).toContain('killed')
    expect(await appendSome(store, lease, 1)).toBe(2)
  })

  it('while it loads its data (LOADING); a client that checks for that, as ioredis does, only waits', async () => {
    // A pause for each command that is read, and a look at the connections after each thousand of them.
    const server = await ownServer({ appendfsync: 'no', args: ['--key-load-delay', '300'] })
    const { store, redis, prefix } = openStore(server.url)
    const lease = await leaseOf(store, 's')
    await appendSome(store, lease, 0)
    const filling = redis.pipeline()
    for (let i = 0; i < 4000; i++) filling.set(`${prefix}:other:${i}`, i)
    await filling.exec()
    await server.kill('SIGTERM')
    const restarted = server.restart()

    const hasty = redisStore(client(server.url, { enableReadyCheck: false }), { prefix })
    expect(await rejection(appendSome(hasty, lease, 1))).toMatchObject(told('LOADING', 'try again'))
    expect(await appendSome(store, lease, 1)).toBe(2)
    await restarted
    expect((await collect(hasty.read('s'))).map(({ seq }) => seq)).toEqual([1, 2])
  })

  it('after a fail-over by hand (READONLY), until the server is the master again', async () => {
    const server = await ownServer({ args: ['--repl-diskless-sync-delay', '0'] })
    const replica = await ownServer({ args: ['--replicaof', '127.0.0.1', String(server.port)] })
    const { store, redis, prefix } = openStore(server.url)
    const lease = await leaseOf(store, 's')
    await appendSome(store, lease, 0)
    const handOver = async (from: RunningRedis, to: RunningRedis) => {
      const redis = client(from.url)
      await expect.poll(() => redis.info('replication'), patient).toMatch(/slave0:.*state=online/)
      await redis.call('FAILOVER', 'TO', '127.0.0.1', String(to.port), 'TIMEOUT', '10000')
      await expect.poll(() => redis.info('replication'), patient).toContain('role:slave')
    }
    await handOver(server, replica)
    expect(await rejection(appendSome(store, lease, 1))).toMatchObject(told('READONLY', 'connect to the master'))
    // Another client writes at the new master, under the same lease.
    expect(await appendSome(redisStore(client(replica.url), { prefix }), lease, 1)).toBe(2)
    await handOver(replica, server)
    expect(await redis.role()).toContain('master')
    expect(await appendSome(store, lease, 1)).toBe(2)
    expect(await appendSome(store, lease, 2)).toBe(3)
    expect(await collect(store.read('s'))).toHaveLength(3)
  })

  it('while it cannot save its snapshots (MISCONF)', async () => {
    const server = await ownServer({ args: ['--save', '3600 1', '--stop-writes-on-bgsave-error', 'yes'] })
    const { store, redis } = openStore(server.url)
    const lease = await leaseOf(store, 's')
    await appendSome(store, lease, 0)
    // A folder in its place: the snapshot cannot be put there, whatever the rights of the server.
    const snapshot = join(server.dir, 'dump.rdb')
    await mkdir(snapshot)
    await redis.bgsave()
    await expect.poll(() => redis.info('persistence'), patient).toContain('rdb_last_bgsave_status:err')
    expect(await rejection(appendSome(store, lease, 1))).toMatchObject(told('MISCONF', 'free disk space'))
    expect(await collect(store.read('s'))).toHaveLength(1)
    await rmdir(snapshot)
    await redis.bgsave()
    await expect.poll(() => redis.info('persistence'), patient).toContain('rdb_last_bgsave_status:ok')
    expect(await appendSome(store, lease, 1)).toBe(2)
  })

  it('while too few replicas are connected (NOREPLICAS), until one is', async () => {
    const server = await ownServer({ args: ['--repl-diskless-sync-delay', '0'] })
    const { store, redis } = openStore(server.url)
    const lease = await leaseOf(store, 's')
    await appendSome(store, lease, 0)
    await redis.config('SET', 'min-replicas-to-write', '1')
    expect(await rejection(appendSome(store, lease, 1))).toMatchObject(told('NOREPLICAS', 'info replication'))
    expect(await collect(store.read('s'))).toHaveLength(1)
    await ownServer({ args: ['--replicaof', '127.0.0.1', String(server.port)] })
    const again = () => appendSome(store, lease, 1).catch((error: unknown) => error)
    await expect.poll(again, patient).toBe(2)
    expect(await collect(store.read('s'))).toHaveLength(2)
  })
})

describe('an append that reaches the server twice', () => {
  it('P2: because the client sends again after a lost reply, is done once and acknowledged', async () => {
    const { store: observer, prefix } = openStore(inject('redisUrl'))
    const server = new URL(inject('redisUrl'))
    const proxy = await startProxy(Number(server.port))
    const redis = client(`redis://127.0.0.1:${proxy.port}`, { retryStrategy: () => 10 })
    const store = redisStore(redis, { prefix })
    const lease = await leaseOf(store, 's')
    await appendSome(store, lease, 0)

    const sent = await commandsDuring(server.href, prefix, async () => {
      proxy.swallowNextReply()
      expect(await appendSome(store, lease, 1, 2)).toBe(3)
    })
    expect(proxy.swallowed).toBe(1)
    expect(sent).toEqual(['evalsha', 'evalsha'])
    expect(await collect(observer.read('s', 1))).toEqual(someEntries(lease, 1, 2))
  })

  it('P2: because its first sending was to a server that knew no scripts, is done once', async () => {
    const { store, redis } = openStore(inject('redisUrl'))
    const sessions = Array.from({ length: 8 }, () => randomUUID())
    let writing = true
    const flushing = (async () => {
      while (writing) await redis.script('FLUSH')
    })()
    await Promise.all(
      sessions.map(async (id) => {
        const lease = await leaseOf(store, id)
        for (let seq = 0; seq < 40; seq++) expect(await appendSome(store, lease, seq)).toBe(seq + 1)
        expect((await collect(store.read(id))).map(({ seq }) => seq)).toEqual(
          Array.from({ length: 40 }, (_, i) => i + 1),
        )
      }),
    )
    writing = false
    await flushing
  })
})

it('P6: a server that is gone without a word is left for a new connection, with the options of the README', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const given = (name: string) =>
    Number(new RegExp(`new Redis\\(.*${name}: ([\\d_]+)`).exec(readme)?.[1]?.replaceAll('_', ''))
  const options = { commandTimeout: given('commandTimeout'), socketTimeout: given('socketTimeout') }
  const proxy = await startProxy(Number(new URL(inject('redisUrl')).port))
  const { store } = openStore(`redis://127.0.0.1:${proxy.port}`, options)
  const lease = await leaseOf(store, 's')
  await appendSome(store, lease, 0)
  proxy.silence()
  const again = () => appendSome(store, lease, 1).catch((error: unknown) => error)
  await expect.poll(again, patient).toBe(2)
})
