// The command line with sessions in a real Redis: what a person does whose laptop has died.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, connect } from 'node:net'
import { createServer } from 'node:tls'
import { systemClock } from '@lastgood/core'
import { redisStore } from '@lastgood/redis'
import { Redis } from 'ioredis'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { answered, ended, obliging, project, run, seed, sent, started } from '../packages/cli/test/context.ts'
import { reply, text } from '@lastgood/outage-lab'
import { connectRedis } from '../packages/cli/src/redis-client.ts'
import { place } from '../packages/cli/test/processes.ts'
import { makeCertificates } from '../packages/redis/test/certificates.ts'
import { startProxy } from '../packages/redis/test/proxy.ts'
import { startRedis } from './support/redis-server.ts'

const open = [started(1), sent(), answered('Yes.'), ended(1), started(2), sent()]

/** A database of its own on the shared server, with one interrupted session. */
async function database(number: number): Promise<string> {
  const server: string = inject('redisUrl')
  const url = `${server}/${number}`
  const client = new Redis(url)
  onTestFinished(() => client.disconnect())
  await client.flushdb()
  await seed(redisStore(client), 'fix-auth', open)
  return url
}

describe('sessions in Redis', () => {
  it('P1: are listed, shown and resumed from another machine by REDIS_URL alone', async () => {
    const url = await database(9)
    const { cwd } = project(obliging)
    const env = { REDIS_URL: url }
    const listed = await run(['list'], { cwd, env })
    expect(listed.stdout).toMatch(/interrupted +fix-auth +coder +2 +1 /)
    expect(listed.stderr).toBe(`store    ${url} (REDIS_URL)\n`)
    const shown = await run(['show', 'last'], { cwd, env })
    expect(shown.stdout).toContain('journal  lastgood:{fix-auth}:journal, 7 entries')
    const { code, stdout, stderr } = await run(['resume', 'last'], { cwd, env })
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'All done.\n' })
    expect(stderr).toContain(`note: recorded in /projects/there, but this is ${cwd}`)
    expect((await run(['resume', 'last'], { cwd, env })).stderr).toContain('nothing to continue: turn 2 has ended')
  })

  it.each([
    ['its last entry', (redis: Redis) => redis.rpop('lastgood:{fix-auth}:journal')],
    ['its journal', (redis: Redis) => redis.del('lastgood:{fix-auth}:journal')],
    ['its head', (redis: Redis) => redis.del('lastgood:{fix-auth}:session')],
  ])('that lost %s can be removed: they go with prune --damaged', async (_, lose) => {
    const url = await database(11)
    const redis = new Redis(url)
    onTestFinished(() => redis.disconnect())
    await lose(redis)
    const { cwd } = project()
    const cli = (...argv: string[]) => run([...argv, '--store', url], { cwd })
    expect(await cli('prune', '--damaged', 'fix-auth', '--yes')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^remove {2}fix-auth {2}.*the journal has/),
    })
    expect(await redis.keys('*{fix-auth}*')).toEqual([])
  })

  it('of a database that the user may not select are not looked for in database 0: exit code 4', async () => {
    const server = await startRedis()
    onTestFinished(() => server.stop())
    const admin = new Redis(server.url)
    onTestFinished(() => admin.disconnect())
    await admin.acl('SETUSER', 'lastgood', 'on', '>password', '~lastgood:*', '+@all', '-select')
    await seed(redisStore(admin), 'fix-auth', open)
    const { cwd } = project()
    const url = `${server.url.replace('redis://', 'redis://lastgood:password@')}/1`
    const { code, stdout, stderr } = await run(['list', '--store', url], { cwd })
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' })
    expect(stderr).toContain(`no connection to Redis at ${server.url}/1: the database was refused`)
    expect(stderr).not.toContain('password')
  })

  it('are found when the store that was asked is another one', async () => {
    const url = await database(10)
    const { cwd } = project(obliging)
    const { code, stderr } = await run(['resume', 'fix-auth', '--store', 'state'], { cwd, env: { REDIS_URL: url } })
    expect(code).toBe(3)
    expect(stderr).toContain(`it is in ${url} (REDIS_URL)`)
    expect(stderr).toContain('next: lastgood resume fix-auth --store "$REDIS_URL"')
  })

  it('behind a password that is wrong: exit code 4, and the password is not shown', async () => {
    const server = await startRedis({ args: ['--requirepass', 'right'] })
    onTestFinished(() => server.stop())
    const { cwd } = project()
    const url = server.url.replace('redis://', 'redis://:wr0ng@')
    const { code, stderr } = await run(['list', '--store', url], { cwd })
    expect(code).toBe(4)
    expect(stderr).toMatch(/no connection to Redis at [^]*next: check the user and the password/)
    expect(stderr).not.toContain('wr0ng')
  })

  it('over TLS: a certificate that is not trusted is told as one, and is trusted by NODE_EXTRA_CA_CERTS', async () => {
    const { authority, certificate, key, remove } = await makeCertificates()
    onTestFinished(remove)
    const plain = new URL(await database(11))
    const relay = createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (socket) => {
      const server = connect(Number(plain.port), '127.0.0.1')
      for (const one of [socket, server]) one.on('error', () => undefined)
      socket.pipe(server).pipe(socket)
    }).listen(0, '127.0.0.1')
    onTestFinished(() => void relay.close())
    await once(relay, 'listening')
    const { port } = relay.address() as AddressInfo
    const { start } = await place({ model: () => reply(text('Nobody asks.')) })

    const list = (host: string, env: Record<string, string> = {}) =>
      start('lastgood', ['list', '--store', `rediss://${host}:${port}/11`], env).ended
    const refused = await list('127.0.0.1')
    expect(refused.code).toBe(4)
    expect(refused.stderr).toContain('its certificate is not one that is trusted here')
    expect(refused.stderr).toMatch(/next: .*NODE_EXTRA_CA_CERTS=<file>/)
    const trusting = { NODE_EXTRA_CA_CERTS: authority }
    expect(await list('127.0.0.1', trusting)).toMatchObject({ code: 0, stdout: expect.stringContaining('fix-auth') })
    expect((await list('localhost', trusting)).stderr).toContain('its certificate names another host')
  })

  it('on a server that hangs: exit code 4 within a few seconds', async () => {
    const server = await startRedis()
    onTestFinished(() => server.stop())
    await server.kill('SIGSTOP')
    onTestFinished(() => server.kill('SIGCONT'))
    const { cwd } = project()
    const before = performance.now()
    expect(await run(['list', '--store', server.url], { cwd })).toMatchObject({ code: 4 })
    expect(performance.now() - before).toBeLessThan(5_000)
  })
})

it('P6: a server that is gone without a word is left for a new connection', async () => {
  const proxy = await startProxy(Number(new URL(inject('redisUrl')).port))
  const client = await connectRedis(`redis://127.0.0.1:${proxy.port}`, systemClock, '--store')
  onTestFinished(() => client.disconnect())
  proxy.silence()
  await expect.poll(() => client.ping().catch(String), { timeout: 20_000 }).toBe('PONG')
})
