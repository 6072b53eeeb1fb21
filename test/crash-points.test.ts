/** Crash points enumerated: after every append, applied or not, a new process finishes the work, each effect once. */
import { defineAgent, ladder, tool } from '@lastgood/anthropic'
import { memoryStore, openSession, type Store } from '@lastgood/core'
import { crashAfter, type CrashPoint } from '@lastgood/core/testing'
import { reply, text, toolResults, toolUse, type Conversation, type Outage } from '@lastgood/outage-lab'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { entriesOf, jumpingClock, startTestLab } from './support/harness.ts'

/** Counts to four, the second and third at once; looks before it goes on from a call of unknown outcome. */
function careful(conversation: Conversation) {
  const results = toolResults(conversation)
  const seen = results.findLast((result) => result.name === 'peek')?.text ?? ''
  const counted = [...results.flatMap((result) => /^counted (\d)$/.exec(result.text)?.[1] ?? []), ...seen.split(',')]
  const last = results.at(-1)
  if (results.slice(-2).some((result) => result.isError) && last?.name !== 'peek') return reply([toolUse('peek', {})])
  const missing = ['1', '2', '3', '4'].filter((n) => !counted.includes(n))
  if (missing.length === 0) return reply(text('done'))
  const next = missing.length === 3 ? missing.slice(0, 2) : missing.slice(0, 1)
  return reply([text('Counting.'), ...next.map((n) => toolUse('count', { n }))])
}

const [opus, sonnet] = ['claude-opus-5-5', 'claude-sonnet-5-5'] as const
const limit = `max_tokens: 32000 > 20000, which is the maximum allowed number of output tokens for ${opus}`
/** Waited out, mended, given to another model, cut in a call, cut after a call: each kind of entry that faults leave. */
const outages: Outage[] = [
  { when: { request: 1 }, fault: { kind: 'status', status: 500 } },
  { when: { request: 2 }, fault: { kind: 'status', status: 400, type: 'invalid_request_error', message: limit } },
  { when: { request: 4 }, fault: { kind: 'cut', after: { inside: 'tool_use' }, how: 'reset' } },
  { when: { requests: [6, 7], model: opus }, fault: { kind: 'status', status: 529 } },
  { when: { request: 9 }, fault: { kind: 'cut', after: { afterBlock: 1 }, how: 'end' } },
]

async function runUntilCrash(crash?: { after: number; point: CrashPoint }) {
  const { client } = await startTestLab({ model: careful, outages })
  const store = memoryStore()
  const effects: string[] = []
  const agent = defineAgent({
    name: 'counter',
    client,
    model: ladder(opus, sonnet),
    tools: [
      tool({
        name: 'count',
        description: 'Counts.',
        input: z.object({ n: z.string() }),
        run: ({ n }) => (effects.push(n), `counted ${n}`),
      }),
      tool({
        name: 'peek',
        description: 'Looks.',
        input: z.object({}),
        inDoubt: 'rerun',
        run: () => effects.join(','),
      }),
    ],
  })
  const open = (on: Store) => openSession('ses', { store: on, clock: jumpingClock(), takeover: true })
  let crashed = false
  const acknowledged: number[] = []
  if (crash) {
    const session = await open(crashAfter(store, crash.after, crash.point))
    session.subscribe((event) => event.type === 'entry' && acknowledged.push(event.entry.seq))
    crashed = await session.run(agent, 'Count to four').then(
      () => false,
      () => true,
    )
  }
  const session = await open(store)
  const answer = await session.run(agent, 'Count to four', { turn: 1 })
  await session.close()
  return { crashed, answer, effects, acknowledged, entries: await entriesOf(store) }
}

test.each([{ applied: true }, { applied: false }] as const)(
  'a crash at any append (applied: $applied) loses nothing acknowledged and doubles no effect (P1, P2, P5)',
  async (point) => {
    for (let after = 0; ; after += 1) {
      const { crashed, answer, effects, acknowledged, entries } = await runUntilCrash({ after, point })
      expect(answer, `crash after ${after}`).toMatchObject({ turn: 1, text: 'done' })
      expect([...effects].sort(), `crash after ${after}`).toEqual(['1', '2', '3', '4'])
      expect(entries.map((entry) => entry.seq)).toEqual(entries.map((_, i) => i + 1))
      expect(Math.max(0, ...acknowledged)).toBeLessThanOrEqual(entries.length)
      if (!crashed) {
        const kinds = new Set(entries.map(({ type }) => type))
        expect([...kinds]).toEqual(expect.arrayContaining(['fault-observed', 'rung-changed', 'transcript-repaired']))
        expect(after).toBeGreaterThan(15)
        return
      }
    }
  },
)
