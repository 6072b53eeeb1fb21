/** The promises where they bite, with the real SDK against the lab. */
import { defineAgent, recoverable, tool } from '@lastgood/anthropic'
import { isLastgoodError, memoryStore, openSession, type LastgoodError } from '@lastgood/core'
import { reply, story, text, toolUse, type Outage } from '@lastgood/outage-lab'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { countingAgent, countingStory, Effects, task } from './support/counting-story.ts'
import { code, entriesOf, jumpingClock, openTestSession, startTestLab, typesOf, watched } from './support/harness.ts'

describe('P1 no acknowledged turn is lost', () => {
  test('what run() returned is in the store, also for another reader', async () => {
    const { client } = await startTestLab({ model: countingStory })
    const store = memoryStore()
    const session = await openTestSession(store)
    const answer = await session.run(countingAgent(new Effects(), client), task)
    expect(answer).toMatchObject({ turn: 1, text: 'done' })
    expect((await store.summary('ses'))?.head).toMatchObject({
      turn: 1,
      lastGoodTurn: 1,
      status: 'idle',
      agent: 'counter',
    })
  })

  test('the happy path costs two store round trips for each step of model and tool', async () => {
    const steps = 6
    const { client } = await startTestLab({
      model: story([
        ...Array.from({ length: steps }, (_, i) => reply([toolUse('count', { n: i + 1 })])),
        reply(text('done')),
      ]),
    })
    const watch = watched()
    const session = await openTestSession(watch.store)
    await session.run(countingAgent(new Effects(), client), task)
    // turn-started, then for each of six steps the answer and the result with the next request, and the last answer.
    expect(watch.appends).toBe(1 + 2 * steps + 2)
  })

  test.each([2, 5])('%i calls in one answer cost one round trip more for each call after the first', async (calls) => {
    const counts = Array.from({ length: calls }, (_, i) => toolUse('count', { n: i + 1 }))
    const { client } = await startTestLab({ model: story([reply(counts), reply(text('done'))]) })
    const watch = watched()
    const session = await openTestSession(watch.store)
    await session.run(countingAgent(new Effects(), client), task)
    expect(watch.appends).toBe(1 + 2 + (calls - 1) + 2)
  })
})

describe('P2 tools', () => {
  test('parallel calls each have their own result, in the order of the calls', async () => {
    const { client } = await startTestLab({ model: countingStory })
    const store = memoryStore()
    const session = await openTestSession(store)
    const effects = new Effects()
    await session.run(countingAgent(effects, client), task)
    expect(effects.runs).toEqual([1, 2, 3, 4])
    const finished = (await entriesOf(store)).filter((entry) => entry.type === 'tool-finished')
    expect(finished.map((entry) => entry.outcome)).toEqual(['ran', 'ran', 'ran', 'ran'])
  })

  test.each([
    ['rerun', 'run again', 2, 'counted 1'],
    ['report', 'reported to the model and not run', 1, 'outcome is unknown'],
  ] as const)('a call in doubt whose rule is %s is %s', async (inDoubt, _what, runs, shown) => {
    let seen = ''
    const { client } = await startTestLab({
      model: story([
        reply([toolUse('count', { n: 1 })]),
        ({ messages }) => {
          seen = JSON.stringify(messages.at(-1))
          return reply(text('done'))
        },
      ]),
    })
    const store = memoryStore()
    const keys: string[] = []
    const agentWith = (run: () => string | Promise<string>) =>
      defineAgent({
        name: 'counter',
        client,
        model: 'claude-opus-5-5',
        tools: [
          tool({
            name: 'count',
            description: 'Counts.',
            input: z.object({ n: z.number() }),
            inDoubt,
            run: (_input, context) => {
              keys.push(context.idempotencyKey)
              return run()
            },
          }),
        ],
      })
    const first = await openTestSession(store)
    let resolve: (output: string) => void = () => {}
    const hanging = new Promise<string>((set) => (resolve = set))
    const lost = first.run(
      agentWith(() => hanging),
      task,
    )
    lost.catch(() => {})
    await expect.poll(() => keys.length).toBe(1)

    const second = await openTestSession(store, { takeover: true })
    await second.run(agentWith(() => 'counted 1'))
    expect(keys).toHaveLength(runs)
    expect(new Set(keys).size).toBe(1)
    expect(seen).toContain(shown)

    // The first process comes back to life with its result: it is fenced off (P3).
    resolve('counted 1 by the dead')
    await expect(lost).rejects.toEqual(code('lease-lost'))
    expect(JSON.stringify(await entriesOf(store))).not.toContain('by the dead')
  })

  test('a call in doubt whose rule is ask parks the session until a person has decided', async () => {
    const { client } = await startTestLab({ model: story([reply([toolUse('deploy', {})]), reply(text('done'))]) })
    const store = memoryStore()
    let runs = 0
    const deploy = (run: () => Promise<string>) =>
      defineAgent({
        name: 'deployer',
        client,
        model: 'claude-opus-5-5',
        tools: [
          tool({
            name: 'deploy',
            description: 'Deploys.',
            input: z.object({}),
            inDoubt: 'ask',
            run: () => (runs++, run()),
          }),
        ],
      })
    const first = await openTestSession(store)
    first
      .run(
        deploy(() => new Promise(() => {})),
        'Deploy',
      )
      .catch(() => {})
    await expect.poll(() => runs).toBe(1)

    const second = await openTestSession(store, { takeover: true })
    const ok = deploy(async () => 'deployed')
    await expect(second.run(ok)).rejects.toEqual(code('needs-input'))
    expect((await store.summary('ses'))?.head.status).toBe('needs-input')

    const third = await openTestSession(store)
    await expect(third.run(ok, undefined, { onInDoubt: async () => 'report' })).resolves.toMatchObject({ text: 'done' })
    expect(runs).toBe(1)
  })

  test('where one of two calls is left open, neither runs, and nothing else is told of the other', async () => {
    const calls = [toolUse('deploy', { n: 1 }), toolUse('deploy', { n: 2 })]
    const { client } = await startTestLab({ model: story([reply(calls), reply(text('done'))]) })
    const store = memoryStore()
    let runs = 0
    const deploy = tool({
      name: 'deploy',
      description: 'Deploys.',
      input: z.object({ n: z.number() }),
      inDoubt: 'ask',
      run: () => (runs++, new Promise<string>(() => {})),
    })
    const agent = defineAgent({ name: 'coder', client, model: 'claude-opus-5-5', tools: [deploy] })
    const first = await openTestSession(store)
    first.run(agent, 'Deploy').catch(() => {})
    await expect.poll(() => runs).toBe(2)

    const second = await openTestSession(store, { takeover: true })
    const told: string[] = []
    second.subscribe((event) => event.type === 'in-doubt' && told.push(event.did))
    const answers = ['rerun', 'suspend'] as const
    let asked = 0
    const parked = second.run(agent, undefined, { onInDoubt: async () => answers[asked++]! })
    await expect(parked).rejects.toEqual(code('needs-input'))
    expect({ asked, told, runs }).toEqual({ asked: 2, told: ['parked'], runs: 2 })
  })
})

