/** Sessions that are forked, moved and removed, with the real SDK against the lab and on a real Redis. */
import { randomUUID } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { defineAgent, tool, type CodingAgent } from '@lastgood/anthropic'
import {
  exportSession,
  forkSession,
  importSession,
  memoryStore,
  openSession,
  removeSession,
  type Store,
} from '@lastgood/core'
import { fileStore } from '@lastgood/core/file'
import { reply, text, thinking, toolUse, type Conversation, type Lab } from '@lastgood/outage-lab'
import { redisStore } from '@lastgood/redis'
import { Redis } from 'ioredis'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { project, run } from '../packages/cli/test/context.ts'
import { newFolder } from './support/folder.ts'
import { jumpingClock, startTestLab } from './support/harness.ts'

/** Thinks, counts once in each turn, and says what came of it. */
function model({ messages }: Conversation) {
  const last = messages.at(-1)?.content.at(-1)
  if (last?.type !== 'tool_result') return reply([thinking('I count.'), toolUse('count', { n: messages.length })])
  return reply(text(`counted after ${messages.length}`))
}

/** One of its files is large enough to be kept apart. */
const long = 'x'.repeat(100_000)

async function lab(): Promise<{ lab: Lab; agent: CodingAgent; keys: string[] }> {
  const { lab, client } = await startTestLab({ model })
  const keys: string[] = []
  const count = tool({
    name: 'count',
    description: 'Counts.',
    input: z.object({ n: z.number() }),
    run: (_input, { idempotencyKey }) => (keys.push(idempotencyKey), long),
  })
  const agent = defineAgent({ name: 'counter', client, model: 'claude-opus-5-5', system: 'Count.', tools: [count] })
  return { lab, agent, keys }
}

async function turns(store: Store, id: string, agent: CodingAgent, ...asks: string[]): Promise<void> {
  const session = await openSession(id, { store, clock: jumpingClock() })
  for (const ask of asks) await session.run(agent, ask)
  await session.close()
}

const messagesIn = (lab: Lab) =>
  lab.requests.map(({ body }) => JSON.stringify(body?.messages?.map(({ role, content }) => ({ role, content }))))
const withoutMarkers = (raw: string) => raw.replaceAll(/,?"cache_control":\{[^}]*\}/g, '')

describe('a fork', () => {
  test('sends what its parent sent, to the byte, and then its own; keys of calls are its own (P2, P4)', async () => {
    const { lab: api, agent, keys } = await lab()
    const store = memoryStore()
    await turns(store, 'a', agent, 'one', 'two', 'three')
    const sentByParent = messagesIn(api).map(withoutMarkers)
    await forkSession(store, 'a', 'b', { turn: 2 })
    await Promise.all([turns(store, 'b', agent, 'otherwise'), turns(store, 'a', agent, 'four')])
    expect(api.requests.filter(({ violation }) => violation)).toEqual([])
    const forked = messagesIn(api)
      .map(withoutMarkers)
      .filter((sent) => sent.includes('otherwise'))
    expect(forked).toHaveLength(2)
    // The first request of turn 3, up to its question, which is the last message.
    const shared = (sentByParent[4] ?? '').slice(0, -'{"role":"user","content":"three"}]'.length)
    expect(shared.length).toBeGreaterThan(200_000)
    for (const sent of forked) expect(sent.startsWith(shared)).toBe(true)
    const cached = api.requests.flatMap(({ raw, outcome }) => (raw.includes('otherwise') ? [outcome.usage] : []))
    expect(cached[0]?.cache_read_input_tokens).toBeGreaterThan(0)
    expect(new Set(keys).size).toBe(keys.length)
    expect(keys.filter((key) => key.startsWith('b:'))).toHaveLength(1)
  })

  test('of a fork of forks goes on, and what is kept apart is found beside the journals that it is in', async () => {
    const { lab: api, agent } = await lab()
    const store = memoryStore()
    await turns(store, 's0', agent, 'ask 0')
    for (let n = 1; n <= 4; n += 1) {
      await forkSession(store, `s${n - 1}`, `s${n}`)
      await turns(store, `s${n}`, agent, `ask ${n}`)
    }
    expect((await store.summary('s4'))?.head).toMatchObject({ turn: 5, lastGoodTurn: 5 })
    expect(api.requests.filter(({ violation }) => violation)).toEqual([])
    expect(api.requests.at(-1)?.body?.messages).toHaveLength(4 * 4 + 3)
  })
})

