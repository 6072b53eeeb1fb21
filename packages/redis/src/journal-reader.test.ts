import { setImmediate } from 'node:timers/promises'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { appendSome, collect, headAt, leaseOf, openStore, rejection, someEntries, someOwner } from '../test/fixture.ts'
import { redisStore } from './redis-store.ts'

const url = inject('redisUrl')

describe('read', () => {
  it.each([0, 1, 99, 100, 101, 250])('gives 250 entries after %i in chunks', async (afterSeq) => {
    const { store } = openStore(url)
    await appendSome(store, await leaseOf(store, 's'), 0, 250)
    const seqs = (await collect(store.read('s', afterSeq))).map((entry) => entry.seq)
    expect(seqs).toEqual(Array.from({ length: 250 - afterSeq }, (_, i) => afterSeq + 1 + i))
  })

  it('gives what was there when it began, and later entries to the next read', async () => {
    const { store } = openStore(url)
    const lease = await leaseOf(store, 's')
    await appendSome(store, lease, 0, 150)
    const seqs: number[] = []
    for await (const { seq } of store.read('s')) {
      if (seqs.push(seq) === 1) await appendSome(store, lease, 150, 150)
    }
    expect(seqs.at(-1)).toBe(150)
    expect(await collect(store.read('s', 150))).toHaveLength(150)
  })

  it('that is left early leaves no failure behind', async () => {
    const { store, redis, prefix } = openStore(url)
    await appendSome(store, await leaseOf(store, 's'), 0, 250)
    let isFirst = true
    const lrangeBuffer = async (key: string, start: number, stop: number) => {
      if (!isFirst) throw new Error('Connection is closed.')
      isFirst = false
      return redis.lrangeBuffer(key, start, stop)
    }
    const cut = redisStore(Object.assign(Object.create(redis) as typeof redis, { lrangeBuffer }), { prefix })
    const unhandled: unknown[] = []
    const note = (error: unknown) => unhandled.push(error)
    process.on('unhandledRejection', note)
    onTestFinished(() => void process.off('unhandledRejection', note))
    for await (const { seq } of cut.read('s')) {
      expect(seq).toBe(1)
      break
    }
    await setImmediate()
    expect(isFirst).toBe(false)
    expect(unhandled).toEqual([])
  })

  it('reports a lost tail instead of a shorter journal (a server that lost its last writes)', async () => {
    const { store, redis, key } = openStore(url)
    const lease = await leaseOf(store, 's')
    await appendSome(store, lease, 0, 150)
    await redis.ltrim(key('s', 'journal'), 0, 119)
    const error = await rejection(collect(store.read('s')))
    expect(error).toMatchObject({
      code: 'journal-corrupt',
      message: expect.stringContaining('the head is at entry 150, but the journal has 120'),
    })
    expect(await rejection(appendSome(store, lease, 150))).toMatchObject({ code: 'journal-corrupt' })
  })

  it('reports a journal without its head (an eviction), to readers and writers', async () => {
    const { store, redis, key } = openStore(url)
    await appendSome(store, await leaseOf(store, 's'), 0, 2)
    await redis.del(key('s', 'session'))
    const seqs: number[] = []
    const reading = (async () => {
      for await (const { seq } of store.read('s')) seqs.push(seq)
    })()
    expect(await rejection(reading)).toMatchObject({ code: 'journal-corrupt' })
    // What is there can be looked at.
    expect(seqs).toEqual([1, 2])
    expect(await rejection(collect(store.read('s', 2)))).toMatchObject({ code: 'journal-corrupt' })
    expect(await rejection(appendSome(store, await leaseOf(store, 's'), 0))).toMatchObject({ code: 'journal-corrupt' })
  })

  it.each([
    ['not JSON', 'secret-text{', /not JSON/],
    [
      'a wrong sequence',
      JSON.stringify({ v: 1, seq: 9, at: 1, fence: 1, lane: 'main', type: 'turn-ended', turn: 1 }),
      /entry 9 stands where entry 2/,
    ],
    ['a foreign value', '{"secret-text":1}', /not a journal entry/],
  ])('reports %s with its place and without its content', async (_, value, message) => {
    const { store, redis, key } = openStore(url)
    await appendSome(store, await leaseOf(store, 's'), 0, 3)
    await redis.lset(key('s', 'journal'), 1, value)
    const error = await rejection(collect(store.read('s')))
    expect(error).toMatchObject({ code: 'journal-corrupt', message: expect.stringMatching(message) })
    expect(error).toMatchObject({ message: expect.stringContaining(`redis:${key('s', 'journal')}[1]`) })
    expect(String((error as Error).stack) + JSON.stringify(error)).not.toContain('secret-text')
  })

  it('reports a fence that shrinks', async () => {
    const { store, redis, key } = openStore(url)
    const first = await leaseOf(store, 's')
    const second = await store.acquire('s', someOwner(), 60_000, first.fence)
    if (second.kind === 'busy') throw new Error('busy')
    await appendSome(store, second, 0, 2)
    await redis.lset(key('s', 'journal'), 1, JSON.stringify({ ...someEntries(first, 1, 1)[0] }))
    expect(await rejection(collect(store.read('s')))).toMatchObject({
      message: expect.stringContaining('fence 1 follows fence 2'),
    })
  })

  it('of a session whose first entries come between its two looks raises no alarm', async () => {
    const { store, redis, prefix } = openStore(url)
    const lease = await leaseOf(store, 's')
    let isFirst = true
    const hget = async (key: string, field: string) => {
      const answer = await redis.hget(key, field)
      if (isFirst) await appendSome(store, lease, 0, 3)
      isFirst = false
      return answer
    }
    const slow = redisStore(Object.assign(Object.create(redis) as typeof redis, { hget }), { prefix })
    expect(await collect(slow.read('s'))).toEqual(someEntries(lease, 0, 3))
  })

  it('of a session that was removed meanwhile says so', async () => {
    const { store } = openStore(url)
    const lease = await leaseOf(store, 's')
    await appendSome(store, lease, 0, 250)
    await store.release(lease)
    const entries = store.read('s')[Symbol.asyncIterator]()
    await entries.next()
    await store.remove('s')
    const rest = async () => {
      while (!(await entries.next()).done);
    }
    expect(await rejection(rest())).toMatchObject({ code: 'session-not-found' })
  })

  it('of a head from a newer release stops and names the version', async () => {
    const { store, redis, key } = openStore(url)
    await appendSome(store, await leaseOf(store, 's'), 0)
    await redis.hset(key('s', 'session'), 'head', JSON.stringify({ ...headAt('s', 1), v: 99 }))
    expect(await rejection(store.summary('s'))).toMatchObject({ code: 'journal-version' })
    await redis.hset(key('s', 'session'), 'head', '{"v":1}')
    expect(await rejection(store.summary('s'))).toMatchObject({ code: 'journal-corrupt' })
  })
})
