import { redisStore } from '@lastgood/redis'
import { Redis } from 'ioredis'
import { expect, inject, it, onTestFinished } from 'vitest'
import { startProxy } from '../../redis/test/proxy.ts'
import { silentPort, startSentinel } from '../../redis/test/sentinel.ts'
import { agentOf, connect, expectEnded, openPlace, patient } from '../test/fixture.ts'
import { fleetClient } from './client.ts'

it('a fleet whose database the server refuses touches no other one, where another fleet may be, and says why', async () => {
  const other = openPlace()
  const { redis, prefix, index } = other
  const theirs = other.start({ writer: agentOf('writer') })
  await theirs.pause()
  await theirs.submit('s', 'Go.', { agent: 'coder' })
  await theirs.close()
  await index.put('s', 0)
  const before = [await other.keys(), await index.counts()]
  const refused = new Redis(inject('redisUrl'), { db: 99, maxRetriesPerRequest: 1 })
  refused.on('error', () => undefined)
  onTestFinished(() => refused.disconnect())
  const store = redisStore(redis as Redis, { prefix: `${prefix}:own` })
  const fleet = other.start({ coder: agentOf('coder') }, { connection: refused, store, graceMs: 100 })
  const message = expect.stringContaining('refuses: ERR DB index is out of range')
  for (const where of ['due-index', 'queue']) {
    await expect
      .poll(() => other.told, patient)
      .toContainEqual(expect.objectContaining({ kind: 'trouble', where, message }))
  }
  await expect(fleet.submit('t', 'Go.', { agent: 'coder' })).rejects.toMatchObject({
    code: 'store-unavailable',
    message,
  })
  expect([await other.keys(), await index.counts()]).toEqual(before)
})

it('a client that takes no command before it is connected may be one of a fleet', async () => {
  const { redis, store, prefix } = openPlace()
  const connection = (redis as Redis).duplicate({ enableOfflineQueue: false })
  onTestFinished(() => connection.disconnect())
  const client = fleetClient({ store, connection, prefix })
  onTestFinished(() => client.close())
  expect(await client.status()).toMatchObject({ agents: {}, later: 0 })
})

it('a client that gives up a silent connection may be one of a fleet: a worker waits for its next job, without trouble', async () => {
  const { redis, start, told, prefix } = openPlace()
  const connection = (redis as Redis).duplicate({ socketTimeout: 100 })
  onTestFinished(() => connection.disconnect())
  start({ coder: agentOf('coder') }, { connection })
  const silentFor = async () => {
    const lines = String(await redis.client('LIST')).split('\n')
    const worker = lines.find((line) => line.includes(prefix) && line.includes('cmd=bzpopmin'))
    return Number(/ idle=(\d+)/.exec(worker ?? '')?.[1] ?? 0)
  }
  await expect.poll(silentFor, patient).toBeGreaterThan(0)
  expect(told).toEqual([])
})

it('what is asked of a client that is closed while its server is away is refused, and does not wait for ever', async () => {
  const { store, prefix } = openPlace()
  const connection = connect('redis://127.0.0.1:1', { maxRetriesPerRequest: 1 })
  const client = fleetClient({ store, connection, prefix })
  // Now it is looking for its server.
  await expect(client.status()).rejects.toMatchObject({ code: 'store-unavailable' })
  const closed = expect.objectContaining({ code: 'session-closed', message: 'the fleet of this process was closed' })
  const asked = client.status().catch((error: unknown) => error)
  await client.close()
  expect(await asked).toEqual(closed)
  await expect(client.status()).rejects.toEqual(closed)
  await expect(client.submit('s', 'Go.', { agent: 'coder' })).rejects.toEqual(closed)
})

it('P6: a fleet whose server is gone without a word connects again, and goes on', async () => {
  const proxy = await startProxy(Number(new URL(inject('redisUrl')).port))
  const connection = connect(`redis://127.0.0.1:${proxy.port}`)
  const { start, store } = openPlace()
  const fleet = start({ coder: agentOf('coder') }, { connection })
  await fleet.submit('before', 'Go.', { agent: 'coder' })
  await expectEnded(store, ['before'])
  proxy.silence()
  await fleet.submit('after', 'Go.', { agent: 'coder' })
  await expectEnded(store, ['after'])
})

it('why there is no connection is told, also to a client whose commands have a time limit, and without the password', async () => {
  const { store } = openPlace()
  const connection = connect('redis://app:hunter2@127.0.0.1:1', { commandTimeout: 300 })
  const client = fleetClient({ store, connection })
  onTestFinished(() => client.close())
  await expect(client.status()).rejects.toMatchObject({
    code: 'store-unavailable',
    message: 'the Redis of the fleet cannot answer: connect ECONNREFUSED 127.0.0.1:1',
  })
})

it('a sentinel that hangs keeps no fleet from the next one', { timeout: 30_000 }, async () => {
  const { store, prefix } = openPlace()
  const { sentinelPort, stop } = await startSentinel()
  onTestFinished(stop)
  const sentinels = [await silentPort(), sentinelPort].map((port) => ({ host: '127.0.0.1', port }))
  const connection = new Redis({ sentinels, name: 'main', lazyConnect: true })
  onTestFinished(() => connection.disconnect())
  const client = fleetClient({ store, connection, prefix })
  onTestFinished(() => client.close())
  expect(await client.status()).toMatchObject({ agents: {} })
})
