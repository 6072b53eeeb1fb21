import { readFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { type RunningRedis, startRedis } from '../../../test/support/redis-server.ts'
import { appendSome, client, collect, leaseOf, openStore, rejection } from '../test/fixture.ts'
import type { Store } from '@lastgood/core'
import { redisStore } from './redis-store.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const listed = /^ACL SETUSER lastgood on >password ~lastgood:\* (.+)$/m.exec(readme)?.[1]?.split(' ') ?? []

let server: RunningRedis

beforeAll(async () => {
  server = await startRedis()
})

afterAll(() => server.stop())

/** The store of a new user who has these rights. */
async function storeWith(username: string, rights: string[], db = 0) {
  const admin = new Redis(server.url)
  await admin.acl('SETUSER', username, 'on', '>pass', '~test:*', ...rights)
  admin.disconnect()
  return openStore(server.url, { username, password: 'pass', db, commandTimeout: 5000, socketTimeout: 10_000 }).store
}

/** Every command that the store may ever send. */
async function everything(store: Awaited<ReturnType<typeof storeWith>>): Promise<void> {
  const lease = await leaseOf(store, 's')
  await store.putBlob(lease, '1'.repeat(64), 'text')
  await appendSome(store, lease, 0, 2)
  await appendSome(store, lease, 0, 2)
  expect(await store.renew(lease, 1000)).toBe(true)
  expect(await collect(store.read('s'))).toHaveLength(2)
  expect(await collect(store.list())).toHaveLength(1)
  await store.release(lease)
  expect(await store.shared.write('key', 0, 'value')).toBe(true)
  expect(await store.shared.list('')).toHaveLength(1)
  await store.remove('s')
  expect(await collect(store.read('s'))).toEqual([])
  expect(await collect(store.list())).toEqual([])
}

describe('a user with few rights', () => {
  it.each([0, 1])('needs only what the README lists, in database %i', async (db) => {
    expect(listed.length).toBeGreaterThan(10)
    await everything(await storeWith('lastgood', listed, db))
  })

  it.each([
    [
      'a user without +select',
      1,
      listed.filter((right) => right !== '+select'),
      'the user is not allowed what a client needs',
    ],
    ['a database that is not there', 99, listed, 'it has no such database'],
  ])('of %s is told instead of being served from database 0', async (_, db, rights, problem) => {
    const store = await storeWith(`nowhere-${db}`, rights, db)
    const told = { code: 'store-unavailable', message: expect.stringContaining(problem) }
    for (const _again of ['before it is connected', 'after that']) {
      expect(await rejection(leaseOf(store, 's'))).toMatchObject(told)
      expect(await rejection(collect(store.list()))).toMatchObject(told)
    }
  })

  it.each([
    ['remove', (store: Store) => store.remove('idle')],
    ['acquire', (store: Store) => leaseOf(store, 'idle')],
    ['shared.write', (store: Store) => store.shared.write('key', 0, 'value')],
  ])('that cannot choose its database changes nothing in database 0 with a first %s', async (_, first) => {
    const { store, prefix, redis } = openStore(server.url)
    const lease = await leaseOf(store, 'idle')
    await appendSome(store, lease, 0, 2)
    await store.release(lease)
    const before = await redis.dump(`${prefix}:{idle}:session`)
    const unconnected = redisStore(client(server.url, { db: 99, lazyConnect: true }), { prefix })
    expect(await rejection(first(unconnected))).toMatchObject({ code: 'store-unavailable' })
    expect(await redis.dump(`${prefix}:{idle}:session`)).toEqual(before)
    expect(await collect(store.read('idle'))).toHaveLength(2)
    expect(await store.shared.list('')).toEqual([])
  })

  it.each(['made just now', 'connected before'])(
    'whose client nobody listens to is told of a database that is not there, also where it is %s',
    async (when) => {
      // There ioredis prints what it cannot tell anybody.
      const print = vi.spyOn(console, 'error').mockImplementation(() => {})
      const deaf = new Redis(server.url, { db: 99 })
      onTestFinished(() => (deaf.disconnect(), print.mockRestore()))
      if (when === 'connected before') await deaf.ping()
      const { redis, prefix } = openStore(server.url)
      expect(await rejection(leaseOf(redisStore(deaf, { prefix }), 's'))).toMatchObject({
        code: 'store-unavailable',
        message: expect.stringContaining('it has no such database'),
      })
      expect(await redis.keys(`${prefix}:*`)).toEqual([])
    },
  )

  it('keeps the database that the owner of the client has chosen since', async () => {
    const { redis, store, key } = openStore(server.url, { db: 1 })
    await redis.select(2)
    await leaseOf(store, 's')
    expect(await client(server.url, { db: 2 }).exists(key('s', 'session'))).toBe(1)
  })

  it('sees more of the settings with the one that the README adds', async () => {
    expect(readme).toContain('see more with `+config|get`')
    await client(server.url).config('SET', 'appendfsync', 'everysec')
    const findingsWith = async (username: string, rights: string[]) => {
      return (await storeWith(username, rights)).findings()
    }
    const few = await findingsWith('few', listed)
    expect(few.map(({ what }) => what)).toEqual([expect.stringContaining('CONFIG GET is not allowed')])
    const more = await findingsWith('more', [...listed, '+config|get'])
    expect(more.map(({ what }) => what)).toEqual(['appendfsync everysec'])
    await client(server.url).config('SET', 'appendfsync', 'always')
  })

  it.each(listed.filter((right) => right !== '+info' && right !== '+select'))(
    'is told when %s is missing, so the list is not too long',
    async (right) => {
      const others = listed.filter((one) => one !== right)
      // The scripts are there from the test before, unless the right to send them is the question.
      if (right === '+eval') await flushScripts()
      const store = await storeWith(`without-${right.slice(1)}`, others)
      expect(await rejection(everything(store))).toMatchObject({
        code: 'store-unavailable',
        hint: expect.stringContaining('ACL'),
      })
    },
  )
})

describe('the findings of a user who lacks a right', () => {
  /** A store of a new user: `~` in its rights is followed by the prefix of the store. */
  async function examined(rights: readonly string[], keyPrefix = '') {
    const { redis, prefix } = openStore(server.url)
    const mine = rights.map((right) => right.replace(/^(%R)?~:/, `$1~${keyPrefix}${prefix}:`))
    await redis.acl('SETUSER', prefix, 'on', '>pass', ...mine)
    const own = client(server.url, { username: prefix, password: 'pass', keyPrefix })
    const store = redisStore(own, { prefix })
    const dangers = async () => (await store.findings()).filter(({ severity }) => severity === 'danger')
    return { admin: redis, prefix, store, dangers }
  }

  const all = ['~:*', ...listed]
  const without = (...rights: string[]) => all.filter((right) => !rights.includes(right))
  const writing = ['+hset', '+hdel', '+rpush', '+unlink', '+zadd', '+zrem']

  it.each([
    ...without('~:*', '+info', '+select', '+eval').map((right) => [right, without(right), [right], [right]] as const),
    ['+eval', without('+eval'), ['+eval'], all],
    ['its keys', listed, ['~:*'], all],
    ['its keys, with those of another application', ['~other:*', ...listed], ['~:*'], all],
    ['more than reading its keys', ['%R~:*', ...listed], ['~:*'], all],
    ['the keys that are of no session', ['~:{*', ...listed], ['~:*'], all],
    ['scripts', [...all, '-@scripting'], ['+eval'], all],
    ['writing', [...all, '-@write'], writing, writing],
  ] as const)('%s: names it, and the line that grants it, which suffices', async (_, rights, lacked, grants) => {
    const { admin, prefix, store, dangers } = await examined(rights)
    const named = (words: readonly string[], quote = '') =>
      words.join(' ').replace('~:*', `${quote}~${prefix}:*${quote}`)
    const grant = `ACL SETUSER ${prefix} ${named(grants, "'")}`
    expect(await dangers()).toMatchObject([
      {
        what: `the user ${prefix} lacks rights of the store: ${named(lacked)}`,
        mend: `redis-cli -u ${server.url}/0 ${grant}`,
      },
    ])
    await admin.call(...(grant.replaceAll("'", '').split(' ') as [string]))
    expect(await dangers()).toEqual([])
    await everything(store)
  })

  it('name all that is lacking at once, under the key prefix of the client, and leave no key', async () => {
    const { admin, prefix, dangers } = await examined(without('+hset', '+rpush'), 'app:')
    expect((await dangers()).map(({ what }) => what)).toEqual([expect.stringMatching(/: \+hset \+rpush$/)])
    expect(await admin.keys(`*${prefix}*`)).toEqual([])
  })

  it('are none for one who has them all, and the store tells the others where to ask', async () => {
    expect(await (await examined(all)).dangers()).toEqual([])
    const { store } = await examined(without('+hset'))
    const address = `${server.url.replace('//', '//<user>:<password>@')}/0`
    expect(await rejection(leaseOf(store, 's'))).toMatchObject({
      hint: `see which right is missing, and the ACL line that grants it: lastgood doctor --store '${address}'`,
    })
  })
})

async function flushScripts(): Promise<void> {
  const admin = new Redis(server.url)
  await admin.script('FLUSH')
  admin.disconnect()
}
