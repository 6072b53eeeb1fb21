// A fleet whose Redis user may do no more than the documentation says.
import { readFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import { expect, it, onTestFinished } from 'vitest'
import { startRedis } from '../../../test/support/redis-server.ts'
import { agentOf, connect, expectEnded, openPlace, patient } from '../test/fixture.ts'
import { redisLimiter } from './redis-limiter.ts'

const page = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const [, rights = ''] = /^ACL SETUSER lastgood on >password (.+)$/m.exec(page) ?? []

it('needs only the rights that its page lists, and no key of another prefix', async () => {
  const server = await startRedis()
  onTestFinished(() => server.stop())
  const admin = new Redis(server.url)
  onTestFinished(() => admin.disconnect())
  await admin.acl('SETUSER', 'lastgood', 'on', '>password', ...rights.split(' '))
  const redis = new Redis(server.url, { username: 'lastgood', password: 'password' })
  redis.on('error', () => undefined)
  onTestFinished(() => redis.disconnect())
  const { start, store, told } = openPlace(redis, 'lastgood')
  const limiter = redisLimiter(redis, { perMinute: { m: 60 } })
  const asked = await limiter.admit({ endpoint: 'https://api.test', model: 'm' }, { session: 's', recovery: undefined })
  expect(asked).toEqual({ kind: 'go' })

  const fleet = start({ coder: agentOf('coder') })
  await fleet.submit('a', 'Go.', { agent: 'coder' })
  await expectEnded(store, ['a'])
  await fleet.pause()
  await fleet.submit('b', 'Go.', { agent: 'coder' })
  await fleet.submit('b', 'Go.', { agent: 'coder', priority: 'interactive' })
  expect(await fleet.status()).toMatchObject({ agents: { coder: { waiting: 1, paused: true } } })
  // The job of a worker that died is found, and dropped.
  await admin.lpush('{lastgood:fleet}:coder:active', 'session-dead.2')
  await expect.poll(() => admin.llen('{lastgood:fleet}:coder:active'), patient).toBe(0)
  await fleet.resume()
  await expectEnded(store, ['b'])
  await fleet.close()
  expect(told.filter(({ kind }) => kind === 'trouble')).toEqual([])
  expect(await admin.acl('LOG')).toEqual([])
  await expect(redis.get('other:fleet:paused')).rejects.toThrow('NOPERM')
  await expect(redis.flushall()).rejects.toThrow('NOPERM')
})

it('a right that is missing is told with the page that lists it', async () => {
  const server = await startRedis()
  onTestFinished(() => server.stop())
  const admin = connect(server.url)
  await admin.acl('SETUSER', 'lastgood', 'on', '>password', ...rights.replace('~{lastgood:fleet}:* ', '').split(' '))
  const redis = connect(server.url.replace('//', '//lastgood:password@'))
  const { start, told } = openPlace(redis, 'lastgood')
  const refusal = {
    code: 'store-unavailable',
    message: expect.stringMatching(/^the Redis of the fleet refuses: NOPERM /),
    hint: expect.stringContaining('the README of @lastgood/fleet'),
  }
  await expect(start({ coder: agentOf('coder') }).pause('coder')).rejects.toMatchObject(refusal)
  // Nor is it told only to who asks.
  await expect
    .poll(() => told, patient)
    .toContainEqual(expect.objectContaining({ kind: 'trouble', where: 'queue', ...refusal }))
})
