/** What becomes of a tool call that was started before a restart: asked, repeated, reported; in an agent and in a loop. */
import type Anthropic from '@anthropic-ai/sdk'
import { defineAgent, recoverable, tool, type ToolOutput } from '@lastgood/anthropic'
import {
  memoryStore,
  openSession,
  type InDoubt,
  type InDoubtDid,
  type Session,
  type Store,
  type ToolContext,
  type Verdict,
} from '@lastgood/core'
import type { ManualClock } from '@lastgood/core/testing'
import { reply, story, text, toolResults, toolUse, type Conversation } from '@lastgood/outage-lab'
import { describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { countingAgent, countingStory, countTool, Effects, task } from './support/counting-story.ts'
import { entriesOf, jumpingClock, startTestLab, typesOf } from './support/harness.ts'

const open = async (store: Store): Promise<Session> => {
  const session = await openSession('ses', { store, clock: jumpingClock(), takeover: true })
  onTestFinished(() => session.close().catch(() => {}))
  return session
}

describe('a call of an agent that its process did not survive', () => {
  const deploying = (answer: (conversation: Conversation) => string) =>
    story([reply([toolUse('deploy', { to: 'live' })]), (conversation) => reply(text(answer(conversation)))])

  interface Deploy {
    name?: string
    inDoubt?: InDoubt
    verify?: (input: unknown, context: ToolContext) => Promise<Verdict<ToolOutput>>
  }

  /** Dies in the middle of `deploy`, resumes with the tool as it is `now`, and tells what the model was told. */
  async function resumed(now: Deploy = {}, before = now, onResumed: (session: Session) => unknown = () => {}) {
    const { client } = await startTestLab({
      model: deploying((talk) =>
        toolResults(talk)
          .map((one) => one.text)
          .join(),
      ),
    })
    const store = memoryStore()
    const runs: string[] = []
    const agent = (run: () => Promise<string>, options: Deploy) =>
      defineAgent({
        name: 'deployer',
        client,
        model: 'claude-opus-5-5',
        tools: [
          tool({
            name: 'deploy',
            description: 'Deploys.',
            input: z.object({ to: z.string() }),
            run: async ({ to }, { idempotencyKey }) => (runs.push(`${to} ${idempotencyKey.split(':')[0]}`), run()),
            ...options,
          }),
        ],
      })
    const first = await open(store)
    const begun = new Promise<void>((resolve) => {
      first
        .run(
          agent(() => (resolve(), new Promise(() => {})), before),
          'Deploy',
        )
        .catch(() => {})
    })
    await begun
    const second = await open(store)
    const told: InDoubtDid[] = []
    second.subscribe((event) => event.type === 'in-doubt' && told.push(event.did))
    onResumed(second)
    const answer = await second.run(
      agent(async () => 'deployed', now),
      'Deploy',
    )
    const outcome = (await entriesOf(store)).find((entry) => entry.type === 'tool-finished')?.outcome
    const intents = (await typesOf(store)).filter((type) => type === 'tool-started').length
    return { model: answer.text, runs: runs.length, told, outcome, intents }
  }

  test('P2: is reported to the model where nobody can tell', async () => {
    expect(await resumed()).toEqual({
      model: expect.stringContaining('outcome is unknown'),
      runs: 1,
      told: ['reported'],
      outcome: 'in-doubt',
      intents: 1,
    })
  })

  test('P2: has the result that its tool found', async () => {
    const found = await resumed({ verify: async () => ({ kind: 'done', result: 'it is live' }) })
    expect(found).toEqual({ model: 'it is live', runs: 1, told: ['verified-done'], outcome: 'verified', intents: 1 })
  })

  test('runs where its tool found that nothing had happened, under an intent of its own', async () => {
    const found = await resumed({ verify: async () => ({ kind: 'not-done' }) })
    expect(found).toEqual({ model: 'deployed', runs: 2, told: ['verified-not-done'], outcome: 'ran', intents: 2 })
  })

  test.each([
    ['says nothing', async (): Promise<Verdict<ToolOutput>> => ({ kind: 'unknown' })],
    ['fails', () => Promise.reject(new Error('no network'))],
  ])('P2: is left to the rule where the look %s', async (_, verify) => {
    expect(await resumed({ verify })).toMatchObject({ runs: 1, told: ['reported'], outcome: 'in-doubt' })
  })

  test('P2: is left to the rule where the look has not answered after 30 s, and that is told to stop', async () => {
    let stopped: AbortSignal | undefined
    let clock: ManualClock | undefined
    const verify = async (_input: unknown, { signal }: ToolContext) => {
      stopped = signal
      void clock?.advance(30_000)
      return new Promise<never>(() => {})
    }
    const found = await resumed({ verify }, {}, (session) => (clock = session.clock as ManualClock))
    expect(found).toMatchObject({ runs: 1, told: ['reported'], outcome: 'in-doubt' })
    expect(stopped?.aborted).toBe(true)
  })

  const found = async () => ({ kind: 'done' as const, result: 'it is live' })
  test.each<[string, Deploy, object]>([
    ['is run again, and that is told', { inDoubt: 'rerun' }, { runs: 2, told: ['rerun'], model: 'deployed' }],
    ['is asked first', { inDoubt: 'rerun', verify: found }, { runs: 1, told: ['verified-done'], model: 'it is live' }],
    ['goes by the rule of today', {}, { runs: 1, told: ['reported'], outcome: 'in-doubt' }],
    ['is reported where the tool is gone', { name: 'build' }, { runs: 1, told: ['reported'], outcome: 'in-doubt' }],
  ])('P2: whose rule was to run again %s', async (_, now, expected) => {
    expect(await resumed(now, { inDoubt: 'rerun' })).toMatchObject(expected)
  })
})

describe("a loop of one's own that runs its calls as steps", () => {
  const request = { model: 'claude-opus-5-5', max_tokens: 1024, tools: [countTool] }
  type Call = { id: string; name: string; input: unknown }

  /** As in the documentation: open calls first, then the conversation. `dieAfter` ends the process after so many results. */
  async function loop(session: Session, bare: Anthropic, effects: Effects, dieAfter = Infinity) {
    const client = recoverable(bare, session)
    let left = dieAfter
    const run = async ({ id, name, input }: Call) => {
      const block = await session.step(name, input, () => effects.count(input), { toolUseId: id })
      left -= 1
      if (left === 0) throw new Error('killed')
      return block as unknown as Anthropic.ToolResultBlockParam
    }
    for (const { toolUseId: id, name, input } of session.transcript.unanswered) await run({ id, name, input })
    const messages = session.messages() as Anthropic.MessageParam[]
    if (!session.hasOpenTurn) messages.push({ role: 'user', content: task })
    for (;;) {
      const answer = await client.messages.create({ ...request, messages })
      messages.push({ role: 'assistant', content: answer.content })
      const calls = answer.content.filter((block) => block.type === 'tool_use')
      if (calls.length === 0) return answer
      const results = []
      for (const call of calls) results.push(await run(call))
      messages.push({ role: 'user', content: results })
    }
  }

  test('P1: has each result on record when its step returns, and sends what is recorded', async () => {
    const { client, lab } = await startTestLab({ model: countingStory })
    const store = memoryStore()
    const effects = new Effects()
    const answer = await loop(await open(store), client, effects)
    expect(answer.content).toMatchObject([{ type: 'text', text: 'done' }])
    expect(effects.runs).toEqual([1, 2, 3, 4])
    const types = await typesOf(store)
    expect(types.filter((type) => type === 'tool-finished')).toHaveLength(4)
    expect(types).not.toContain('turn-continued')
    expect(types).not.toContain('rewound')
    expect(lab.requests).toHaveLength(4)
  })

  test.each([1, 2, 3, 4])('P2: killed after result %i it goes on with that result, and repeats nothing', async (n) => {
    const { client } = await startTestLab({ model: countingStory })
    const store = memoryStore()
    const effects = new Effects()
    await expect(loop(await open(store), client, effects, n)).rejects.toThrow('killed')
    // Calls that the dead process had been given, and not begun, are in doubt as well: it may have.
    const answer = await loop(await open(store), client, effects).catch((error: unknown) => error)
    const inDoubt = (await entriesOf(store)).filter(
      (entry) => entry.type === 'tool-finished' && entry.outcome === 'in-doubt',
    )
    expect(new Set(effects.runs).size).toBe(effects.runs.length)
    if (n === 2) expect([inDoubt.length, effects.runs]).toEqual([1, [1, 2]])
    else expect([answer, effects.runs]).toEqual([expect.objectContaining({ stop_reason: 'end_turn' }), [1, 2, 3, 4]])
  })

  test('P2: a call that is asked for twice at once runs once, and both get its result', async () => {
    const { client } = await startTestLab({ model: countingStory })
    const session = await open(memoryStore())
    const answer = await recoverable(client, session).messages.create({
      ...request,
      messages: [{ role: 'user', content: task }],
    })
    const id = answer.content.find((block) => block.type === 'tool_use')?.id ?? ''
    const effects = new Effects()
    const stopped = { toolUseId: id, signal: AbortSignal.abort(new Error('stopped')) }
    await expect(session.step('count', {}, () => effects.count({ n: 1 }), stopped)).rejects.toThrow('stopped')
    const step = () => session.step('count', {}, () => effects.count({ n: 1 }), { toolUseId: id })
    const both = await Promise.all([step(), step()])
    expect(both.map((block) => block['content'])).toEqual(['counted 1', 'counted 1'])
    expect(effects.runs).toEqual([1])
  })

  /** A session whose model has asked for `count {n: 1}`, and the id of that call. */
  async function asked() {
    const { client } = await startTestLab({ model: countingStory })
    const store = memoryStore()
    const session = await open(store)
    await recoverable(client, session).messages.create({ ...request, messages: [{ role: 'user', content: task }] })
    const [call] = session.transcript.unanswered
    if (!call) throw new Error('the model asked for nothing')
    return { session, store, toolUseId: call.toolUseId }
  }

  test('a call that is asked for by another name is a mistake, told before anything is recorded', async () => {
    const { session, store, toolUseId } = await asked()
    const effects = new Effects()
    const before = (await entriesOf(store)).length
    const step = (name: string) => session.step(name, {}, () => effects.count({ n: 1 }), { toolUseId })
    await expect(step('cuont')).rejects.toMatchObject({ code: 'bad-option', message: expect.stringContaining('count') })
    expect((await entriesOf(store)).length).toBe(before)
    expect(await step('count')).toMatchObject({ content: 'counted 1' })
  })

  test.each([
    ['an object', { n: 1 }, '{"n":1}'],
    ['nothing', undefined, ''],
    ['blocks', [{ type: 'text', text: 'x' }], [{ type: 'text', text: 'x' }]],
    ['what JSON cannot say', 1n, expect.stringMatching(/^Error: .*BigInt/)],
  ])('code without types that returns %s gives the model something that the API takes', async (_what, given, told) => {
    const { session, toolUseId } = await asked()
    const block = await session.step('count', {}, () => given as never, { toolUseId })
    expect(block['content']).toEqual(told)
    expect(session.signal.aborted).toBe(false)
  })

  test('P2: a call that an agent is running is not run by a step as well', async () => {
    const { client } = await startTestLab({ model: countingStory })
    const session = await open(memoryStore())
    const effects = new Effects()
    const asks: Promise<unknown>[] = []
    const count = async (input: unknown, { toolUseId }: { toolUseId: string }) => {
      asks.push(
        session.step('count', input, () => effects.count(input), { toolUseId }).catch((error: unknown) => error),
      )
      await asks.at(-1)
      return effects.count(input)
    }
    await session.run(countingAgent({ count } as never, client), task)
    for (const ask of asks) expect(await ask).toMatchObject({ code: 'bad-option' })
    expect(effects.runs).toEqual([1, 2, 3, 4])
  })

  test('a call whose step asks for itself is told so, and does not wait for ever', async () => {
    const { session, toolUseId } = await asked()
    const count = (): Promise<string> => session.step('count', {}, count, { toolUseId }).then(String)
    const block = await session.step('count', {}, count, { toolUseId })
    expect(block['content']).toContain('wait for itself')
  })

  test('P2: the result of a call whose answer was taken back is not the result of another call of its id', async () => {
    const { session, store, toolUseId } = await asked()
    let end: ((content: string) => void) | undefined
    const begun = new Promise<void>((resolve) => {
      const run = () => (resolve(), new Promise<string>((done) => (end = done)))
      session.step('count', {}, run, { toolUseId }).catch(() => {})
    })
    await begun
    const old = session.step('count', {}, () => 'joined', { toolUseId })
    await session.rewind(0, 'another way')
    await session.startTurn([{ role: 'user', content: 'again' }])
    const call = { type: 'tool_use', id: toolUseId, name: 'count', input: { n: 2 } }
    const message = { id: 'm', role: 'assistant' as const, model: 'm', content: [call], stop_reason: 'tool_use' }
    await session.record([
      { type: 'request-sent', model: 'm', attempt: 1 },
      { type: 'response-received', message },
    ])
    end?.('the old result')
    await expect(old).rejects.toMatchObject({ code: 'journal-conflict' })
    expect(JSON.stringify(await entriesOf(store))).not.toContain('the old result')
    expect(await session.step('count', {}, () => 'the new one', { toolUseId })).toMatchObject({
      content: 'the new one',
    })
  })

  test('a tool that changes its input does not change what the model is told that it asked for (P4)', async () => {
    const input = { to: 'live', flags: { dry: false } }
    const { client, lab } = await startTestLab({
      model: story([reply([toolUse('deploy', input)]), reply(text('done'))]),
    })
    const run = (given: { to: string; flags?: { dry: boolean } }) => {
      given.to = 'elsewhere'
      if (given.flags) given.flags.dry = true
      return 'ok'
    }
    const deploy = tool({ name: 'deploy', description: 'Deploys.', input: z.any(), run })
    const session = await open(memoryStore())
    await session.run(defineAgent({ name: 'deployer', client, model: 'claude-opus-5-5', tools: [deploy] }), task)
    expect(lab.requests.at(-1)?.body).toMatchObject({ messages: [{}, { content: [{ input }] }, {}] })
    expect(session.transcript.messages[1]).toMatchObject({ content: [{ input }] })
  })

  test('a run ends with its session, also when a tool does not hear of it', async () => {
    const { client } = await startTestLab({ model: countingStory })
    const session = await open(memoryStore())
    let closing: Promise<void> | undefined
    const count = () => {
      closing = session.close()
      return new Promise<string>(() => {})
    }
    await expect(session.run(countingAgent({ count } as never, client), task)).rejects.toMatchObject({
      code: 'session-closed',
    })
    await closing
  })

  test('an answer with two calls of one id is none: it is asked for again (P2)', async () => {
    const twins = reply([toolUse('count', { n: 1 }, 'toolu_twin'), toolUse('count', { n: 2 }, 'toolu_twin')])
    const once = story([reply([toolUse('count', { n: 1 })]), reply(text('done'))])
    let isFirst = true
    const model = (conversation: Conversation) => {
      if (!isFirst) return once(conversation)
      isFirst = false
      return twins
    }
    const { client } = await startTestLab({ model })
    const effects = new Effects()
    await (await open(memoryStore())).run(countingAgent(effects, client), task)
    expect(effects.runs).toEqual([1])
  })

  test.each([true, false])(
    'a call with the id of an earlier one never runs, and is asked for no more than three times (P2, P6; stream: %s)',
    async (stream) => {
      // As an endpoint that numbers the calls of each answer anew.
      const { client, lab } = await startTestLab({
        model: ({ messages }) =>
          JSON.stringify(messages.at(-1)).includes('tool_result')
            ? reply(text('done'))
            : reply([toolUse('count', { n: 1 }, 'call_0')]),
      })
      const [effects, store] = [new Effects(), memoryStore()]
      const session = await open(store)
      const agent = countingAgent(effects, client, { stream })
      await session.run(agent, task)
      await expect(session.run(agent, 'Once more')).rejects.toMatchObject({
        code: 'session-suspended',
        message: expect.stringContaining('two tool calls of the same id'),
      })
      expect(effects.runs).toEqual([1])
      expect(lab.requests).toHaveLength(2 + 3)
      // Who goes back to before the first one has no other.
      await session.rewind(0, 'again')
      await session.run(agent, task)
      expect(effects.runs).toEqual([1, 1])
    },
  )

  test('of a cut answer no call is kept that has the id of an earlier one (P2)', async () => {
    const { client } = await startTestLab({
      model: story([
        reply([toolUse('count', { n: 1 }, 'call_0')]),
        reply([toolUse('count', { n: 2 }, 'call_1'), toolUse('count', { n: 3 }, 'call_0'), text('So.')]),
        reply(text('done')),
      ]),
      outages: [{ when: { request: 2 }, fault: { kind: 'cut', after: { afterBlock: 1 }, how: 'reset' } }],
    })
    const effects = new Effects()
    await (await open(memoryStore())).run(countingAgent(effects, client), task)
    expect(effects.runs).toEqual([1, 2])
  })

  test('a call that is not of the last answer is a mistake, told as one', async () => {
    const session = await open(memoryStore())
    await expect(session.step('count', {}, () => 'x', { toolUseId: 'toolu_1' })).rejects.toMatchObject({
      code: 'bad-option',
    })
  })
})
