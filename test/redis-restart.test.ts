/** Whole sessions on a real clock whose Redis server goes away in the middle: within their patience, and longer. */
import { openSession, type SessionOptions, type Store } from '@lastgood/core'
import { redisStore } from '@lastgood/redis'
import { reply, story, text, toolUse } from '@lastgood/outage-lab'
import { Redis } from 'ioredis'
import { describe, expect, test, onTestFinished } from 'vitest'
import { countingAgent, countingStory, Effects, task } from './support/counting-story.ts'
import { entriesOf, startTestLab } from './support/harness.ts'
import { startRedis, type StartOptions } from './support/redis-server.ts'

const patient = { timeout: 10_000 }

async function ownServer(options: StartOptions = {}) {
  const server = await startRedis(options)
  onTestFinished(() => server.stop())
  // What is asked while there is no connection fails at once, so that the session's patience is what counts.
  const redis = new Redis(server.url, { maxRetriesPerRequest: 0, retryStrategy: () => 20 })
  redis.on('error', () => {})
  onTestFinished(() => redis.disconnect())
  return { server, redis, store: redisStore(redis) }
}

async function openHere(store: Store, options: SessionOptions = {}) {
  const session = await openSession('ses', { store, ...options })
  onTestFinished(() => session.close().catch(() => {})) // its server may be gone
  return session
}

/** Counts the appends that `store` could not do. */
function counted(store: Store) {
  const counting = {
    refused: 0,
    store: {
      ...store,
      append: (...args: Parameters<Store['append']>) =>
        store.append(...args).catch((error: unknown) => {
          counting.refused += 1
          throw error
        }),
    } satisfies Store,
  }
  return counting
}

/** An append has met the dead server. */
async function afterARefusal(refused: () => number): Promise<void> {
  await expect.poll(refused, patient).toBeGreaterThan(1)
}

describe('a session whose Redis server is killed in the middle of a turn', () => {
  test('P1, P2: rides through a restart within its patience: every tool ran once, every entry is there', async () => {
    const { server, store } = await ownServer()
    const { client } = await startTestLab({ model: countingStory })
    const counting = counted(store)
    const session = await openHere(counting.store)
    const effects = new Effects()
    let restarted: Promise<void> | undefined
    const agent = countingAgent(
      {
        async count(input) {
          const result = effects.count(input)
          if (effects.runs.length === 2) {
            await server.kill('SIGKILL')
            restarted = afterARefusal(() => counting.refused).then(() => server.restart())
          }
          return result
        },
      },
      client,
    )
    expect(await session.run(agent, task)).toMatchObject({ turn: 1, text: 'done' })
    await restarted
    expect(counting.refused).toBeGreaterThan(1)
    expect(effects.runs).toEqual([1, 2, 3, 4])
    const entries = await entriesOf(store)
    expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, i) => i + 1))
    expect(entries.filter(({ type }) => type === 'tool-finished')).toHaveLength(4)
    expect((await store.summary('ses'))?.head).toMatchObject({ status: 'idle', turn: 1, lastGoodTurn: 1 })
  })

  test('P1, P2: goes on where the server came back with an older snapshot: what it had lost is there again, and every tool ran once', async () => {
    const { server, redis, store } = await ownServer({ args: ['--appendonly', 'no'] })
    const { client } = await startTestLab({ model: countingStory })
    const session = await openHere(store)
    const backfilled: number[] = []
    session.subscribe((event) => void (event.type === 'backfilled' && backfilled.push(event.entries)))
    const effects = new Effects()
    const agent = countingAgent(
      {
        async count(input) {
          const result = effects.count(input)
          if (effects.runs.length === 2) await redis.save()
          if (effects.runs.length === 4) {
            await server.kill('SIGKILL')
            await server.restart()
            await expect.poll(() => redis.status, patient).toBe('ready')
            expect((await store.summary('ses'))?.head.seq).toBeLessThan(session.seq)
          }
          return result
        },
      },
      client,
    )
    expect(await session.run(agent, task)).toMatchObject({ turn: 1, text: 'done' })
    expect(backfilled).toEqual([expect.any(Number)])
    expect(effects.runs).toEqual([1, 2, 3, 4])
    const entries = await entriesOf(store)
    expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, i) => i + 1))
    expect(entries.filter(({ type }) => type === 'tool-finished')).toHaveLength(4)
    expect((await store.summary('ses'))?.head).toMatchObject({ status: 'idle', turn: 1, lastGoodTurn: 1 })
  })

  test('P5: ends with the reason when its patience does, starts nothing more, and goes on later with nothing lost', async () => {
    const { server, redis, store } = await ownServer()
    let shown = ''
    let requests = 0
    const { client } = await startTestLab({
      model: story([
        () => {
          requests += 1
          return reply([toolUse('count', { n: 1 })])
        },
        ({ messages }) => {
          requests += 1
          shown = JSON.stringify(messages.at(-1))
          return reply(text('done'))
        },
      ]),
    })
    const effects = new Effects()
    const agent = countingAgent(
      {
        async count(input) {
          const result = effects.count(input)
          await server.kill('SIGKILL')
          return result
        },
      },
      client,
    )
    const session = await openHere(store, { storePatienceMs: 300 })
    const error = await session.run(agent, task).catch((thrown: unknown) => thrown)
    const unavailable = {
      code: 'store-unavailable',
      message: `the store at ${server.url}/0 cannot answer: no connection`,
      hint: expect.stringContaining(`redis-cli -u ${server.url}/0 ping`),
    }
    expect(error).toMatchObject(unavailable)
    expect(session.signal.reason).toMatchObject(unavailable)
    expect({ requests, runs: effects.runs }).toEqual({ requests: 1, runs: [1] })

    await server.restart()
    await expect.poll(() => redis.status, patient).toBe('ready')
    await session.close()
    const again = await openHere(store)
    expect(await again.run(agent)).toMatchObject({ turn: 1, text: 'done' })
    // Its result was never recorded, so the model is told, and the tool is not run a second time.
    expect(shown).toContain('outcome is unknown')
    expect({ requests, runs: effects.runs }).toEqual({ requests: 2, runs: [1] })
  })

  test('P3: is told that it is no longer its writer when the server comes back empty, and writes nothing there', async () => {
    const { server, redis, store } = await ownServer({ args: ['--appendonly', 'no'] })
    const session = await openHere(store)
    await session.startTurn([{ role: 'user', content: 'Hello' }])
    await server.kill('SIGKILL')
    await server.restart()
    await expect.poll(() => redis.status, patient).toBe('ready')
    const next = session.record([{ type: 'session-suspended', reason: 'interrupted', detail: 'a test' }])
    await expect(next).rejects.toMatchObject({ code: 'lease-lost' })
    expect(session.signal.aborted).toBe(true)
    expect(await redis.keys('*')).toEqual([])
  })
})
