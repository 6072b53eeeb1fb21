/**
 * Programs that together write every kind of entry that a session can write; here, those with an agent.
 */
import { defineAgent, ladder, tool, type CodingAgent } from '@lastgood/anthropic'
import { isLastgoodError, openSession, type InDoubt } from '@lastgood/core'
import { z } from 'zod'
import { all, companion, counting, opus, refused, status } from './counting.ts'
import { loopOfOnesOwn, stepsOfOnesOwn } from './loop-scenarios.ts'
import type { Life, Scenario } from './world.ts'

const sonnet = 'claude-sonnet-5-5'
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
    /** A person raises the limit and resumes. */
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

export const scenarios = { throughFaults, askingPerson, heldAndParked, refusedWords, loopOfOnesOwn, stepsOfOnesOwn }
