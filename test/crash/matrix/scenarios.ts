/**
 * Programs that together write every kind of entry that a session can write. Each counts to four, the second and third
 * at once, looks before it goes on from a call of unknown outcome, and is right when each count happened once.
 */
import type Anthropic from '@anthropic-ai/sdk'
import { defineAgent, ladder, recoverable, tool, type CodingAgent } from '@lastgood/anthropic'
import { isLastgoodError, openSession, type InDoubt, type ToolContext } from '@lastgood/core'
import { reply, text, toolResults, toolUse, userTurns, type Conversation, type Outage } from '@lastgood/outage-lab'
import { z } from 'zod'
import type { Life, Scenario } from './world.ts'

const [opus, sonnet] = ['claude-opus-5-5', 'claude-sonnet-5-5'] as const
const all = ['1', '2', '3', '4']

/** What counts is in results, or was seen by looking after the last result of unknown outcome. */
function counting(conversation: Conversation) {
  const results = toolResults(conversation)
  const unknownAt = results.findLastIndex((result) => /outcome is unknown/.test(result.text))
  const lookedAt = results.findLastIndex((result) => result.name === 'peek' && !result.isError)
  if (unknownAt > lookedAt) return reply([toolUse('peek', {})])
  const seen = lookedAt < 0 ? [] : results[lookedAt]!.text.split(',')
  const counted = [...results.flatMap((result) => /^counted (\d)$/.exec(result.text)?.[1] ?? []), ...seen]
  const missing = all.filter((n) => !counted.includes(n))
  if (missing.length === 0) return reply(text('done'))
  const next = missing.length === 3 ? missing.slice(0, 2) : missing.slice(0, 1)
  // Nobody has the last one: a call that is refused.
  const strange = results.length === 0 ? [toolUse('vanished', {})] : []
  return reply([text('Counting.'), ...next.map((n) => toolUse('count', { n })), ...strange])
}

/** One turn of counting, then answers to whatever else is said. */
function companion(conversation: Conversation) {
  const said = userTurns(conversation).at(-1) ?? ''
  return said.startsWith('Count') ? counting(conversation) : reply(text(`You said: ${said}`))
}

function countingAgent({ referee, client }: Pick<Life, 'referee' | 'client'>, inDoubt: InDoubt): CodingAgent {
  const count = tool({
    name: 'count',
    description: 'Counts.',
    input: z.object({ n: z.string() }),
    inDoubt,
    run: ({ n }, context) => (referee.effect(n, inDoubt, context), `counted ${n}`),
  })
  const peek = tool({
    name: 'peek',
    description: 'Looks.',
    input: z.object({}),
    inDoubt: 'rerun',
    run: (_input, context) => (referee.effect('', 'rerun', context), referee.done.join()),
  })
  return defineAgent({ name: 'counter', client, model: ladder(opus, sonnet), tools: [count, peek] })
}

const status = (n: number, code: number): Outage => ({ when: { request: n }, fault: { kind: 'status', status: code } })
const refused = (n: number, message: string): Outage => ({
  when: { request: n },
  fault: { kind: 'status', status: 400, type: 'invalid_request_error', message },
})

const throughFaults: Scenario = {
  name: 'an agent through faults: waited out, mended, given to another model, cut in a call, cut after a call',
  model: counting,
  outages: [
    status(1, 500),
    refused(2, `max_tokens: 32000 > 20000, which is the maximum allowed number of output tokens for ${opus}`),
    { when: { request: 4 }, fault: { kind: 'cut', after: { inside: 'tool_use' }, how: 'reset' } },
    { when: { requests: [6, 7], model: opus }, fault: { kind: 'status', status: 529 } },
    { when: { request: 9 }, fault: { kind: 'cut', after: { afterBlock: 1 }, how: 'end' } },
  ],
  async live(life) {
    const session = await life.open()
    const answer = await session.run(countingAgent(life, 'report'), 'Count to four', { turn: 1 })
    await session.close()
    return answer.text
  },
  says: 'done',
  effects: all,
}

const askingPerson: Scenario = {
  name: 'an agent that asks a person, who looks, about calls in doubt',
  model: counting,
  outages: [],
  async live(life) {
    const agent = countingAgent(life, 'ask')
    const first = await life.open()
    try {
      const answer = await first.run(agent, 'Count to four', { turn: 1 })
      await first.close()
      return answer.text
    } catch (error) {
      if (!isLastgoodError(error, 'needs-input')) throw error
    }
    const second = await life.open()
    const answer = await second.run(agent, 'Count to four', {
      turn: 1,
      onInDoubt: async ({ toolUseId, input }) => {
        if (life.referee.done.includes((input as { n: string }).n)) return 'report'
        life.referee.permit(toolUseId)
        return 'rerun'
      },
    })
    await second.close()
    return answer.text
  },
  says: 'done',
  effects: all,
}