describe('an imported session', () => {
  test('goes on with a real turn from where it was, on another store and in the middle of a turn (P1, P4)', async () => {
    const { lab: api, agent, keys } = await lab()
    const dir = newFolder()
    const source = fileStore({ dir })
    await turns(source, 'a', agent, 'one')
    const session = await openSession('a', { store: source, clock: jumpingClock() })
    // Its process dies with the request of turn 2 on its way.
    await session.startTurn([{ role: 'user', content: 'two' }], 'counter')
    await session.close()
    const lines: string[] = []
    for await (const line of exportSession(source, 'a')) lines.push(line.slice(0, -1))
    const target = memoryStore()
    const imported = await importSession(
      target,
      async function* () {
        yield* lines
      },
      { as: 'b' },
    )
    expect(imported.head).toMatchObject({ turn: 2, lastGoodTurn: 1, status: 'running', agent: 'counter' })
    const again = await openSession('b', { store: target, clock: jumpingClock() })
    const answer = await again.run(agent)
    await again.close()
    expect(answer).toMatchObject({ turn: 2, text: 'counted after 7' })
    expect(api.requests.filter(({ violation }) => violation)).toEqual([])
    expect(api.requests.at(-1)?.outcome.usage?.cache_read_input_tokens).toBeGreaterThan(0)
    expect(keys.map((key) => key.split(':')[0])).toEqual(['a', 'b'])
  })
})

describe('a session that is removed leaves nothing behind', () => {
  test('in Redis: no key of its, in the whole server', async () => {
    const redis = new Redis(inject('redisUrl'))
    onTestFinished(() => redis.disconnect())
    const prefix = `moving:${randomUUID()}`
    const store = redisStore(redis, { prefix })
    const { agent } = await lab()
    await turns(store, 'a', agent, 'one')
    await forkSession(store, 'a', 'b')
    const keysThere = async () => {
      const keys: string[] = []
      for await (const some of redis.scanStream({ match: `${prefix}*` })) keys.push(...(some as string[]))
      return keys.sort()
    }
    expect(await keysThere()).toEqual(expect.arrayContaining([`${prefix}:{a}:blobs`, `${prefix}:{b}:journal`]))
    await expect(removeSession(store, 'a')).rejects.toMatchObject({ code: 'bad-option' })
    for (const id of ['b', 'a']) await removeSession(store, id)
    // What sessions share of the provider is of none of them.
    expect(await keysThere()).toEqual([`${prefix}:shared`])
  })

  test('in Redis, by prune: the database is empty', async () => {
    const url = `${inject('redisUrl')}/13`
    const redis = new Redis(url)
    onTestFinished(() => redis.disconnect())
    await redis.flushdb()
    const { agent } = await lab()
    const store = redisStore(redis)
    await turns(store, 'a', agent, 'one')
    await forkSession(store, 'a', 'b', { ttlMs: 1 })
    // What sessions share of the provider is of none of them.
    await redis.del('lastgood:shared')
    expect(await redis.dbsize()).toBeGreaterThan(4)
    const { cwd } = project()
    const { code, stdout } = await run(['prune', '--older-than', '0s', '--yes', '--json'], {
      cwd,
      env: { REDIS_URL: url },
    })
    expect({ code, removed: (JSON.parse(stdout) as { removed: string[] }).removed }).toEqual({
      code: 0,
      removed: ['b', 'a'],
    })
    expect(await redis.keys('*')).toEqual([])
  })

  test('in files: no file of its', async () => {
    const dir = newFolder()
    const store = fileStore({ dir })
    const { agent } = await lab()
    await turns(store, 'a', agent, 'one')
    await forkSession(store, 'a', 'b')
    expect(readdirSync(join(dir, 'sessions'))).toEqual(expect.arrayContaining(['a.blobs', 'a.jsonl', 'b.jsonl']))
    for (const id of ['b', 'a']) await removeSession(store, id)
    expect(readdirSync(join(dir, 'sessions'))).toEqual([])
  })
})