describe('P3 one writer', () => {
  test('a second writer is told who, since when, and what to do', async () => {
    const { client } = await startTestLab({ model: countingStory })
    const store = memoryStore()
    const session = await openTestSession(store)
    await session.run(countingAgent(new Effects(), client), task)
    const error = await openSession('ses', { store, clock: session.clock }).catch((reason: unknown) => reason)
    expect(error).toEqual(code('session-busy'))
    expect((error as LastgoodError).message).toMatch(new RegExp(`pid ${process.pid} on .+ since \\d{4}-`))
    expect((error as LastgoodError).hint).toContain('lastgood fork ses; or take it over')
    expect((error as LastgoodError).hint).toContain('--takeover')
  })

  test('of a loop of its own, a second writer is not sent to `resume`, which continues only agents, nor to a fork before a turn has ended', async () => {
    const store = memoryStore()
    const session = await openTestSession(store)
    await session.startTurn([{ role: 'user', content: task }])
    const error = await openSession('ses', { store, clock: session.clock }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ hint: 'wait for it; or end that process' })
  })
})

describe('P5 fail closed', () => {
  test.each([1, 2, 3, 4, 5, 6, 7])(
    'with append %i refused no effect runs that it announces, and the caller is told',
    async (nth) => {
      const { client } = await startTestLab({ model: countingStory })
      const watch = watched((appends) => appends >= nth)
      const effects = new Effects()
      const session = await openTestSession(watch.store, { storePatienceMs: 1 })
      await expect(session.run(countingAgent(effects, client), task)).rejects.toEqual(code('store-unavailable'))
      const entries = await entriesOf(watch.store)
      const announced = entries.filter((entry) => entry.type === 'tool-started').length
      expect(effects.runs.length).toBeLessThanOrEqual(announced)
      await expect(session.record([])).rejects.toEqual(code('store-unavailable'))
    },
  )

  test('a store that comes back in time costs nothing but the wait', async () => {
    const { client } = await startTestLab({ model: countingStory })
    const watch = watched((appends) => appends % 3 === 0)
    const session = await openTestSession(watch.store)
    await expect(session.run(countingAgent(new Effects(), client), task)).resolves.toMatchObject({ text: 'done' })
  })
})

