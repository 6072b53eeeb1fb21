import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openPlace } from '../test/fixture.ts'
import type { Row } from './due-index.ts'
import { keysUnder } from './keys.ts'

function openIndex() {
  const { index, redis, prefix } = openPlace()
  const keys = keysUnder(prefix)
  const claimAll = async (limit = 100): Promise<Row[]> => {
    const found = await Promise.all(index.shards.map((shard) => index.claim(shard, limit)))
    return found.flatMap(({ rows }) => rows)
  }
  const scoreOf = (id: string) => redis.zscore(keys.shardOf(id).rows, id)
  return { index, redis, keys, claimAll, scoreOf, prefix }
}

const idsOf = (rows: readonly Row[]) => rows.map(({ sessionId }) => sessionId).sort()

describe('the due index', () => {
  it('gives a due row to one of many who ask, and to the next when that one does not settle it', async () => {
    const { index, claimAll, redis, keys } = openIndex()
    const ids = Array.from({ length: 50 }, (_, i) => `s-${i}`).sort()
    for (const id of ids) await index.put(id, 0)
    const claims = await Promise.all([claimAll(), claimAll(), claimAll()])
    expect(idsOf(claims.flat())).toEqual(ids)
    expect(await claimAll()).toEqual([])
    // Its feeder died, and its time has passed.
    await redis.zadd(keys.shardOf('s-7').rows, 1, 's-7')
    expect(idsOf(await claimAll())).toEqual(['s-7'])
  })

  it('gives up to as many as were asked for, the oldest first, and says how many there are', async () => {
    const { index, redis, keys } = openIndex()
    const shard = keys.shardOf('s')
    for (let i = 0; i < 10; i++) await redis.zadd(shard.rows, 10 - i, `s-${i}`)
    const { size, rows } = await index.claim(shard, 3)
    expect({ size, ids: rows.map(({ sessionId }) => sessionId) }).toEqual({ size: 10, ids: ['s-9', 's-8', 's-7'] })
  })

  it('a row that was written anew since it was looked at stays', async () => {
    const { index, claimAll, scoreOf } = openIndex()
    await index.put('s', 0)
    const [row] = await claimAll()
    await index.put('s', 5_000)
    const before = await scoreOf('s')
    await index.settle('s', row?.score, 'remove', 'keep')
    await index.settle('s', row?.score, 60_000, 'keep')
    expect(await scoreOf('s')).toBe(before)
    await index.settle('s', Number(before), 'remove', 'keep')
    expect(await scoreOf('s')).toBeNull()
  })

  it('remembers that a person waits, until the row is gone', async () => {
    const { index, claimAll, redis, keys } = openIndex()
    await index.put('s', 0, 'interactive')
    await index.put('t', 0, 'interactive')
    await index.put('t', 0, 'batch')
    await index.put('s', 0)
    const rows = await claimAll()
    expect(Object.fromEntries(rows.map(({ sessionId, priority }) => [sessionId, priority]))).toEqual({
      s: 'interactive',
      t: 'batch',
    })
    for (const { sessionId, score } of rows) await index.settle(sessionId, score, 'remove', 'keep')
    expect(
      await redis.exists(...keys.shards.flatMap(({ rows: r, interactive, starts }) => [r, interactive, starts])),
    ).toBe(0)
  })

  it('counts starts until one ends, and takes back one that was none', async () => {
    const { index } = openIndex()
    expect((await index.start('s', 1_000)).starts).toBe(1)
    expect((await index.start('s', 1_000)).starts).toBe(2)
    await index.settle('s', undefined, 'keep', 'undo')
    expect((await index.start('s', 1_000)).starts).toBe(2)
    await index.settle('s', undefined, 'keep', 'clear')
    expect((await index.start('s', 1_000)).starts).toBe(1)
    await index.settle('s', undefined, 'keep', 'undo')
    expect(await index.counts()).toEqual({ due: 0, later: 1, started: 0 })
  })

  it('is moved forward, never back, by who knows of an earlier instant only', async () => {
    const { index, scoreOf } = openIndex()
    await index.putEarlier('s', 0)
    expect(await scoreOf('s')).toBeNull()
    await index.putIfMissing('s', 60_000)
    const before = await scoreOf('s')
    await index.putIfMissing('s', 0)
    await index.putEarlier('s', 120_000)
    expect(await scoreOf('s')).toBe(before)
    await index.putEarlier('s', 1_000)
    expect(Number(await scoreOf('s'))).toBeLessThan(Number(before) - 50_000)
  })

  it('spreads sessions over its shards, each always in the same one', () => {
    const { shards, shardOf } = keysUnder('p')
    const counts = new Map(shards.map((shard) => [shard, 0]))
    for (let i = 0; i < 1_600; i++) counts.set(shardOf(`s-${i}`), (counts.get(shardOf(`s-${i}`)) ?? 0) + 1)
    expect(Math.min(...counts.values())).toBeGreaterThan(50)
  })

  it('whatever feeders do and whenever they die, no row is lost but one whose last look found nothing', async () => {
    const { index, scoreOf, redis, keys } = openIndex()
    const step = fc.oneof(
      fc.record({ do: fc.constant('put' as const), inMs: fc.nat(3) }),
      fc.record({ do: fc.constant('look' as const), finds: fc.constantFrom('nothing', 'later', 'dies') }),
      fc.record({ do: fc.constant('start' as const) }),
    )
    const shard = keys.shardOf('s')
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        await redis.del(shard.rows, shard.starts, shard.interactive)
        let isThere = false
        for (const one of steps) {
          if (one.do === 'put') await index.put('s', one.inMs)
          if (one.do === 'start') await index.start('s', 0)
          if (one.do !== 'look') isThere = true
          else {
            if (isThere) await redis.zadd(shard.rows, 'XX', 1, 's')
            const { rows } = await index.claim(shard, 5)
            expect(rows.length).toBe(isThere ? 1 : 0)
            for (const { score } of rows) {
              if (one.finds === 'nothing') await index.settle('s', score, 'remove', 'keep')
              if (one.finds === 'later') await index.settle('s', score, 5, 'keep')
            }
            if (one.finds === 'nothing') isThere = false
          }
          expect((await scoreOf('s')) !== null).toBe(isThere)
        }
      }),
      { numRuns: 60 },
    )
  })
})
