/** What a client, and the person using it, is told about what was done to its request, and what it is spared. */
import type Anthropic from '@anthropic-ai/sdk'
import { reply, story, text, thinking, toolUse, type Outage } from '@lastgood/outage-lab'
import { describe, expect, test } from 'vitest'
import { gatewayOf } from './support/counted-answers.ts'
import { countTool } from './support/counting-story.ts'
import { hello, named, post, setUp } from './support/gateway-stage.ts'
import { entriesOf, typesOf } from './support/harness.ts'

const request = { model: 'claude-opus-5-5', max_tokens: 1024, tools: [countTool] }
const instead = 'claude-sonnet-5-5'
const down: Outage = { when: { model: request.model, requests: [1, 2] }, fault: { kind: 'status', status: 529 } }
const user = (content: Anthropic.MessageParam['content']): Anthropic.MessageParam => ({ role: 'user', content })

describe('what is repaired on the way out', () => {
  const poisoned = [
    user('Count one.'),
    { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_01', name: 'count', input: { n: 1 } }] },
    user('Are you there?'),
  ]

  test('is told in a header and the journal, and not done to what the client holds', async () => {
    const { gateway, lab, store } = await setUp({ lab: { model: () => reply(text('Here.')) } })
    const response = await post(gateway, { ...request, messages: poisoned }, { headers: named })
    expect(response.status).toBe(200)
    expect(response.headers.get('x-lastgood-repaired')).toBe('results')
    expect(lab.requests.map(({ outcome }) => outcome.kind)).toEqual(['ok'])
    expect(await typesOf(store)).toContain('transcript-repaired')
    const next = [...poisoned, { role: 'assistant', content: 'Here.' }, user('Good.')]
    expect((await post(gateway, { ...request, messages: next }, { headers: named })).status).toBe(200)
  })

  test('is told by the names of its rules, whatever they were applied with', async () => {
    const message = 'container: Container container_01 has expired.'
    const fault = { kind: 'status', status: 400, type: 'invalid_request_error', message } as const
    const outages: Outage[] = [{ when: { request: 1 }, fault }]
    const { gateway, lab, store } = await setUp({ lab: { model: () => reply(text('Here.')), outages } })
    const asked = { ...request, container: '日本', messages: [user('Count one.')] }
    const response = await post(gateway, asked, { headers: named })
    expect(response.status).toBe(200)
    expect(response.headers.get('x-lastgood-repaired')).toBe('drop-container')
    expect(await response.json()).toMatchObject({ content: [{ text: 'Here.' }] })
    expect(lab.requests).toHaveLength(2)
    const rules = (await entriesOf(store)).flatMap((entry) =>
      entry.type === 'transcript-repaired' ? entry.repairs.map(({ rule }) => rule) : [],
    )
    expect(rules).toEqual(['drop-container:日本'])
  })

  test('is not told where nothing was', async () => {
    const { gateway } = await setUp({ lab: { model: () => reply(text('Here.')) } })
    expect((await post(gateway, hello)).headers.has('x-lastgood-repaired')).toBe(false)
  })
})

describe('a request nested too deeply to be recorded is refused once, and nothing is sent:', () => {
  const nested = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`
  const asked = ({ block = '1', system = '[]' }): string =>
    `{"model":"${request.model}","max_tokens":9,"system":${system},` +
    `"messages":[{"role":"user","content":[{"type":"text","text":"Hello","x":${block}}]}]}`

  test.each([
    ['in a block of 600 levels', asked({ block: nested(600) })],
    ['in a block of 100,000 levels', asked({ block: nested(100_000) })],
    ['in its system prompt', asked({ system: nested(100_000) })],
  ])('%s', async (_where, body) => {
    const { gateway, lab } = await setUp({ lab: { model: () => reply(text('Here.')) } })
    for (const headers of [{}, named, { 'x-claude-code-session-id': 'agent' }]) {
      const refused = await gateway.fetch(
        new Request('http://127.0.0.1:4141/v1/messages', { method: 'POST', headers, body }),
      )
      expect([refused.status, refused.headers.get('x-should-retry')]).toEqual([400, 'false'])
      expect(await refused.text()).toContain('the request has a value nested deeper than 500 levels')
    }
    expect(lab.requests).toEqual([])
  })
})

describe('the way on that an error names', () => {
  const asked = { ...request, messages: [user('Hello')] }
  const out: Outage = { when: { requests: [1, Infinity] }, fault: { kind: 'status', status: 529 } }

  test.each([
    [
      'is the client itself where nobody knows it',
      {},
      /send the next request through lastgood gateway again; the header/,
    ],
    [
      'is the client itself where only the session has a name',
      named,
      /start its own program again; with the session id ses/,
    ],
    ['is a command for a client that is known', { 'x-claude-code-session-id': 'ses' }, /lastgood resume ses$/],
  ])('%s', async (_claim, headers, way) => {
    const { gateway } = await setUp({ lab: { outages: [out] }, gateway: { policy: { horizonMs: 1_000 } } })
    const { error } = (await (await post(gateway, asked, { headers })).json()) as { error: { message: string } }
    expect(error.message).toMatch(way)
  })
})

test.each([301, 308])(
  'an API that has moved for good (%i) is told at once, and no client is led past us',
  async (status) => {
    const moved = { status, headers: { location: 'https://api.example/v1/messages' } }
    const gateway = gatewayOf({ fetch: () => Promise.resolve(new Response('', moved)) })
    const response = await post(gateway, hello, { headers: named })
    expect([response.status, response.headers.get('x-should-retry'), response.headers.get('location')]).toEqual([
      502,
      'false',
      null,
    ])
    expect(await response.text()).toContain('redirected to https://api.example/v1/messages')
  },
)

describe('a model in place of another', () => {
  const fallback = [{ model: instead }]
  const gateway = { fallback }

  test.each([true, false])('is told in a header (stream: %s)', async (stream) => {
    const stage = await setUp({ lab: { model: () => reply(text('hi')), outages: [down] }, gateway })
    const response = await post(stage.gateway, { ...request, messages: [user('Hello')], stream })
    expect(response.headers.get('x-lastgood-model')).toBe(instead)
    expect(await response.text()).not.toContain('[lastgood')
  })

  test.each([
    ['takes the turn of Claude Code that was given no tools', 'claude-code-20250219', instead],
    ["is no helper's", 'effort-2025-11-24', null],
  ])('%s', async (_claim, betas, model) => {
    const outages = [{ ...down, when: { ...down.when, requests: [1, 5] as [number, number] } }]
    const stage = await setUp({ lab: { model: () => reply(text('hi')), outages }, gateway })
    const headers = { 'x-claude-code-session-id': 'ses', 'anthropic-beta': betas }
    const response = await post(stage.gateway, { ...hello, messages: [user('Hello')] }, { headers })
    expect([response.status, response.headers.get('x-lastgood-model')]).toEqual([200, model])
  })

  test.each([true, false])(
    'is told to the person once, if wanted, and neither recorded nor sent on (stream: %s)',
    async (streams) => {
      const { client, lab, store } = await setUp({
        lab: {
          model: story([reply([thinking('Hm.'), toolUse('count', { n: 1 })]), reply(text('done'))]),
          outages: [{ ...down, when: { ...down.when, requests: [1, Infinity] } }],
        },
        gateway: { ...gateway, tellsFallback: true },
        headers: named,
      })
      const ask = (messages: Anthropic.MessageParam[]) =>
        streams
          ? client.messages.stream({ ...request, messages }).finalMessage()
          : client.messages.create({ ...request, messages })
      const first = await ask([user('Hello')])
      expect(first.content.map(({ type }) => type)).toEqual(['thinking', 'text', 'tool_use'])
      const note = { type: 'text', text: `[lastgood: ${request.model} does not answer, ${instead} goes on]\n\n` }
      expect(first.content[1]).toMatchObject(note)
      const call = first.content[2] as Anthropic.ToolUseBlock
      const result = user([{ type: 'tool_result', tool_use_id: call.id, content: '1' }])
      const last = await ask([user('Hello'), { role: 'assistant', content: first.content }, result])
      expect(last.content).toMatchObject([{ type: 'text', text: 'done' }])
      expect(JSON.stringify(lab.requests.map(({ body }) => body))).not.toContain('[lastgood')
      expect(JSON.stringify(await entriesOf(store))).not.toContain('[lastgood')
    },
  )

  test('leaves no thinking of its own that the one it stood in for would refuse', async () => {
    const asked = { ...request, model: 'claude-opus-4-5' }
    const { client, lab } = await setUp({
      lab: {
        model: story([reply([thinking('Hm.'), toolUse('count', { n: 1 })]), reply(text('done'))]),
        outages: [{ when: { model: asked.model, requests: [1, 2] }, fault: { kind: 'status', status: 529 } }],
      },
      gateway: { fallback: [{ model: 'claude-sonnet-4-5' }] },
      headers: named,
    })
    const thought = { ...asked, max_tokens: 4000, thinking: { type: 'enabled' as const, budget_tokens: 2000 } }
    const first = await client.messages.create({ ...thought, messages: [user('Hello')] })
    expect(first.model).toBe('claude-sonnet-4-5')
    const call = first.content.find(({ type }) => type === 'tool_use') as Anthropic.ToolUseBlock
    const result = user([{ type: 'tool_result', tool_use_id: call.id, content: '1' }])
    lab.setOutages([])
    const last = await client.messages.create({
      ...thought,
      messages: [user('Hello'), { role: 'assistant', content: first.content }, result],
    })
    expect(last.content.at(-1)).toMatchObject({ type: 'text', text: 'done' })
    expect(lab.requests.map(({ violation }) => violation).filter(Boolean)).toEqual([])
  })
})

describe('what an answer cost', () => {
  test('in several attempts is the last one in `usage`, and each of them in `iterations`', async () => {
    const { client, lab } = await setUp({
      lab: {
        model: () => reply([text('A long answer that breaks.'), toolUse('count', { n: 1 })]),
        outages: [{ when: { request: 1 }, fault: { kind: 'cut', after: { inside: 'tool_use' }, how: 'reset' } }],
      },
    })
    const { usage } = await client.beta.messages.stream({ ...request, messages: [user('Hello')] }).finalMessage()
    const [broken, whole] = lab.requests.map(({ outcome }) => ('usage' in outcome ? outcome.usage : undefined))
    expect(usage).toMatchObject({ input_tokens: whole?.input_tokens, output_tokens: whole?.output_tokens })
    expect(usage.iterations).toMatchObject([
      { type: 'message', model: request.model, input_tokens: broken?.input_tokens },
      { type: 'message', model: request.model, output_tokens: whole?.output_tokens },
    ])
  })

  test('in one attempt is as the API says it', async () => {
    const { client } = await setUp({ lab: { model: () => reply(text('hi')) } })
    const { usage } = await client.beta.messages.stream({ ...request, messages: [user('Hello')] }).finalMessage()
    expect(usage.iterations ?? null).toBeNull()
  })
})
