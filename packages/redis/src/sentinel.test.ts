import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { expect, it, onTestFinished } from 'vitest'
import { appendSome, collect, leaseOf, rejection } from '../test/fixture.ts'
import { silentPort, startSentinel } from '../test/sentinel.ts'
import { redisStore } from './redis-store.ts'

it('P1: a session goes on with the same lease on the replica that a sentinel promoted', async () => {
  const { master, sentinelPort, stop } = await startSentinel()
  onTestFinished(stop)
  const redis = new Redis({ sentinels: [{ host: '127.0.0.1', port: sentinelPort }], name: 'main' })
  redis.on('error', () => undefined)
  onTestFinished(() => redis.disconnect())
  const store = redisStore(redis, { prefix: `test:${randomUUID()}` })
  expect(store.location).toBe(`redis+sentinel://127.0.0.1:${sentinelPort}/main/0`)

  const lease = await leaseOf(store, 's')
  await appendSome(store, lease, 0, 20)
  // Of this connection's writes, hence of the append.
  expect(await redis.wait(1, 10_000)).toBe(1)
  await master.kill('SIGKILL')

  // The client waits for the new master, which does not have the script.
  expect(await appendSome(store, lease, 20)).toBe(21)
  expect((await collect(store.read('s'))).map(({ seq }) => seq)).toEqual(Array.from({ length: 21 }, (_, i) => i + 1))
  expect(await store.renew(lease, 60_000)).toBe(true)
})

it('a group that the sentinels do not know is told as such, also to a client with a time limit for its commands', async () => {
  const { sentinelPort, stop } = await startSentinel()
  onTestFinished(stop)
  const sentinels = [{ host: '127.0.0.1', port: sentinelPort }]
  const redis = new Redis({ sentinels, name: 'other', commandTimeout: 300 })
  redis.on('error', () => undefined)
  onTestFinished(() => redis.disconnect())
  expect(await rejection(redisStore(redis).summary('s'))).toMatchObject({
    code: 'store-unavailable',
    message: `the store at redis+sentinel://127.0.0.1:${sentinelPort}/other/0 cannot answer: the sentinels know no group of that name`,
    hint: expect.stringContaining('sentinel masters'),
  })
})

it('a sentinel that hangs keeps nobody from the next one, with the limits of time that the README asks for', async () => {
  const { sentinelPort, stop } = await startSentinel()
  onTestFinished(stop)
  const sentinels = [await silentPort(), sentinelPort].map((port) => ({ host: '127.0.0.1', port }))
  const limits = { commandTimeout: 5000, socketTimeout: 10_000, sentinelCommandTimeout: 100 }
  const redis = new Redis({ sentinels, name: 'main', ...limits })
  redis.on('error', () => undefined)
  onTestFinished(() => redis.disconnect())
  const store = redisStore(redis)
  expect(await store.summary('s')).toBeUndefined()
  expect((await store.findings()).filter(({ what }) => what.includes('client'))).toEqual([])
})
