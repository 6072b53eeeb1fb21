// Findings of real servers; what each rule says is in finding-rules.test.ts.
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { newFolder } from '../../../test/support/folder.ts'
import { type StartOptions, startRedis } from '../../../test/support/redis-server.ts'
import { client, rejection } from '../test/fixture.ts'
import { redisFindings } from './findings.ts'
import { serverOf } from './server.ts'

async function ownServer(options: StartOptions) {
  const server = await startRedis(options)
  onTestFinished(() => server.stop())
  return server
}

const whats = (findings: readonly { what: string }[]) => findings.map(({ what }) => what)

describe('the findings of a server', () => {
  it.each([2, 3] as const)('are none for the settings that the README asks for, with RESP%i', async (protocol) => {
    const { url } = await ownServer({ args: ['--maxmemory-policy', 'noeviction'] })
    expect(await redisFindings(serverOf(client(url, { protocol })))).toEqual([])
  })

  it('name the settings that are wrong, each with the command that mends it', async () => {
    const args = ['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru', '--save', '3600 1']
    const { url } = await ownServer({ appendfsync: 'everysec', args })
    const redis = client(url)
    const findings = await redisFindings(serverOf(redis))
    expect(whats(findings)).toEqual(['maxmemory-policy allkeys-lru', 'appendfsync everysec'])
    for (const { mend } of findings) {
      const [address = '', ...command] = mend.replace('redis-cli -u ', '').split(' ')
      expect(address).toBe(`${url}/0`)
      await redis.call(...(command as [string, ...string[]]))
    }
    expect(await redisFindings(serverOf(redis))).toEqual([])
  })

  it('name a socket and a host so that a shell takes them as one word', async () => {
    const dir = newFolder(join(newFolder(), "it's  here"))
    const path = join(dir, 'redis.sock')
    const { port } = await ownServer({ appendfsync: 'everysec', args: ['--unixsocket', path] })
    const overSocket = client('', { path })
    expect((await redisFindings(serverOf(overSocket))).map(({ mend }) => mend)).toContain(
      `redis-cli -s '${path.replace("'", `'\\''`)}' CONFIG SET appendfsync always`,
    )
    const sixth = client('', { host: '::ffff:127.0.0.1', port })
    expect((await redisFindings(serverOf(sixth))).map(({ mend }) => mend)).toContain(
      `redis-cli -u 'redis://[::ffff:127.0.0.1]:${port}/0' CONFIG SET appendfsync always`,
    )
  })

  it('are those of INFO alone for a user who may not read CONFIG, and no secret is asked for', async () => {
    const { url } = await ownServer({ args: ['--appendonly', 'no'] })
    await client(url).acl('SETUSER', 'few', 'on', '>pass', '+info')
    const few = await redisFindings(serverOf(client(url, { username: 'few', password: 'pass' })))
    expect(whats(few)).toEqual(['appendonly no', expect.stringContaining('CONFIG GET is not allowed')])
    await client(url).acl('SETUSER', 'more', 'on', '>pass', '+info', '+config|get')
    const more = await redisFindings(serverOf(client(url, { username: 'more', password: 'pass' })))
    expect(whats(more)).toEqual(['appendonly no, save "": nothing is written to disk'])
  })

  it('of a replica begin with where its master is', async () => {
    const { url } = await ownServer({})
    const redis = client(url)
    await redis.call('REPLICAOF', '127.0.0.1', '1')
    expect((await redisFindings(serverOf(redis)))[0]).toMatchObject({
      severity: 'danger',
      mend: 'connect to its master: 127.0.0.1:1',
    })
  })

  it('of a server that nobody reaches are an error, not an empty list', async () => {
    const redis = client('redis://127.0.0.1:1', { maxRetriesPerRequest: 0, retryStrategy: () => null })
    expect(await rejection(redisFindings(serverOf(redis)))).toMatchObject({ code: 'store-unavailable' })
  })
})
