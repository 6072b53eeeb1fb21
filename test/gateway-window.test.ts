/** Histories at the gateway that are longer than the window: who makes them shorter, the client or a repair. */
import { MODELS, reply, text } from '@lastgood/outage-lab'
import { describe, expect, test } from 'vitest'
import { countTool } from './support/counting-story.ts'
import { hello, post, setUp } from './support/gateway-stage.ts'

const user = (content: unknown) => ({ role: 'user', content })
const call = { type: 'tool_use', id: 'toolu_1', name: 'count', input: { n: 1 } }
const counted = { type: 'tool_result', tool_use_id: 'toolu_1', content: 'one '.repeat(4_000) }
const tooLong = [
  user('Count'),
  { role: 'assistant', content: [call] },
  user([counted]),
  { role: 'assistant', content: 'Counted.' },
  user('Go on'),
]
const compacted = [user('What was done: counted. Go on')]

async function narrow(headers: Record<string, string>) {
  const models = MODELS.map((model) => ({ ...model, maxInputTokens: 3_000 }))
  const { gateway, lab } = await setUp({ lab: { models, model: () => reply(text('hi')) } })
  const ask = async (messages: object[], more: object = {}) => {
    const response = await post(gateway, { ...hello, tools: [countTool], messages, ...more }, { headers })
    const repaired = response.headers.get('x-lastgood-repaired')
    const session = response.headers.get('x-lastgood-session')
    return { status: response.status, repaired, session, said: await response.text() }
  }
  return { ask, lab }
}

describe.each([
  ['Claude Code', {}],
  ['a sub-agent of it', { 'x-claude-code-agent-id': 'a1' }],
])('%s', (_who, more) => {
  const headers = { 'x-claude-code-session-id': 'agent', 'user-agent': 'claude-cli/2.1.330 (external, cli)', ...more }

  test('hears of it in the words of the API, and goes on in its session with what it compacted', async () => {
    const { ask, lab } = await narrow(headers)
    const told = await ask(tooLong)
    expect(told).toMatchObject({
      status: 400,
      said: expect.stringMatching(/"prompt is too long: \d+ tokens > 3000 max/),
    })
    expect(told.said).not.toContain('lastgood')
    expect(await ask(compacted)).toMatchObject({ status: 200, repaired: null, session: told.session })
    expect(lab.requests).toHaveLength(2)
  })

  test('and comes back with the same one has it repaired, from then on', async () => {
    const { ask } = await narrow(headers)
    expect(await ask(tooLong)).toMatchObject({ status: 400 })
    const longer = [...tooLong, user('Please')]
    for (const messages of [tooLong, longer]) expect(await ask(messages)).toMatchObject({ status: 200 })
  })
})

test.each([
  ['any other client', { 'x-lastgood-session': 'ses' }, {}],
  ['a client that calls itself Claude Code, but names no session,', { 'user-agent': 'claude-cli/0.24.4 (x, cli)' }, {}],
  ['a helper without tools, which does not compact,', { 'x-claude-code-session-id': 'agent' }, { tools: [] }],
])('%s has it repaired at once', async (_who, headers, more) => {
  const { ask } = await narrow(headers)
  expect(await ask(tooLong, more)).toMatchObject({ status: 200, repaired: 'shorten-old-results' })
})

test('what Claude Code asks beside its conversation, as a compaction, has it repaired at once: it has nothing to compact', async () => {
  const { ask } = await narrow({ 'x-claude-code-session-id': 'agent' })
  const marked = { type: 'text', text: 'Count', cache_control: { type: 'ephemeral' } }
  const aside = [user([marked]), ...tooLong.slice(1)]
  expect(await ask(aside)).toMatchObject({ status: 200, repaired: 'shorten-old-results' })
})
