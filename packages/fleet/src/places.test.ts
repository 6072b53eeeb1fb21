// The same fleet on a Cluster, behind a sentinel, and on a server that is away for a while.
import { Cluster, Redis } from 'ioredis'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startRedis, type RunningRedis } from '../../../test/support/redis-server.ts'
import { startCluster } from '../../redis/test/cluster.ts'
import { startSentinel } from '../../redis/test/sentinel.ts'
import { agentOf, connect, expectEnded, openPlace, patient } from '../test/fixture.ts'

const ids = Array.from({ length: 20 }, (_, i) => `s-${i}`)

describe('a fleet', { timeout: 60_000 }, () => {
  it('on a Cluster runs what is submitted, with the due index on all masters', async () => {
    const cluster = await startCluster()
    onTestFinished(() => cluster.stop())
    const redis = new Cluster(cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port })))
    redis.on('error', () => undefined)
    onTestFinished(() => redis.disconnect())
    const { start, store, index, told } = openPlace(redis)
    const fleet = start({ coder: agentOf('coder'), writer: agentOf('writer') })
    for (const id of ids) await index.put(`row-of-${id}`, 60_000)
    const perNode = await Promise.all(redis.nodes('master').map((node) => node.keys('*:fleet:{due:*')))
    for (const keys of perNode) expect(keys.length).toBeGreaterThan(0)
    await Promise.all(ids.map((id, i) => fleet.submit(id, 'Go.', { agent: i % 2 ? 'coder' : 'writer' })))
    await expectEnded(store, ids)
    await expect.poll(() => fleet.status(), patient).toMatchObject({ due: 0, later: ids.length, started: 0 })
    await fleet.close()
    expect(told.filter(({ kind }) => kind === 'trouble')).toEqual([])
  })

  it('P2 P6: on a Cluster goes on at the promoted replica when the master of its queue freezes, and runs no step twice', async () => {
    const cluster = await startCluster({ replicas: true })
    onTestFinished(() => cluster.stop())
    const nodes = cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port }))
    const redis = new Cluster(nodes, { redisOptions: { commandTimeout: 5000, socketTimeout: 10_000 } })
    redis.on('error', () => undefined)
    onTestFinished(() => redis.disconnect())
    const { start, told, prefix } = openPlace(redis)
    const steps: string[] = []
    const agent = agentOf('coder', async (session) => {
      for (const name of ['a', 'b', 'c']) await session.step(name, {}, () => steps.push(`${session.id} ${name}`))
    })
    const fleet = start({ coder: { agent, concurrency: 1 } }, { leaseMs: 2_000 })
    const slot = await redis.cluster('KEYSLOT', `{${prefix}:fleet}:coder:wait`)
    const owner = Math.floor((slot * 3) / 16_384)
    const [master, replica] = [cluster.nodes[owner], cluster.replicas[owner]]
    if (!master || !replica) throw new Error('nobody has the queue')
    for (const id of ids) await fleet.submit(id, 'Go.', { agent: 'coder' })
    await expect.poll(() => steps.length, patient).toBeGreaterThan(0)
    await freezeInStep(master)
    const promoted = connect(replica.url)
    await expect.poll(() => promoted.info('replication'), patient).toContain('role:master')
    const ended = () => new Set(told.flatMap((event) => (event.kind === 'ended' ? [event.sessionId] : []))).size
    // A connection that brings nothing is left after fifteen seconds.
    await expect.poll(ended, { timeout: 60_000 }).toBe(ids.length)
    expect(steps.toSorted()).toEqual(ids.flatMap((id) => ['a', 'b', 'c'].map((name) => `${id} ${name}`)).toSorted())
    await fleet.close()
  }, 120_000)

  it('P1: behind a sentinel goes on at the promoted replica', async () => {
    const { master, sentinelPort, stop } = await startSentinel()
    onTestFinished(stop)
    const redis = new Redis({ sentinels: [{ host: '127.0.0.1', port: sentinelPort }], name: 'main' })
    redis.on('error', () => undefined)
    onTestFinished(() => redis.disconnect())
    const { start, store } = openPlace(redis)
    const fleet = start({ coder: agentOf('coder') })
    await fleet.pause('coder')
    for (const id of ids) await fleet.submit(id, 'Go.', { agent: 'coder' })
    expect(await redis.wait(1, 10_000)).toBe(1)
    await master.kill()
    await expect
      .poll(
        () =>
          fleet.resume('coder').then(
            () => true,
            () => false,
          ),
        patient,
      )
      .toBe(true)
    await expectEnded(store, ids)
  })

  it('goes on by itself when its Redis was away, and can be closed while it is', async () => {
    const server = await startRedis()
    onTestFinished(() => server.stop())
    const redis = connect(server.url, { maxRetriesPerRequest: 1 })
    const { start, store, told } = openPlace(redis)
    const fleet = start({ coder: agentOf('coder') })
    await fleet.submit('before', 'Go.', { agent: 'coder' })
    await expectEnded(store, ['before'])
    await server.kill()
    await expect
      .poll(() => told, patient)
      .toContainEqual(expect.objectContaining({ kind: 'trouble', where: 'due-index' }))
    await server.restart()
    await expect.poll(() => told, patient).toContainEqual({ kind: 'trouble-over', where: 'due-index' })
    await fleet.submit('after', 'Go.', { agent: 'coder' })
    await expectEnded(store, ['after'])
    await server.kill()
    await fleet.close()
  })

  it('P6: tells what became of a session also while its queue is away, and then counts its start no more', async () => {
    const server = await startRedis()
    onTestFinished(() => server.stop())
    const { store } = openPlace()
    const { start, told, index } = openPlace(connect(server.url, { maxRetriesPerRequest: 1 }))
    const until = Date.now() + 3_600_000
    let goOn = () => {}
    const isAway = new Promise<void>((resolve) => (goOn = resolve))
    const agent = agentOf('coder', async (session) => {
      await isAway
      await session.step('count', {}, () => 1)
      await session.record([
        { type: 'request-sent', model: 'm', attempt: 1 },
        { type: 'fault-observed', fault: { kind: 'overloaded' }, decision: { kind: 'retry', at: until } },
      ])
    })
    const fleet = start({ coder: agent }, { store })
    await fleet.submit('s', 'Go.', { agent: 'coder' })
    await expect.poll(() => told, patient).toContainEqual(expect.objectContaining({ kind: 'started' }))
    await server.kill()
    goOn()
    await expect.poll(() => told, patient).toContainEqual(expect.objectContaining({ kind: 'waiting', until }))
    await server.restart()
    await expect.poll(() => index.counts().catch(() => {}), patient).toEqual({ due: 0, later: 1, started: 0 })
  })
})

/** Everything acknowledged is on its replica when it freezes. */
async function freezeInStep(master: RunningRedis): Promise<void> {
  const own = connect(master.url)
  await own.call('CLIENT', 'PAUSE', '60000', 'WRITE')
  const isBehind = async () => {
    const info = await own.info('replication')
    return /,offset=(\d+)/.exec(info)?.[1] !== /master_repl_offset:(\d+)/.exec(info)?.[1]
  }
  await expect.poll(isBehind, patient).toBe(false)
  await master.kill('SIGSTOP')
}
