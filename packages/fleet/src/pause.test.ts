import { systemClock } from '@lastgood/core'
import { expect, it, onTestFinished } from 'vitest'
import { agentOf, expectEnded, openPlace, openTurn, patient } from '../test/fixture.ts'
import { Agents } from './agents.ts'
import { fleetClient } from './client.ts'
import { copyOf } from './connection.ts'
import { keysUnder } from './keys.ts'
import { Queues } from './queue.ts'

function openClient() {
  const place = openPlace()
  const client = fleetClient({ store: place.store, connection: place.redis, prefix: place.prefix })
  onTestFinished(() => client.close())
  return { ...place, client }
}

it('a pause of all holds for an agent that has had no session yet, until all are resumed', async () => {
  const { client, store, start, told } = openClient()
  await client.pause()
  expect(await client.status()).toMatchObject({ agents: {}, paused: true })
  start({ coder: agentOf('coder') })
  await client.submit('s', 'Go.', { agent: 'coder' })
  await client.submit('t', 'Go.', { agent: 'writer' })
  const paused = { waiting: 1, active: 0, paused: true }
  await expect.poll(() => client.status(), patient).toMatchObject({ agents: { coder: paused, writer: paused } })
  expect(told).toEqual([])
  await client.resume()
  expect(await client.status()).toMatchObject({ paused: false })
  start({ writer: agentOf('writer'), painter: agentOf('painter') })
  await expectEnded(store, ['s', 't'])
  await expect.poll(() => client.status(), patient).toMatchObject({ agents: { painter: { paused: false } } })
})

it('an agent that comes while all are resumed is not left paused', async () => {
  const { redis, prefix, store } = openClient()
  const [copy, keys] = [copyOf(redis), keysUnder(prefix)]
  class Slow extends Queues {
    override async pause(agent: string) {
      await super.pause(agent)
      await redis.del(keys.paused)
    }
  }
  const queues = new Slow(copy, keys)
  onTestFinished(() => queues.close())
  await redis.set(keys.paused, '1')
  await new Agents(copy, keys, queues, { store, clock: systemClock }).enlist('coder')
  expect(await queues.look('coder')).toMatchObject({ paused: false })
})

it('an agent that is resumed alone goes on while the others stay paused', async () => {
  const { client, store } = openClient()
  await client.submit('s', 'Go.', { agent: 'coder' })
  await client.pause()
  await client.resume('coder')
  await client.submit('t', 'Go.', { agent: 'writer' })
  expect(await client.status()).toMatchObject({ agents: { coder: { paused: false }, writer: { paused: true } } })
  expect(await store.summary('t')).toMatchObject({ head: { turn: 1 } })
})

it('an agent that nobody knows is refused with those that are there, and leaves no key', async () => {
  const { client, keys } = openClient()
  await client.submit('s', 'Go.', { agent: 'coder' })
  const before = await keys()
  const told = expect.objectContaining({
    code: 'bad-option',
    message: 'the fleet has no agent "codr"; it has coder',
    details: { field: 'agent', agents: ['coder'] },
  })
  await expect(client.pause('codr')).rejects.toEqual(told)
  await expect(client.resume('codr')).rejects.toEqual(told)
  expect(await keys()).toEqual(before)
})

it('an agent of this very process can be paused before anybody has submitted for it', async () => {
  const { start } = openClient()
  const fleet = start({ coder: agentOf('coder') })
  await fleet.pause('coder')
  expect(await fleet.status()).toMatchObject({ agents: { coder: { paused: true } } })
})

it('what runs on although its job is gone is under way, with a finished step or without; what a dead worker began is not', async () => {
  const { client, start, store, index, redis, prefix, told } = openClient()
  let go = () => {}
  const gate = new Promise<void>((resolve) => (go = resolve))
  const agent = agentOf('coder', async (session) => {
    if (session.id === 'far') await session.step('count', {}, () => 1)
    await gate
  })
  start({ coder: agent })
  const ids = ['near', 'far']
  for (const id of ids) await client.submit(id, 'Go.', { agent: 'coder' })
  await expect.poll(() => index.counts(), patient).toMatchObject({ started: 1 })
  await expect.poll(() => told.filter(({ kind }) => kind === 'started').length, patient).toBe(2)
  await openTurn(store, 'left', 'coder')
  await index.start('left', 60_000)
  // As after five seconds without Redis.
  const queue = `{${prefix}:fleet}:coder`
  const jobs = await redis.lrange(`${queue}:active`, 0, -1)
  expect(jobs).toHaveLength(2)
  for (const job of jobs) await redis.del(`${queue}:${job}:lock`)
  await expect.poll(() => redis.llen(`${queue}:active`), patient).toBe(0)
  // The finished step of one is noted behind it.
  const underWay = { agents: { coder: { active: 2, waiting: 0 } }, started: 2 }
  await expect.poll(() => client.status(), patient).toMatchObject(underWay)
  go()
  await expectEnded(store, ids)
  await expect.poll(() => index.begun(), patient).toEqual(['left'])
  expect(await client.status()).toMatchObject({ agents: { coder: { active: 0 } } })
})

it('what a dead worker has in its hands is not under way: its lock has run out', async () => {
  const { client, redis, prefix } = openClient()
  await client.submit('s', 'Go.', { agent: 'coder' })
  const queue = `{${prefix}:fleet}:coder`
  await redis.lpush(`${queue}:active`, 'session-dead.2', 'session-alive.2')
  await redis.set(`${queue}:session-alive.2:lock`, 'token')
  expect(await client.status()).toMatchObject({ agents: { coder: { active: 1, waiting: 1 } } })
})
