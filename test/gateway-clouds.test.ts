/** The gateway and the clouds that have the Messages API in forms of their own. */
import type Anthropic from '@anthropic-ai/sdk'
import { AnthropicBedrock } from '@anthropic-ai/bedrock-sdk'
import { AnthropicVertex } from '@anthropic-ai/vertex-sdk'
import { ladder } from '@lastgood/anthropic'
import { createGateway, type GatewayOptions } from '@lastgood/gateway'
import { reply, story, text, type LabOptions, type Outage } from '@lastgood/outage-lab'
import { describe, expect, onTestFinished, test } from 'vitest'
import { modelAt, project, startClouds } from './support/clouds.ts'
import { countingStory, countTool, Effects, task } from './support/counting-story.ts'
import { idsOf, named, post, setUp } from './support/gateway-stage.ts'
import { entriesOf, jumpingClock, startTestLab } from './support/harness.ts'

const answers = story([reply(text('hello'))])

const messages = [{ role: 'user' as const, content: 'Hi' }]
const asked = { model: 'claude-opus-5-5', max_tokens: 99, tools: [countTool], messages }
const down = [
  { when: { requests: [1, Infinity] as [number, number] }, fault: { kind: 'status', status: 529 } as const },
]

describe('while the API is down, a turn goes to', () => {
  test('the same model at Bedrock, by its own client', async () => {
    const { url, reached } = await startClouds({ model: answers })
    const client = new AnthropicBedrock({ baseURL: url, awsRegion: 'us-east-1', apiKey: 'test', logLevel: 'off' })
    const fallback = ladder({ model: modelAt.bedrock, client })
    const { gateway } = await setUp({ lab: { outages: down }, gateway: { fallback } })
    expect(await (await post(gateway, asked)).json()).toMatchObject({ content: [{ text: 'hello' }] })
    expect(reached.at(-1)).toContain(encodeURIComponent(modelAt.bedrock))
  })

  test('the same model at another address, by a client for it', async () => {
    const { client, lab } = await startTestLab({ model: answers })
    const fallback = ladder({ model: asked.model, client })
    const { gateway } = await setUp({ lab: { outages: down }, gateway: { fallback } })
    expect(await (await post(gateway, asked)).json()).toMatchObject({ content: [{ text: 'hello' }] })
    expect(lab.requests.at(-1)).toMatchObject({ method: 'POST', body: { max_tokens: 99 } })
  })
})

const path = '/v1/projects/test/locations/us-east5/publishers/anthropic/models'

/** A client of Vertex, through a gateway in front of it. */
async function atVertex(options: LabOptions, more: GatewayOptions = {}) {
  const clouds = await startClouds(options)
  const { gateway, store } = await setUp({ gateway: { upstream: clouds.url, ...more } })
  const client = new AnthropicVertex({
    baseURL: 'http://127.0.0.1:4141/v1',
    ...project,
    logLevel: 'off',
    defaultHeaders: named,
    fetch: (input, init) => gateway.fetch(new Request(input as string, init as RequestInit)),
  })
  return { ...clouds, gateway, store, client }
}

/** What leaves a gateway for Vertex, which gets the `answers` in turn. */
function leaving(options: GatewayOptions = {}, answers: readonly Response[] = []) {
  const left: { url: string; headers: Headers; body: string }[] = []
  const gateway = createGateway({
    clock: jumpingClock(),
    drainMs: 0,
    ...options,
    fetch: async (url, { headers, body }) => {
      left.push({ url, headers: new Headers(headers), body: await new Response(body).text() })
      return answers[left.length - 1]?.clone() ?? Response.json(hello)
    },
  })
  onTestFinished(() => gateway.close())
  const send = (body: string, end = 'claude-opus-5-5@20260901:rawPredict', headers = {}) =>
    gateway.fetch(new Request(`http://127.0.0.1:4141${path}/${end}`, { method: 'POST', headers, body }))
  return { left, send, gateway }
}

const hello = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-opus-5-5',
  content: [{ type: 'text', text: 'hello' }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 5, output_tokens: 1 },
}