describe('P6 nothing dies that could live, nothing loops that cannot win', () => {
  test('an outage longer than the horizon suspends with reason, next instant and command; the same session goes on later', async () => {
    const outage: Outage = { when: { requests: [1, 12] }, fault: { kind: 'status', status: 529 } }
    const { client, lab } = await startTestLab({ model: countingStory, outages: [outage] })
    const store = memoryStore()
    const clock = jumpingClock()
    const session = await openTestSession(store, { clock, policy: { maxAttempts: 12 } })
    const agent = countingAgent(new Effects(), client)
    const error = await session.run(agent, task).catch((reason: unknown) => reason)
    expect(error).toEqual(code('session-suspended'))
    expect((error as LastgoodError).hint).toContain('lastgood resume ses')
    expect((error as LastgoodError).details).toMatchObject({ retryAt: expect.any(Number), fault: 'overloaded' })
    expect(lab.requests).toHaveLength(12)
    expect((await store.summary('ses'))?.head).toMatchObject({ status: 'suspended', dueAt: expect.any(Number) })
    await expect(session.run(agent)).resolves.toMatchObject({ turn: 1, text: 'done' })
  })

  test('a refusal for good is told at once, in the words of the API, and the turn can go on once mended', async () => {
    const outage: Outage = {
      when: { request: 1 },
      fault: { kind: 'status', status: 400, type: 'invalid_request_error', message: 'That will not do' },
    }
    const { client, lab } = await startTestLab({ model: countingStory, outages: [outage] })
    const session = await openTestSession()
    const agent = countingAgent(new Effects(), client)
    await expect(session.run(agent, task)).rejects.toMatchObject({ code: 'request-failed', cause: { status: 400 } })
    expect(lab.requests).toHaveLength(1)
    await expect(session.run(agent)).resolves.toMatchObject({ text: 'done' })
  })

  test('level 1 gets the error of the SDK, unchanged', async () => {
    const outage: Outage = {
      when: { request: 1 },
      fault: { kind: 'status', status: 404, type: 'not_found_error', message: 'model: x' },
    }
    const { client } = await startTestLab({ model: countingStory, outages: [outage] })
    const own = recoverable(client, await openTestSession())
    const failed = own.messages.create({ model: 'x', max_tokens: 5, messages: [{ role: 'user', content: task }] })
    await expect(failed).rejects.toMatchObject({ status: 404, name: expect.stringMatching(/Error/) })
    await failed.catch((error: unknown) => expect(isLastgoodError(error)).toBe(false))
  })
})

describe('P8 one owner of retries', () => {
  test('the server sees exactly as many requests as faults and answers', async () => {
    const outage: Outage = { when: { requests: [1, 3] }, fault: { kind: 'status', status: 500 } }
    const { client, lab } = await startTestLab({ model: story([reply(text('hi'))]), outages: [outage] })
    const store = memoryStore()
    const own = recoverable(client, await openTestSession(store))
    await own.messages.create({
      model: 'claude-opus-5-5',
      max_tokens: 100,
      messages: [{ role: 'user', content: task }],
    })
    expect(lab.requests).toHaveLength(4)
    expect((await typesOf(store)).filter((type) => type === 'fault-observed')).toHaveLength(3)
  })

  test('requests about something else are waited out as well, and not recorded', async () => {
    const outages: Outage[] = [{ when: { request: 2 }, fault: { kind: 'status', status: 529 } }]
    const { client } = await startTestLab({ model: () => reply(text('hi')), outages })
    const store = memoryStore()
    const own = recoverable(client, await openTestSession(store))
    const ask = (content: string) =>
      own.messages.create({ model: 'claude-opus-5-5', max_tokens: 100, messages: [{ role: 'user', content }] })
    await ask(task)
    const before = await typesOf(store)
    await ask('A title for this conversation, please')
    await own.models.list()
    expect(await typesOf(store)).toEqual(before)
  })
})

describe('suspending', () => {
  test('aborts what runs; an answer that comes too late is not recorded; the turn goes on later', async () => {
    let hold = true
    const { client } = await startTestLab({ model: countingStory, chunkDelayMs: 1 })
    const store = memoryStore()
    const session = await openTestSession(store)
    const agent = countingAgent(new Effects(), client)
    const run = session.run(agent, task)
    run.catch(() => {})
    session.subscribe((event) => {
      if (event.type === 'delta' && hold) {
        hold = false
        void session.suspend('interrupted', 'Ctrl+C')
      }
    })
    await expect(run).rejects.toEqual(code('session-closed'))
    expect((await store.summary('ses'))?.head.status).toBe('suspended')
    expect((await typesOf(store)).at(-1)).toBe('session-suspended')

    const later = await openTestSession(store)
    await expect(later.run(agent)).resolves.toMatchObject({ turn: 1, text: 'done' })
  })

  test('a fact that does not apply any more is refused, not recorded', async () => {
    const store = memoryStore()
    const session = await openTestSession(store)
    await session.startTurn([{ role: 'user', content: task }])
    const answer = { id: 'm', role: 'assistant' as const, model: 'm', content: [], stop_reason: 'end_turn' }
    await session.record([
      { type: 'fault-observed', fault: { kind: 'spend-blocked' }, decision: { kind: 'suspend', reason: 'r' } },
    ])
    await expect(session.record([{ type: 'response-received', message: answer }])).rejects.toEqual(
      code('journal-conflict'),
    )
    expect(await typesOf(store)).not.toContain('response-received')
  })
})
