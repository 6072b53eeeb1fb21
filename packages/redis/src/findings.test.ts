// Findings of real servers; what each rule says is in finding-rules.test.ts.
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { newFolder } from '../../../test/support/folder.ts'
import { type StartOptions, startRedis } from '../../../test/support/redis-server.ts'
import { client as anyClient, rejection } from '../test/fixture.ts'
import { redisStore } from './redis-store.ts'

async function ownServer(options: StartOptions) {
  const server = await startRedis(options)
  onTestFinished(() => server.stop())
  return server
}

/** With the limits of time that the README asks for. */
const client: typeof anyClient = (url, options) =>
  anyClient(url, { commandTimeout: 5000, socketTimeout: 10_000, ...options })

const whats = (findings: readonly { what: string }[]) => findings.map(({ what }) => what)

describe('the findings of a server', () => {
  it.each([2, 3] as const)('are none for the settings that the README asks for, with RESP%i', async (protocol) => {
    const { url } = await ownServer({ args: ['--maxmemory-policy', 'noeviction'] })
    expect(await redisStore(client(url, { protocol })).findings()).toEqual([])
  })

  it('name the settings that are wrong, each with the command that mends it', async () => {
    const args = ['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru', '--save', '3600 1']
    const { url } = await ownServer({ appendfsync: 'everysec', args })
    const redis = client(url)
    const findings = await redisStore(redis).findings()
    expect(whats(findings)).toEqual(['maxmemory-policy allkeys-lru', 'appendfsync everysec'])
    for (const { mend } of findings) {
      const [address = '', ...command] = mend.replace('redis-cli -u ', '').split(' ')
      expect(address).toBe(`${url}/0`)
      await redis.call(...(command as [string, ...string[]]))
    }
    expect(await redisStore(redis).findings()).toEqual([])
  })

  it('name a socket and a host so that a shell takes them as one word', async () => {
    const dir = newFolder(join(newFolder(), "it's  here"))
    const path = join(dir, 'redis.sock')
    const { port } = await ownServer({ appendfsync: 'everysec', args: ['--unixsocket', path] })
    const overSocket = client('', { path })
    expect((await redisStore(overSocket).findings()).map(({ mend }) => mend)).toContain(
      `redis-cli -s '${path.replace("'", `'\\''`)}' CONFIG SET appendfsync always`,
    )
    const sixth = client('', { host: '::ffff:127.0.0.1', port })
    expect((await redisStore(sixth).findings()).map(({ mend }) => mend)).toContain(
      `redis-cli -u 'redis://[::ffff:127.0.0.1]:${port}/0' CONFIG SET appendfsync always`,
    )
  })

  it('are those of INFO alone for a user who may not read CONFIG, and no secret is asked for', async () => {
    const { url } = await ownServer({ args: ['--appendonly', 'no'] })
    await client(url).acl('SETUSER', 'few', 'on', '>pass', '~*', '+@all', '-config')
    const few = await redisStore(client(url, { username: 'few', password: 'pass' })).findings()
    expect(whats(few)).toEqual(['appendonly no', expect.stringContaining('CONFIG GET is not allowed')])
    expect(few[1]?.mend).toContain("ACL SETUSER few '+config|get'")
    await client(url).acl('SETUSER', 'few', '+config|get')
    const more = await redisStore(client(url, { username: 'few', password: 'pass' })).findings()
    expect(whats(more)).toEqual(['appendonly no, save "": nothing is written to disk'])
  })

  it('are no danger where a user, or a hosted server, does without INFO', async () => {
    const { url } = await ownServer({})
    await client(url).acl('SETUSER', 'few', 'on', '>pass', '~*', '+@all', '-info')
    const few = client(url, { username: 'few', password: 'pass', enableReadyCheck: false })
    expect(await redisStore(few).findings()).toEqual([
      expect.objectContaining({
        severity: 'info',
        what: expect.stringMatching(/^INFO is not allowed/),
        mend: `redis-cli -u ${url}/0 ACL SETUSER few +info`,
      }),
    ])
  })

  it('name a command that the server was told to forget', async () => {
    const forget = (...names: string[]) => ({ args: names.flatMap((name) => ['--rename-command', name, '']) })
    for (const [names, told] of [
      [['unlink', 'hscan'], 'the server does not have: hscan, unlink'],
      [['eval'], 'the server does not have: eval'],
      [['info', 'config'], undefined],
    ] as const) {
      const { url } = await ownServer(forget(...names))
      const findings = await redisStore(client(url, { enableReadyCheck: false })).findings()
      expect(whats(findings.filter(({ severity }) => severity === 'danger'))).toEqual(
        told === undefined ? [] : [expect.stringContaining(told)],
      )
    }
  })

  it('are of the client, too: its limits of time', async () => {
    const { url } = await ownServer({})
    expect(whats(await redisStore(anyClient(url)).findings())).toEqual([
      'the Redis client has no socketTimeout and no commandTimeout',
    ])
  })

  it('of a replica begin with where its master is', async () => {
    const { url } = await ownServer({})
    const redis = client(url)
    await redis.call('REPLICAOF', '127.0.0.1', '1')
    expect((await redisStore(redis).findings())[0]).toMatchObject({
      severity: 'danger',
      mend: 'connect to its master: 127.0.0.1:1',
    })
  })

  it('of a server that nobody reaches are an error, not an empty list', async () => {
    const redis = client('redis://127.0.0.1:1', { maxRetriesPerRequest: 0, retryStrategy: () => null })
    expect(await rejection(redisStore(redis).findings())).toMatchObject({ code: 'store-unavailable' })
  })
})
