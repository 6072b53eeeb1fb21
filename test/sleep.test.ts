/** A laptop closed while its session waits, or a clock set forward: attempts that were not made are not used up. */
import { defineAgent, recoverable } from '@lastgood/anthropic'
import { memoryStore, type PolicyOptions, type SleepOptions } from '@lastgood/core'
import { ManualClock } from '@lastgood/core/testing'
import { reply, text, type Outage } from '@lastgood/outage-lab'
import { describe, expect, test } from 'vitest'
import { task } from './support/counting-story.ts'
import { answeringClient, failed, model } from './support/answering-api.ts'
import { entriesOf, openTestSession, startTestLab } from './support/harness.ts'
import { said, started } from './support/scripted-api.ts'

const hourMs = 3_600_000

/** Its waits cost nothing, and in the first of them it sleeps on for so long. */
class Laptop extends ManualClock {
  #sleepsMs: number
  #sleptMs = 0

  constructor(sleepsMs: number) {
    super({ autoAdvance: true })
    this.#sleepsMs = sleepsMs
  }

  override now(): number {
    return super.now() + this.#sleptMs
  }

  sleep(ms: number): void {
    this.#sleptMs += ms
  }

  override async sleepUntil(instant: number, options?: SleepOptions): Promise<void> {
    await super.sleepUntil(instant - this.#sleptMs, options)
    if (options?.background) return
    this.sleep(this.#sleepsMs)
    this.#sleepsMs = 0
  }
}

const failing = (n: number): Outage => ({ when: { request: n }, fault: { kind: 'status', status: 529 } })

async function run(sleepsMs: number, failures: number, policy: PolicyOptions = {}) {
  const outages = Array.from({ length: failures }, (_, at) => failing(at + 1))
  const { client, lab } = await startTestLab({ model: () => reply(text('done')), outages })
  const store = memoryStore()
  const session = await openTestSession(store, { clock: new Laptop(sleepsMs), policy })
  const agent = defineAgent({ name: 'a', client, model: 'claude-opus-5-5' })
  const [end] = await Promise.allSettled([session.run(agent, task)])
  const resumed = (await entriesOf(store)).filter(({ type }) => type === 'session-resumed').length
  return { end, resumed, requests: lab.requests.length }
}

test('a session that sleeps for longer than its horizon goes on trying when it wakes up (P6)', async () => {
  expect(await run(30 * hourMs, 3)).toMatchObject({ end: { status: 'fulfilled' }, resumed: 1, requests: 4 })
})

test('and its horizon counts from there: what cannot win is given up', async () => {
  const { end, resumed } = await run(30 * hourMs, 1_000, { horizonMs: hourMs })
  expect(end).toMatchObject({
    reason: { code: 'session-suspended', message: expect.stringContaining('no progress within 60 min') },
  })
  expect(resumed).toBe(1)
})

test('a wait that ends some minutes late is no sleep', async () => {
  expect(await run(5 * 60_000, 3)).toMatchObject({ end: { status: 'fulfilled' }, resumed: 0, requests: 4 })
})

const reset = () => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })

/** A stream whose first events came; the machine sleeps while the rest is waited for, and then there is none. */
function cutAfter(sleep: () => void, left: string[]): Response {
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const piece = left.shift()
        if (piece === undefined) controller.error(reset())
        else controller.enqueue(new TextEncoder().encode(piece))
        if (left.length === 0) sleep()
      },
    },
    { highWaterMark: 0 },
  )
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
}

describe('a machine that sleeps for longer than its horizon while a request is under way goes on trying (P6), when', () => {
  const ping = 'event: ping\ndata: {"type":"ping"}\n\n'
  test.each<[string, (sleep: () => void) => Response | Promise<Response>]>([
    ['its connection is gone then', (sleep) => (sleep(), Promise.reject(reset()))],
    ['its refusal lies there', (sleep) => (sleep(), failed(529))],
    ['its stream is cut there', (sleep) => cutAfter(sleep, [started(), ping])],
    ['some of its stream lies there', (sleep) => cutAfter(sleep, [ping, started()])],
  ])('%s', async (_what, second) => {
    const clock = new Laptop(0)
    const store = memoryStore()
    const session = await openTestSession(store, { clock })
    const sleep = () => clock.sleep(30 * hourMs)
    const { client, calls } = answeringClient((_call, n) =>
      n === 1 || n === 3 ? failed(529) : n === 2 ? second(sleep) : said('done'),
    )
    const messages = [{ role: 'user' as const, content: 'Hello' }]
    const answer = await recoverable(client, session).messages.stream({ model, max_tokens: 9, messages }).finalMessage()
    expect(answer.content.at(-1)).toMatchObject({ text: 'done' })
    expect(calls).toHaveLength(4)
    expect((await entriesOf(store)).filter(({ type }) => type === 'session-resumed')).toHaveLength(1)
  })
})
