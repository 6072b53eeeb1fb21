import { redisStore } from '@lastgood/redis'
import { Redis } from 'ioredis'
import { expect, inject, it, onTestFinished } from 'vitest'
import { agentOf, openPlace, patient } from '../test/fixture.ts'

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
