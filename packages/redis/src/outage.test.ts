// What the store says and keeps while its server fails. Each test has a server of its own.
import { inspect } from 'node:util'
import { isLastgoodError, openSession, type LastgoodError } from '@lastgood/core'
import { ManualClock } from '@lastgood/core/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type RunningRedis, type StartOptions, startRedis } from '../../../test/support/redis-server.ts'
import { appendSome, client, collect, leaseOf, openStore, rejection, someEntries, someOwner } from '../test/fixture.ts'
import { redisStore } from './redis-store.ts'

async function ownServer(options: StartOptions = {}): Promise<RunningRedis> {
  const server = await startRedis(options)
  onTestFinished(() => server.stop())
  return server
}

const impatient = { maxRetriesPerRequest: 0, retryStrategy: () => null, connectTimeout: 500 }

/** Everything that a logger could print of an error. */
function printed(error: unknown): string {
  return inspect(error, { depth: 20, showHidden: true }) + JSON.stringify(error) + String((error as Error).cause)
}

async function unavailable(work: Promise<unknown>): Promise<LastgoodError> {
  const error = await rejection(work)
  if (!isLastgoodError(error, 'store-unavailable')) throw error
  return error
}

describe('a failing server', () => {
  it('P2: an append that timed out and was applied is acknowledged when it is repeated, and not doubled', async () => {
    const server = await ownServer()
    const { store, prefix } = openStore(server.url)
    const lease = await leaseOf(store, 's')
    await appendSome(store, lease, 0)

    const hasty = redisStore(client(server.url, { commandTimeout: 300 }), { prefix })
    await hasty.summary('s')
    await server.kill('SIGSTOP')
    const error = await unavailable(appendSome(hasty, lease, 1, 2, 'secret-text'))
    await server.kill('SIGCONT')

    expect(error).toMatchObject({
      message: expect.stringContaining('did not answer in time'),
      hint: expect.stringContaining('safe'),
    })
    expect(printed(error)).not.toContain('secret-text')
    await expect.poll(async () => (await store.summary('s'))?.head.seq).toBe(3)
    expect(await appendSome(hasty, lease, 1, 2, 'secret-text')).toBe(3)
    expect(await collect(store.read('s', 1))).toEqual(someEntries(lease, 1, 2, 'secret-text'))
  })

  it('P5: a session is done when the server has hung for as long as it is waited for', async () => {
    const server = await ownServer()
    const clock = new ManualClock()
    const session = await openSession('s', { store: redisStore(client(server.url)), clock })
    await session.startTurn([{ role: 'user', content: 'x' }])
    await server.kill('SIGSTOP')
    const refused = unavailable(session.record([{ type: 'turn-continued', messages: [] }]))
    await clock.advance(15_000)
    expect((await refused).message).toContain('did not answer in time')
    expect(session.signal.aborted).toBe(true)
    // Nor is the end of its lease waited for any longer, or whoever closes it first would never hear of that.
    const closed = session.close()
    await clock.advance(15_000)
    await closed
    await server.kill('SIGCONT')
  })

  it('P1: nothing acknowledged is lost when the server is killed and started again', async () => {
    const server = await ownServer({ appendfsync: 'always' })
    const { store } = openStore(server.url)
    const lease = await leaseOf(store, 's')
    let acknowledged = 0
    const writing = (async () => {
      for (;;) acknowledged = await appendSome(store, lease, acknowledged)
    })().catch(() => undefined)
    await expect.poll(() => acknowledged).toBeGreaterThan(20)
    await server.kill('SIGKILL')
    const before = acknowledged
    await server.restart()
    // The client connects again by itself, and the writer goes on where it was.
    await expect.poll(() => acknowledged, { timeout: 10_000 }).toBeGreaterThan(before + 20)
    await server.kill('SIGKILL')
    const last = acknowledged
    await server.restart()

    await expect
      .poll(async () => (await collect(store.read('s'))).length, { timeout: 10_000 })
      .toBeGreaterThanOrEqual(last)
    await store.release(lease)
    await writing
  })

  it('tells where it looked when nobody listens, at once when the client is told not to wait', async () => {
    const server = await ownServer()
    await server.stop()
    const { store } = openStore(server.url, impatient)
    const start = performance.now()
    const error = await unavailable(store.acquire('s', someOwner(), 1000))
    expect(performance.now() - start).toBeLessThan(2000)
    expect(error.message).toBe(`the store at ${server.url}/0 cannot answer: no connection`)
    expect(error.hint).toContain(`redis-cli -u ${server.url}/0 ping`)
  })

  it('P5: full memory without eviction refuses an append as a whole; the same append succeeds later', async () => {
    const server = await ownServer({ args: ['--maxmemory-policy', 'noeviction'] })
    const { store, redis, key } = openStore(server.url)
    const lease = await leaseOf(store, 's')
    await appendSome(store, lease, 0)
    const image = async () => [await redis.hgetall(key('s', 'session')), await redis.lrange(key('s', 'journal'), 0, -1)]
    const before = await image()
    await redis.config('SET', 'maxmemory', '1')
    const error = await unavailable(appendSome(store, lease, 1, 5, 'secret-text'))
    expect(error).toMatchObject({ details: { code: 'OOM' }, hint: expect.stringContaining('maxmemory') })
    expect(printed(error)).not.toContain('secret-text')
    expect(await image()).toEqual(before)
    expect((await collect(store.read('s'))).length).toBe(1)
    await redis.config('SET', 'maxmemory', '0')
    expect(await appendSome(store, lease, 1, 5, 'secret-text')).toBe(6)
  })

  it('full memory still lets a session be given back and removed', async () => {
    const server = await ownServer()
    const { store, redis } = openStore(server.url)
    const lease = await leaseOf(store, 's')
    await appendSome(store, lease, 0)
    await redis.config('SET', 'maxmemory', '1')
    await store.release(lease)
    await store.remove('s')
    expect(await store.summary('s')).toBeUndefined()
  })

  it.each(['session', 'journal'] as const)(
    "P5: another application's value at the %s key is told and left alone",
    async (part) => {
      const server = await ownServer()
      const { store, redis, key } = openStore(server.url)
      const lease = await leaseOf(store, 's')
      await redis.set(key('s', part), 'secret-text')
      const error = await unavailable(appendSome(store, lease, 0))
      expect(error).toMatchObject({ details: { code: 'WRONGTYPE' }, hint: expect.stringContaining('prefix') })
      expect(printed(error)).not.toContain('secret-text')
      expect(await redis.get(key('s', part))).toBe('secret-text')
      expect(await rejection(part === 'session' ? store.summary('s') : collect(store.read('s')))).toMatchObject({
        code: 'store-unavailable',
      })
    },
  )

  it('a missing or wrong password is told without the password', async () => {
    const server = await ownServer({ args: ['--requirepass', 'right-password'] })
    const without = await unavailable(openStore(server.url, impatient).store.summary('s'))
    expect(without).toMatchObject({ details: { code: 'NOAUTH' } })
    const wrong = openStore(server.url, { ...impatient, password: 'wrong-password' })
    const error = await unavailable(wrong.store.summary('s'))
    expect(printed(error) + wrong.store.location).not.toContain('wrong-password')
  })
})
