// The doctor of a store in Redis whose user lacks rights, with a real server.
import { openSession } from '@lastgood/core'
import { redisStore } from '@lastgood/redis'
import { Redis } from 'ioredis'
import { expect, it, onTestFinished } from 'vitest'
import { project, run } from '../packages/cli/test/context.ts'
import { startRedis } from './support/redis-server.ts'

it('doctor says once that the user lacks rights, also of sessions that it cannot read, and says how to grant them', async () => {
  const server = await startRedis()
  onTestFinished(() => server.stop())
  const redis = new Redis(server.url)
  onTestFinished(() => redis.disconnect())
  const session = await openSession('s', { store: redisStore(redis) })
  await session.startTurn([{ role: 'user', content: 'Go.' }], 'coder')
  await session.close()
  const before = await redis.dump('lastgood:{s}:session')
  const { cwd } = project()
  const dangers = async (...rights: string[]) => {
    await redis.acl('SETUSER', 'few', 'reset', 'on', '>pass', '~*', '+@all', ...rights)
    const store = server.url.replace('//', '//few:pass@')
    const { code, stdout } = await run(['doctor', '--json', '--store', store], { cwd })
    const { findings } = JSON.parse(stdout) as { findings: { severity: string; what: string; mend: string }[] }
    return {
      code,
      dangers: findings.filter(({ severity }) => severity === 'danger').map(({ what, mend }) => [what, mend]),
    }
  }
  const lacks = 'the user few lacks rights of the store:'
  const grant = `redis-cli -u ${server.url}/0 ACL SETUSER few`
  // Without these, nothing is listed, or no session is read.
  for (const right of ['zscan', 'lrange', 'hset'])
    expect(await dangers(`-${right}`)).toEqual({ code: 1, dangers: [[`${lacks} +${right}`, `${grant} +${right}`]] })
  expect(await dangers()).toEqual({ code: 0, dangers: [] })
  expect(await redis.dump('lastgood:{s}:session')).toEqual(before)
})