const heldAndParked: Scenario = {
  name: 'an agent that is held by an open breaker, gives up, is resumed, and parked for a redeploy',
  model: companion,
  outages: [{ when: { requests: [1, 6] }, fault: { kind: 'status', status: 529 } }],
  async before({ client }, store, clock) {
    const other = await openSession('other', { store, clock, policy: { horizonMs: 30_000 } })
    const agent = defineAgent({ name: 'other', client, model: opus })
    await other.run(agent, 'Hello').catch(() => {}) // it gave up, and the breaker is open
    await other.close()
  },
  async live(life) {
    const agent = defineAgent({ name: 'counter', client: life.client, model: opus })
    const hasty = await life.open({ policy: { horizonMs: 1 } })
    await hasty.run(agent, 'Hello', { turn: 1 }).catch((error: unknown) => {
      if (!isLastgoodError(error, 'session-suspended')) throw error
    })
    await hasty.close()
    const patient = await life.open()
    await patient.run(agent, 'Hello', { turn: 1 })
    await (patient.turn === 1 ? patient.suspend('interrupted', 'a redeploy') : patient.close())
    const last = await life.open({ machineVersion: 'the next release' })
    const answer = await last.run(agent, 'Go on', { turn: 2 })
    await last.close()
    return answer.text
  },
  says: 'You said: Go on',
  effects: [],
}

const refusedWords: Scenario = {
  name: 'an agent whose login fails, whose limit is used up, and whose words are refused until they are others',
  model: companion,
  outages: [
    status(1, 401),
    refused(3, 'Your credit balance is too low to access the Anthropic API.'),
    {
      when: { requests: [1, Infinity], contains: 'bad words' },
      fault: { kind: 'status', status: 400, type: 'invalid_request_error', message: 'nobody has seen this before' },
    },
  ],
  async live(life) {
    const session = await life.open()
    const agent = defineAgent({ name: 'counter', client: life.client, model: opus })
    /** A person raises the limit and goes on. */
    const paid = (input: string, turn: number) =>
      session.run(agent, input, { turn }).catch((error: unknown) => {
        if (!isLastgoodError(error, 'session-suspended')) throw error
        return session.run(agent, input, { turn })
      })
    await paid('Hello', 1)
    await paid('Hello again', 2)
    const isSaid = (words: string) => JSON.stringify(session.messages()).includes(words)
    for (const words of ['bad words', 'bad words', 'good words']) {
      if (isSaid('good words')) break
      await session.run(agent, words).catch((error: unknown) => {
        if (!isLastgoodError(error, 'request-failed')) throw error
      })
    }
    const answer = await session.run(agent)
    await session.close()
    return answer.text
  },
  says: 'You said: good words',
  effects: [],
}

const image = {
  type: 'image' as const,
  source: { type: 'base64' as const, media_type: 'image/png' as const, data: 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB' },
}
const countTool = {
  name: 'count',
  description: 'Counts.',
  input_schema: { type: 'object' as const, properties: { n: { type: 'string' } } },
}
const peekTool = { name: 'peek', description: 'Looks.', input_schema: { type: 'object' as const } }

/** The lines that everybody writes: until the model calls nothing more. */
async function ownLoop({ referee }: Life, client: Anthropic, messages: Anthropic.MessageParam[]): Promise<string> {
  const runs: Record<string, (input: unknown, context: Pick<ToolContext, 'toolUseId' | 'idempotencyKey'>) => string> = {
    count: (input, context) => {
      const { n } = input as { n: string }
      referee.effect(n, 'report', context)
      return `counted ${n}`
    },
    peek: () => referee.done.join(),
  }
  for (;;) {
    const system = messages.length > 4 ? 'Count on.' : 'Count.'
    const tools = [countTool, peekTool]
    const answer = await client.messages.create({ model: opus, max_tokens: 900, system, tools, messages })
    messages.push({ role: 'assistant', content: answer.content })
    const calls = answer.content.filter((block) => block.type === 'tool_use')
    if (calls.length === 0) return answer.content.flatMap((block) => (block.type === 'text' ? block.text : [])).join('')
    const results = calls.map(({ id, name, input }) => ({
      type: 'tool_result' as const,
      tool_use_id: id,
      content: runs[name]?.(input, { toolUseId: id, idempotencyKey: `ses:${id}` }) ?? 'no such tool',
    }))
    messages.push({ role: 'user', content: results })
  }
}

const loopOfOnesOwn: Scenario = {
  name: 'a loop of its own, an image that is refused and put back, and a turn that is taken back',
  model: companion,
  outages: [refused(1, 'Could not process image'), status(4, 500)],
  async live(life) {
    const session = await life.open()
    const client = recoverable(life.client, session, { intentOf: (name) => (name === 'peek' ? 'rerun' : 'report') })
    const messages = () => session.messages() as Anthropic.MessageParam[]
    const isSaid = (words: string) => JSON.stringify(messages()).includes(words)
    const say = (words: string, before = messages()) =>
      ownLoop(life, client, [...before, { role: 'user', content: [{ type: 'text', text: words }] }])

    let last = session.hasOpenTurn ? await ownLoop(life, client, messages()) : ''
    if (session.turn === 0) {
      const content = [{ type: 'text' as const, text: 'Count to four, as here' }, image]
      last = await ownLoop(life, client, [{ role: 'user', content }])
    }
    if (session.turn === 1 && session.transcript.edits.length > 0) await session.revertRepairs('the image was fine')
    if (session.turn === 1) last = await say('The wrong way')
    if (isSaid('The wrong way')) {
      const wrong = messages().findIndex(({ content }) => JSON.stringify(content).includes('The wrong way'))
      last = await say('The other way', messages().slice(0, wrong))
    }
    if (last === '') last = (messages().at(-1)!.content as { text: string }[])[0]!.text
    await session.close()
    return last
  },
  says: 'You said: The other way',
  effects: all,
}

export const scenarios = { throughFaults, askingPerson, heldAndParked, refusedWords, loopOfOnesOwn }
