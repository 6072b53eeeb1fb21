/** What the API billed and said so is what the journal has, and what a caller is told. */
import { isDeepStrictEqual } from 'node:util'
import type { BetaMessageParam } from '@anthropic-ai/sdk/resources/beta/messages'
import { defineAgent, ladder, recoverable, tool } from '@lastgood/anthropic'
import { costOf, lostIn, memoryStore, type Entry } from '@lastgood/core'
import {
  reply,
  text,
  thinking,
  toolUse,
  type Fault,
  type Lab,
  type ModelFunction,
  type Outage,
} from '@lastgood/outage-lab'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { entriesOf, openTestSession, startTestLab } from './support/harness.ts'

const [opus, sonnet] = ['claude-opus-5-5', 'claude-sonnet-5-5'] as const

/** Says something, uses a tool twice, and ends. */
const worker: ModelFunction = ({ messages }) => {
  const results = JSON.stringify(messages).split('tool_result').length - 1
  const said = [thinking('Hm.'), text('Once upon a time '), text('there was a king ')]
  return reply(results < 2 ? [...said, toolUse('look', { n: results }), toolUse('look', { n: -results - 1 })] : said)
}

const cutPoints = [
  { inside: 'text' },
  { inside: 'text', index: 1 },
  { inside: 'tool_use' },
  { inside: 'tool_use', index: 1 },
  { afterBlock: 0 },
  { afterBlock: 1 },
  { afterBlock: 3 },
  { before: 'message_delta' },
  { before: 'message_stop' },
] as const
const plain = { noNullPrototype: true } as const
const faults: fc.Arbitrary<Fault | undefined> = fc.oneof(
  fc.constant(undefined),
  fc.constant({ kind: 'status', status: 529 } as const),
  fc.record(
    {
      kind: fc.constant('cut' as const),
      after: fc.constantFrom(...cutPoints),
      how: fc.constantFrom('reset' as const, 'end' as const),
    },
    plain,
  ),
  fc.record(
    {
      kind: fc.constant('error-event' as const),
      after: fc.constantFrom(...cutPoints),
      type: fc.constantFrom('overloaded_error', 'api_error'),
      message: fc.constant('no'),
    },
    plain,
  ),
  fc.record(
    {
      kind: fc.constant('ended' as const),
      stopReason: fc.constantFrom(
        'end_turn' as const,
        'max_tokens' as const,
        'refusal' as const,
        'pause_turn' as const,
      ),
      blocks: fc.integer({ min: 0, max: 5 }),
    },
    plain,
  ),
)

const look = tool({ name: 'look', description: 'Looks.', input: z.object({ n: z.number() }), run: () => 'seen' })

/** What an entry says of the bill. */
const billedIn = (entry: Entry): number =>
  entry.type === 'response-received' ? costOf(entry.message.usage) : lostIn(entry)

/** What it billed and, in a stream, said before that broke. */
function billed({ requests }: Lab): number {
  const costs = requests.map(({ outcome: { kind, fault, usage } }) => {
    if (!usage) return 0
    const saysItsEnd = kind !== 'fault' || fault?.kind === 'ended' || isAt('message_stop', fault)
    return costOf({ ...usage, ...(!saysItsEnd && { output_tokens: 1 }) })
  })
  return sum(costs)
}

const isAt = (before: string, fault: Fault | undefined) =>
  fault?.kind === 'cut' || fault?.kind === 'error-event' ? isDeepStrictEqual(fault.after, { before }) : false

const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0)

const outagesOf = (list: readonly (Fault | undefined)[]) =>
  list.flatMap((fault, at): Outage[] => (fault ? [{ when: { request: at + 1 }, fault }] : []))
const cutText = fc.constantFrom('keep' as const, 'resend' as const)
const rungs = fc.constantFrom(opus, ladder(opus, sonnet))
const lists = fc.array(faults, { maxLength: 8 })
const runs = { numRuns: 60 }

test('whatever breaks, and whenever a process ends, the journal has what was billed, once', async () => {
  const property = fc.asyncProperty(lists, cutText, rungs, async (list, cutText, model) => {
    const { lab, client } = await startTestLab({ model: worker, outages: outagesOf(list) })
    const store = memoryStore()
    const agent = defineAgent({ name: 'a', client, model, tools: [look], maxTokens: 4_000 })
    const policy = { cutText }
    const run = async (input?: string) => {
      const session = await openTestSession(store, { policy })
      const isOver = await session.run(agent, input).then(
        () => true,
        () => false,
      )
      await session.close()
      return isOver
    }
    for (let n = 0; n < 12; n += 1) if (await run(n % 3 === 0 ? `Tell me ${n}` : undefined)) break
    await lab.close()
    expect(sum((await entriesOf(store)).map(billedIn))).toBe(billed(lab))
  })
  await fc.assert(property, runs)
}, 120_000)

test('whatever breaks, the usage that a caller gets lists all of it', async () => {
  const property = fc.asyncProperty(lists, cutText, async (list, cutText) => {
    const { lab, client } = await startTestLab({ model: worker, outages: outagesOf(list) })
    const session = await openTestSession(memoryStore(), { policy: { cutText } })
    const { messages: api } = recoverable(client, session).beta
    const history: BetaMessageParam[] = [{ role: 'user', content: 'Tell me' }]
    const costs: number[] = []
    let isGivenUp = false
    for (let n = 0; n < 6; n += 1) {
      const answer = await api
        .stream({
          model: opus,
          max_tokens: 4_000,
          tools: [{ name: 'look', input_schema: { type: 'object' } }],
          messages: history,
        })
        .finalMessage()
        .catch(() => undefined)
      isGivenUp = !answer
      if (!answer) break
      costs.push(costOf({ ...answer.usage }))
      history.push({ role: 'assistant', content: answer.content })
      const calls = answer.content.filter((block) => block.type === 'tool_use')
      if (calls.length === 0 && answer.stop_reason !== 'pause_turn') break
      const results = calls.map(({ id }) => ({ type: 'tool_result' as const, tool_use_id: id, content: 'seen' }))
      if (calls.length > 0) history.push({ role: 'user', content: results })
    }
    await lab.close()
    if (!isGivenUp) expect(sum(costs)).toBe(billed(lab))
  })
  await fc.assert(property, runs)
}, 120_000)
