/** Tool results that no history can contain: the model is told, the turn continues, and each call has run once. */
import { defineAgent, tool, type AgentTool } from '@lastgood/anthropic'
import type { Block, ToolContext } from '@lastgood/core'
import { reply, story, text, toolUse } from '@lastgood/outage-lab'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { task } from './support/counting-story.ts'
import { entriesOf, openTestSession, startTestLab } from './support/harness.ts'

/** What is recorded of the call of a tool of one's own kind that runs `run`, and sent as it is. */
async function recorded(run: (context: ToolContext) => Promise<Block>): Promise<unknown> {
  const { client, lab } = await startTestLab({
    model: story([reply([toolUse('deploy', {})]), reply(text('done'))]),
  })
  let runs = 0
  const deploy: AgentTool = {
    definition: { name: 'deploy', description: 'Deploys.', input_schema: { type: 'object' } },
    inDoubt: 'report',
    run: (_input, context) => ((runs += 1), run(context)),
  }
  const session = await openTestSession()
  const agent = defineAgent({ name: 'deployer', client, model: 'claude-opus-5-5', tools: [deploy] })
  expect(await session.run(agent, task)).toMatchObject({ text: 'done' })
  expect([runs, lab.requests.length]).toEqual([1, 2])
  expect((await entriesOf(session.store)).filter(({ type }) => type === 'transcript-repaired')).toEqual([])
  const [result] = (session.messages()[2]?.content ?? []) as Block[]
  return result?.['content']
}

test("blocks of another protocol in a tool's result do not end the session: they are sent as text, and stay so", async () => {
  const { client, lab } = await startTestLab({
    model: story([reply([toolUse('read', {})]), reply(text('done')), reply(text('again'))]),
  })
  const resource = { type: 'resource', resource: { uri: 'file:///a', text: 'a file' } }
  const read = tool({ name: 'read', description: 'Reads.', input: z.object({}), run: () => [resource, resource] })
  const agent = defineAgent({ name: 'reader', client, model: 'claude-opus-5-5', tools: [read] })
  const session = await openTestSession()
  expect(await session.run(agent, task)).toMatchObject({ text: 'done' })
  await session.close()
  const next = await openTestSession(session.store)
  expect(await next.run(agent, 'And now?')).toMatchObject({ text: 'again' })
  expect(lab.requests.map(({ outcome }) => outcome.kind)).toEqual(['ok', 'rejected', 'ok', 'ok'])
  const asText = { type: 'text', text: JSON.stringify(resource) }
  expect(lab.requests.at(-1)?.body).toMatchObject({
    messages: [{}, {}, { content: [{ content: [asText, asText] }] }, {}, {}],
  })
})

const resultOf = ({ toolUseId }: ToolContext, content: unknown): Block => ({
  type: 'tool_result',
  tool_use_id: toolUseId,
  content,
})
const deep = Array.from({ length: 600 }).reduce<unknown>((inner) => ({ inner }), 'x')

test.each([
  ['a bigint', [{ type: 'text', text: 'x', n: 1n }], 'contains a value that JSON cannot represent'],
  ['a function', [{ type: 'text', text: 'x', f() {} }], 'contains a value that JSON cannot represent'],
  ['600 levels', [{ type: 'text', text: 'x', deep }], 'has a value nested deeper than 500 levels'],
])(
  'a result that cannot be recorded, for %s in it, is an error of a call that did run (P2)',
  async (_what, content, why) => {
    const said = await recorded(async (context) => resultOf(context, content))
    expect(said).toBe(`Error: what tool deploy returned, which did run, ${why}`)
  },
)

test.each([
  ['half a surrogate pair', 'no \ud800', 'Error: no \ufffd'],
  [
    'a text of megabytes',
    `no ${'x'.repeat(2_000_000)}`,
    expect.stringMatching(/^Error: no x+\n\[… 1\d+ of 2000010 characters left out …\]\nx+$/),
  ],
])('an error that says %s is made fit before it is recorded, as a result is', async (_what, message, said) => {
  expect(
    await recorded(async () => {
      throw new Error(message)
    }),
  ).toEqual(said)
})
