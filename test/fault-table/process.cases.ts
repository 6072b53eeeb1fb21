/** Rows 32 to 35: faults not of the API but of the processes around it, each with a small story of its own. */
import { defineAgent, recoverable, tool } from '@lastgood/anthropic'
import { memoryStore, runToolCalls, type Block } from '@lastgood/core'
import { expect } from 'vitest'
import { z } from 'zod'
import { code, entriesOf, openTestSession, watched } from '../support/harness.ts'
import { callBlock, ended, said, scriptedClient, started } from '../support/scripted-api.ts'

export interface ProcessCase {
  readonly row: number
  readonly signal: string
  readonly claim: string
  /** What is done about it, in a few words. */
  readonly done: string
  readonly run: () => Promise<void>
}

const request = { model: 'claude-opus-5-5', max_tokens: 500, messages: [{ role: 'user' as const, content: 'Count.' }] }
const wantsCall = started() + callBlock(0, '{"n":1}', 'toolu_1') + ended('tool_use')

/** A process died while its tool ran: the call is started and has no result. */
async function diedInTool(inDoubt: 'rerun' | 'report' | 'ask') {
  const store = memoryStore()
  const { client } = scriptedClient(() => wantsCall)
  const first = await openTestSession(store)
  await recoverable(client, first, { intentOf: () => inDoubt })
    .messages.stream(request)
    .finalMessage()
  const second = await openTestSession(store, { takeover: true })
  const runs: unknown[] = []
  const run = (input: unknown, { toolUseId }: { toolUseId: string }): Promise<Block> => {
    runs.push(input)
    return Promise.resolve({ type: 'tool_result', tool_use_id: toolUseId, content: 'counted' })
  }
  const resume = () => runToolCalls(second, { find: () => ({ inDoubt, run }) }).then(() => second.record([]))
  const outcomes = async () =>
    (await entriesOf(store)).flatMap((entry) => (entry.type === 'tool-finished' ? [entry] : []))
  return { runs, resume, outcomes }
}

export const processCases: readonly ProcessCase[] = [
  {
    row: 32,
    signal: 'a tool that may be repeated has no result',
    claim: 'a tool that may be repeated runs again',
    done: 'run again',
    async run() {
      const { runs, resume, outcomes } = await diedInTool('rerun')
      await resume()
      expect(runs).toEqual([{ n: 1 }])
      expect(await outcomes()).toMatchObject([{ outcome: 'ran' }])
    },
  },
  {
    row: 32,
    signal: 'a tool with side effects has no result',
    claim: 'the model is told that the outcome is unknown, and the tool does not run',
    done: 'reported to the model as an error: outcome unknown',
    async run() {
      const { runs, resume, outcomes } = await diedInTool('report')
      await resume()
      expect(runs).toEqual([])
      expect(await outcomes()).toMatchObject([{ outcome: 'in-doubt', result: { is_error: true } }])
    },
  },
  {
    row: 32,
    signal: 'a tool whose outcome only a person knows has no result',
    claim: 'a person is asked before anything is done',
    done: 'parked until a person answers',
    async run() {
      const { runs, resume, outcomes } = await diedInTool('ask')
      await expect(resume()).rejects.toEqual(code('needs-input'))
      expect([runs, await outcomes()]).toEqual([[], []])
    },
  },
  {
    row: 33,
    signal: 'the store takes no entry',
    claim: 'what could not be recorded does not happen: no request leaves',
    done: 'tried for 15 s, then reported; nothing unrecorded is done',
    async run() {
      let isFull = false
      const { store } = watched(() => isFull)
      const { client, calls } = scriptedClient(() => said('never'))
      const session = await openTestSession(store)
      isFull = true
      const sending = recoverable(client, session).messages.create(request)
      await expect(sending).rejects.toEqual(code('store-unavailable'))
      expect(calls).toEqual([])
    },
  },
  {
    row: 33,
    signal: 'the store comes back within its patience',
    claim: 'a store that is away for a moment costs a moment',
    done: 'waited for',
    async run() {
      const { store } = watched((appends) => appends === 2 || appends === 3)
      const { client } = scriptedClient(() => said('Here.'))
      const session = await openTestSession(store)
      const answer = await recoverable(client, session).messages.stream(request).finalMessage()
      expect(answer.content).toMatchObject([{ text: 'Here.' }])
    },
  },
  {
    row: 34,
    signal: 'a second process takes the session over',
    claim: 'the one that lost the session sends nothing more',
    done: 'the loser stops before sending',
    async run() {
      const store = memoryStore()
      const { client, calls } = scriptedClient(() => said('Here.'))
      const first = await openTestSession(store)
      const second = await openTestSession(store, { takeover: true })
      await expect(recoverable(client, first).messages.create(request)).rejects.toEqual(code('lease-lost'))
      expect(calls).toEqual([])
      await recoverable(client, second).messages.stream(request).finalMessage()
      expect(calls).toHaveLength(1)
    },
  },
  {
    row: 35,
    signal: 'system, tools or parameters differ after a deploy',
    claim: 'a conversation continues with what it began with, byte for byte, until it is told otherwise',
    done: "pinned; `envelope: 'current'` changes it",
    async run() {
      const store = memoryStore()
      const { client, calls } = scriptedClient((_call, n) => said('Here.', `msg_${n}`))
      const agent = (system: string) =>
        defineAgent({ name: 'coder', client, model: 'claude-opus-5-5', system, tools: [countTool(system)] })
      await (await openTestSession(store)).run(agent('You count.'), 'one')
      const later = await openTestSession(store, { takeover: true })
      await later.run(agent('You count differently.'), 'two')
      await later.run(agent('You count differently.'), 'three', { envelope: 'current' })
      const pinned = calls.map(({ body }) => JSON.stringify([body['system'], body['tools']]))
      expect(pinned[1]).toBe(pinned[0])
      expect(pinned[2]).toContain('You count differently.')
    },
  },
]

const countTool = (description: string) =>
  tool({ name: 'count', description, input: z.object({ n: z.number() }), run: () => 'counted' })
