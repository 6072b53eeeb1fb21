/** A session that a newer release wrote, met by a worker of this one: `v` one above what it reads stands for that. */
import { journalVersion } from '@lastgood/core'
import { describe, expect, it } from 'vitest'
import { agentOf, expectEnded, openPlace, openTurn, patient, type Place } from '../test/fixture.ts'

const newer = (json: string | null) => JSON.stringify({ ...(JSON.parse(json ?? '') as object), v: journalVersion + 1 })

/** More looks than starts that may end unseen. */
const [looks, crashLimit] = [3, 1]

/** Head and entries as they are kept, without the lease. */
async function recorded({ redis, prefix }: Place) {
  const head = await redis.hget(`${prefix}:{s}:session`, 'head')
  return { head, entries: await redis.lrange(`${prefix}:{s}:journal`, 0, -1) }
}

const fenceOf = async ({ redis, prefix }: Place) => Number(await redis.hget(`${prefix}:{s}:session`, 'fence'))

describe('a session of a newer release is left alone by a worker of an older one', () => {
  it('P6: found in the queue: no start is counted, no lease taken, and a newer worker goes on with it', async () => {
    const place = openPlace()
    const { start, redis, prefix, store, told, index } = place
    const older = start({ coder: agentOf('coder') }, { crashLimit })
    await older.pause('coder')
    await older.submit('s', 'Go.', { agent: 'coder' })
    const key = `${prefix}:{s}:session`
    const head = (await redis.hget(key, 'head')) ?? ''
    await redis.hset(key, 'head', newer(head))
    const [before, fence] = [await recorded(place), await fenceOf(place)]
    await older.resume('coder')
    await expect
      .poll(() => told, patient)
      .toContainEqual({ kind: 'unreadable', sessionId: 's', code: 'journal-version' })
    await expect
      .poll(() => older.status(), patient)
      .toMatchObject({ agents: { coder: { waiting: 0, active: 0 } }, due: 0, later: 1, started: 0 })
    expect([await recorded(place), await fenceOf(place)]).toEqual([before, fence])
    await older.close()

    await redis.hset(key, 'head', head)
    await index.put('s', 0)
    start({ coder: agentOf('coder') }, { crashLimit })
    await expectEnded(store, ['s'])
  })

  it('P6: whose head it can read: a start that could not open it does not count, however often it is tried', async () => {
    const place = openPlace()
    const { start, redis, prefix, store, told, index } = place
    await openTurn(store, 's', 'coder')
    const journal = `${prefix}:{s}:journal`
    const last = (await redis.lrange(journal, -1, -1))[0] ?? ''
    await redis.lset(journal, -1, newer(last))
    const before = await recorded(place)
    const older = start({ coder: agentOf('coder') }, { crashLimit })
    for (let look = 1; look <= looks; look++) {
      const fence = await fenceOf(place)
      await index.put('s', 0)
      await expect.poll(() => fenceOf(place), patient).toBeGreaterThan(fence)
      await expect
        .poll(() => older.status(), patient)
        .toMatchObject({ agents: { coder: { waiting: 0, active: 0 } }, due: 0, later: 1, started: 0 })
    }
    expect(await recorded(place)).toEqual(before)
    expect(await store.summary('s')).toMatchObject({ head: { status: 'running' }, holder: null })
    expect(told.filter(({ kind }) => kind !== 'submitted')).toEqual([
      { kind: 'unreadable', sessionId: 's', code: 'journal-version' },
    ])
    await older.close()

    await redis.lset(journal, -1, last)
    await index.put('s', 0)
    start({ coder: agentOf('coder') }, { crashLimit })
    await expectEnded(store, ['s'])
  })
})
