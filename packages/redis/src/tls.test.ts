// Over TLS, with certificates made here. Skipped, with the reason, where there is no openssl or the server has no TLS.
import { readFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, it } from 'vitest'
import { freePort } from '../../../test/support/free-port.ts'
import { startRedis } from '../../../test/support/redis-server.ts'
import { type Certificates, makeCertificates } from '../test/certificates.ts'
import { appendSome, client, collect, leaseOf, rejection } from '../test/fixture.ts'
import { redisStore } from './redis-store.ts'

const server = await startRedis()
afterAll(() => server.stop())
const secured = await secure()

/** The port that speaks TLS, or why there is none. */
async function secure(): Promise<{ port: number; trusted: Buffer; other: Buffer } | { missing: string }> {
  const made: Certificates[] = []
  const admin = new Redis(server.url)
  try {
    made.push(await makeCertificates(), await makeCertificates())
    const [own, foreign] = made as [Certificates, Certificates]
    const port = await freePort()
    await admin.config('SET', 'tls-auth-clients', 'no')
    await admin.config('SET', 'tls-ca-cert-file', own.authority)
    await admin.config('SET', 'tls-key-file', own.key)
    await admin.config('SET', 'tls-cert-file', own.certificate)
    await admin.config('SET', 'tls-port', port)
    return { port, trusted: readFileSync(own.authority), other: readFileSync(foreign.authority) }
  } catch (error) {
    return { missing: String(error) }
  } finally {
    admin.disconnect()
    await Promise.all(made.map((one) => one.remove()))
  }
}

it('TLS is tested wherever there is an openssl and a server that was built with it', () => {
  const reason = 'missing' in secured ? secured.missing : ''
  expect(reason).toMatch(/^$|spawn openssl ENOENT|tls-[a-z-]+/)
})

describe.skipIf('missing' in secured)('a store over TLS', () => {
  const { port, trusted, other } = 'missing' in secured ? { port: 0, trusted: '', other: '' } : secured
  const url = `rediss://127.0.0.1:${port}`

  it('P1: keeps a session for a user who has the rights of the README and no more', async () => {
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
    const rights = /^ACL SETUSER lastgood on >password ~lastgood:\* (.+)$/m.exec(readme)?.[1]?.split(' ') ?? []
    await client(server.url).acl('SETUSER', 'lastgood', 'on', '>pass', '~lastgood:*', ...rights)
    const redis = client(url, { tls: { ca: trusted }, username: 'lastgood', password: 'pass' })
    const store = redisStore(redis)
    expect(store.location).toBe(`${url}/0`)
    const lease = await leaseOf(store, 's')
    expect(await appendSome(store, lease, 0, 3)).toBe(3)
    await client(server.url).client('KILL', 'USER', 'lastgood')
    expect(await appendSome(store, lease, 3)).toBe(4)
    expect(await collect(store.read('s'))).toHaveLength(4)
    // The port without TLS shows the same.
    expect(await collect(redisStore(client(server.url)).read('s'))).toHaveLength(4)
  })

  it.each([
    ['is of an authority that the client does not know', url, {}],
    ['is of another authority than the one that the client was given', url, { ca: other }],
    ['names another host', `rediss://localhost:${port}`, { ca: trusted }],
  ])('P5: tells that the certificate %s, and what to give the client', async (_, address, tls) => {
    for (const options of [{ retryStrategy: () => null }, { maxRetriesPerRequest: 1 }]) {
      const store = redisStore(client(address, { ...options, tls, password: 'secret-text' }))
      const error = await rejection(store.summary('s'))
      expect(error).toMatchObject({
        code: 'store-unavailable',
        message: `the store at ${address}/0 cannot answer: the client does not trust its certificate`,
        hint: expect.stringMatching(/tls: \{ ca: … \}.*openssl s_client -connect (127\.0\.0\.1|localhost):\d+$/),
      })
      expect(String(error) + JSON.stringify(error)).not.toContain('secret-text')
    }
  })

  it('P5: a client that does not speak TLS, at a port that speaks nothing else, is told that it has no connection', async () => {
    const redis = client(url.replace('rediss', 'redis'), { retryStrategy: () => null })
    expect(await rejection(redisStore(redis).summary('s'))).toMatchObject({
      code: 'store-unavailable',
      message: expect.stringContaining('no connection'),
    })
  })

  it('a certificate that was refused is forgotten when the connection is made', async () => {
    const redis = client(url, { tls: { ca: other }, maxRetriesPerRequest: 1, retryStrategy: () => 20 })
    const store = redisStore(redis)
    expect(await rejection(store.summary('s'))).toMatchObject({ message: expect.stringContaining('certificate') })
    Object.assign(redis.options.tls ?? {}, { ca: trusted })
    await expect.poll(() => store.summary('none').catch(() => 'refused'), { timeout: 10_000 }).toBeUndefined()
    redis.disconnect()
    expect(await rejection(store.summary('s'))).toMatchObject({ message: expect.stringContaining('no connection') })
  })
})