describe('a client of Vertex', () => {
  test('comes through a broken stream and a 503, and its conversation is recorded', async () => {
    const outages: Outage[] = [
      { when: { request: 1 }, fault: { kind: 'cut', after: { inside: 'text' }, how: 'reset' } },
      { when: { request: 2 }, fault: { kind: 'status', status: 503 } },
    ]
    const { client, reached, store } = await atVertex({ model: answers, outages })
    const message = await client.messages.stream({ model: modelAt.vertex, max_tokens: 99, messages }).finalMessage()
    expect(message.content.at(-1)).toMatchObject({ text: 'hello' })
    expect(reached).toEqual(Array.from({ length: 3 }, () => `${path}/${modelAt.vertex}:streamRawPredict`))
    const recorded = (await entriesOf(store)).filter(({ type }) => type === 'response-received')
    expect(recorded).toMatchObject([{ message: { content: [{ text: 'hello' }] } }])
  })

  test('counts in one session, whether its answers stream or not', async () => {
    const { client, store, lab } = await atVertex({ model: countingStory })
    const effects = new Effects()
    const said: Anthropic.MessageParam[] = [{ role: 'user', content: task }]
    for (let streams = true; ; streams = !streams) {
      const body = { model: modelAt.vertex, max_tokens: 99, tools: [countTool], messages: said }
      const answer = await (streams ? client.messages.stream(body).finalMessage() : client.messages.create(body))
      said.push({ role: 'assistant', content: answer.content })
      const calls = answer.content.filter((block) => block.type === 'tool_use')
      if (calls.length === 0) break
      const content = calls.map((call) => ({
        type: 'tool_result' as const,
        tool_use_id: call.id,
        content: effects.count(call.input),
      }))
      said.push({ role: 'user', content })
    }
    expect(effects.runs).toEqual([1, 2, 3, 4])
    expect(lab.requests).toHaveLength(4)
    expect(await idsOf(store)).toEqual(['ses'])
  })
})

describe('a request in the form of Vertex', () => {
  const odd = ` {\n "anthropic_version": "vertex-2023-10-16", "max_tokens":9, "future": 1.0, "messages":[{"role":"user","content":"\\u00e9"}] }`

  test('leaves byte for byte, at the address and with the headers that it came with', async () => {
    const { left, send } = leaving({ upstream: 'https://proxy.example/google' })
    const response = await send(odd, 'claude-opus-5-5@20260901:rawPredict?alt=1', { authorization: 'Bearer mine' })
    expect(await response.json()).toMatchObject({ content: [{ text: 'hello' }] })
    expect(left).toMatchObject([
      { url: `https://proxy.example/google${path}/claude-opus-5-5@20260901:rawPredict?alt=1`, body: odd },
    ])
    expect(left[0]?.headers.get('authorization')).toBe('Bearer mine')
  })

  test('keeps its words where something in it was repaired', async () => {
    const { left, send } = leaving({ upstream: 'https://proxy.example' })
    await send(odd.replace('"messages":[', '"messages":[{"role":"user","content":[{"type":"text","text":""}]},'))
    expect(left).toHaveLength(1)
    expect(left[0]?.body).toMatch(/^\{"anthropic_version":"vertex-2023-10-16","max_tokens":9,"future":1\.0,/)
    expect(left[0]?.body).not.toContain('"text":""')
    expect(left[0]?.url).toMatch(/claude-opus-5-5@20260901:rawPredict$/)
  })

  test('has the name of the model that takes it over in its path', async () => {
    const fallback = [{ model: 'claude-sonnet-5-5@20260901' }]
    const down = Array.from({ length: 3 }, () => new Response('{}', { status: 529 }))
    const { left, send } = leaving({ upstream: 'https://proxy.example', fallback }, down)
    const body = { anthropic_version: 'vertex-2023-10-16', max_tokens: 9, tools: [countTool], messages }
    expect((await send(JSON.stringify(body))).headers.get('x-lastgood-model')).toBe(fallback[0]?.model)
    const last = left.at(-1)
    expect(last?.url).toBe(`https://proxy.example${path}/claude-sonnet-5-5@20260901:rawPredict`)
    expect(JSON.parse(last?.body ?? '')).toMatchObject(body)
    expect(JSON.parse(last?.body ?? '')).not.toHaveProperty('model')
  })

  test.each([
    ['us-east5', 'https://us-east5-aiplatform.googleapis.com'],
    ['global', 'https://aiplatform.googleapis.com'],
    ['eu', 'https://aiplatform.eu.rep.googleapis.com'],
  ])('goes to Google where no upstream was given: %s', async (location, host) => {
    const { left, gateway } = leaving({ credentials: () => ({ 'x-api-key': 'of-anthropic' }) })
    for (const end of ['claude-opus-5-5:rawPredict', 'count-tokens:rawPredict']) {
      const url = `http://127.0.0.1:4141${path.replace('us-east5', location)}/${end}`
      const headers = { authorization: 'Bearer google' }
      await gateway.fetch(new Request(url, { method: 'POST', headers, body: JSON.stringify({ messages }) }))
      expect(left.at(-1)?.url).toBe(url.replace('http://127.0.0.1:4141', host))
      expect(left.at(-1)?.headers.get('authorization')).toBe('Bearer google')
      expect(left.at(-1)?.headers.get('x-api-key')).toBeNull()
    }
  })

  test.each(['', '{}', '[1]', 'nonsense', '{"messages":1}'])(
    'passes as it is where the API will refuse it: %s',
    async (body) => {
      const { left, send } = leaving({ upstream: 'https://proxy.example' })
      await send(body)
      expect(left).toMatchObject([{ url: `https://proxy.example${path}/claude-opus-5-5@20260901:rawPredict`, body }])
    },
  )
})
