import { randomBytes } from 'node:crypto'
import { journalVersion, type Entry, type Lease, type Store } from '@lastgood/core'
import { compressed, encrypted } from '@lastgood/core/at-rest'
import { storeContract } from '@lastgood/core/testing'
import { describe, expect, inject, it } from 'vitest'
import { client, collect, headAt, leaseOf, openStore, rejection, someEntries } from '../test/fixture.ts'
import { redisStore } from './redis-store.ts'

const url = inject('redisUrl')
const current = { id: 'k', key: Buffer.from('0123456789abcdef0123456789abcdef') }
const decorators: Record<string, (store: Store) => Store> = {
  'compressed(redisStore)': (store) => compressed(store, { minBytes: 0 }),
  'encrypted(redisStore)': (store) => encrypted(store, { current }),
  'compressed(encrypted(redisStore))': (store) => compressed(encrypted(store, { current })),
  'encrypted(compressed(redisStore))': (store) => encrypted(compressed(store), { current }),
}

describe.each(Object.entries(decorators))('%s', (_, decorate) => {
  it.each(storeContract.map((one) => [one.name, one] as const))(
    'keeps the contract: %s',
    async (_name, contractCase) => {
      const { store, redis, prefix, key } = openStore(url)
      const kept = contractCase.run({
        store: decorate(store),
        another: async () => decorate(redisStore(client(url), { prefix })),
        elapse: async (sessionId, ms) => {
          await redis.hincrby(key(sessionId, 'session'), 'expiresAt', -ms)
        },
        close: () => store.close(),
      })
      await expect(kept).resolves.toBeUndefined()
    },
  )

  it('keeps what it seals as bytes, and its head says so to an older lastgood (P1)', async () => {
    const { store, redis, key } = openStore(url)
    const lease = await leaseOf(store, 's')
    const entries = await append(decorate(store), lease, noise)
    expect(await collect(decorate(store).read('s'))).toEqual(entries)
    const [stored] = (await redis.lrangeBuffer(key('s', 'journal'), 0, 0)) as [Buffer]
    const end = stored.indexOf('\n')
    expect(JSON.parse(stored.toString('utf8', 0, end))).not.toHaveProperty('data')
    // Hexadecimal digits are half a byte each: sealed as base64 they would take two thirds of theirs.
    const isCompressed = stored.length < noise.length
    expect(stored.length - end).toBeLessThan(isCompressed ? noise.length * 0.65 : noise.length + 600)
    expect(JSON.parse((await redis.hget(key('s', 'session'), 'head')) ?? '')).toMatchObject({ v: journalVersion })
  })

  it('recognises an append that is repeated, of another process too, and refuses another one', async () => {
    const { store, prefix } = openStore(url)
    const lease = await leaseOf(store, 's')
    await append(decorate(store), lease, noise)
    await append(decorate(redisStore(client(url), { prefix })), lease, noise)
    expect(await rejection(append(decorate(store), lease, `${noise}.`))).toMatchObject({ code: 'journal-conflict' })
    expect(await collect(store.read('s'))).toHaveLength(3)
  })

  it('what was cut off, or lost the newline before its bytes, is damage by its place and without content', async () => {
    const { store, redis, key } = openStore(url)
    const lease = await leaseOf(store, 's')
    const entries = await append(decorate(store), lease, 'SECRET words of a prompt '.repeat(10))
    const [, stored] = (await redis.lrangeBuffer(key('s', 'journal'), 0, -1)) as [Buffer, Buffer]
    const end = stored.indexOf('\n')
    const joined = Buffer.from(stored)
    joined[end] = 0x20
    const cuts = [0, 1, end, end + 1, stored.length - 1].map((length) => stored.subarray(0, length))
    for (const altered of [joined, ...cuts]) {
      await redis.lset(key('s', 'journal'), 1, altered)
      const read: Entry[] = []
      const error = await rejection(
        (async () => {
          for await (const one of decorate(store).read('s')) read.push(one)
        })(),
      )
      expect(error).toMatchObject({ code: 'journal-corrupt', message: expect.stringContaining(key('s', 'journal')) })
      expect(String((error as Error).stack) + JSON.stringify(error)).not.toContain('SECRET')
      expect(read).toEqual(entries.slice(0, 1))
    }
  })
})

const noise = randomBytes(2_000).toString('hex')

async function append(store: Store, lease: Lease, text: string): Promise<Entry[]> {
  const entries = someEntries(lease, 0, 3, text)
  await store.append(lease, 0, entries, headAt('s', 3))
  return entries
}
