/** The gateway and the clouds that have the Messages API in forms of their own. */
import type Anthropic from '@anthropic-ai/sdk'
import { ladder } from '@lastgood/anthropic'
import { createGateway, type GatewayOptions } from '@lastgood/gateway'
import { reply, story, text, type LabOptions, type Outage } from '@lastgood/outage-lab'
import { describe, expect, onTestFinished, test } from 'vitest'
import { clientAt, modelAt, startClouds, type CloudName } from './support/clouds.ts'
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
    const fallback = ladder({ model: modelAt.bedrock, client: clientAt.bedrock(url) })
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

const vertexPath = '/v1/projects/test/locations/us-east5/publishers/anthropic/models'
/** What is asked of a model, without a stream. */
const askedAt = {
  vertex: `${vertexPath}/${modelAt.vertex}:rawPredict`,
  bedrock: `/model/${modelAt.bedrock}/invoke`,
} as const
const clouds = ['vertex', 'bedrock'] as const

/** The cloud's own client, through a gateway in front of it. */
async function at(cloud: CloudName, options: LabOptions, more: GatewayOptions = {}) {
  const stage = await startClouds(options)
  const { gateway, store } = await setUp({ gateway: { upstream: stage.url, ...more } })
  const client = clientAt[cloud]('http://127.0.0.1:4141', {
    maxRetries: 0,
    defaultHeaders: named,
    fetch: (input, init) => gateway.fetch(new Request(input as string, init as RequestInit)),
  })
  return { ...stage, gateway, store, client }
}

/** What leaves a gateway, which gets the `answers` in turn. */
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
  const send = (path: string, body: string, headers = {}) =>
    gateway.fetch(new Request(`http://127.0.0.1:4141${path}`, { method: 'POST', headers, body }))
  return { left, send }
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

describe.each(clouds)('the client of %s', (cloud) => {
  const request = { model: modelAt[cloud], max_tokens: 99, messages }
  const hellos = [{ message: { content: [{ text: 'hello' }] } }]

  test('comes through a broken stream, an error within one and a 503, and its conversation is recorded', async () => {
    const outages: Outage[] = [
      { when: { request: 1 }, fault: { kind: 'cut', after: { inside: 'text' }, how: 'reset' } },
      {
        when: { request: 2 },
        fault: { kind: 'error-event', after: { inside: 'text' }, type: 'overloaded_error', message: 'Overloaded' },
      },
      { when: { request: 3 }, fault: { kind: 'status', status: 503 } },
    ]
    const { client, reached, store } = await at(cloud, { model: answers, outages })
    const message = await client.messages.stream(request).finalMessage()
    expect(message.content.at(-1)).toMatchObject({ text: 'hello' })
    expect(new Set(reached).size).toBe(1)
    expect(reached).toHaveLength(4)
    expect((await entriesOf(store)).filter(({ type }) => type === 'response-received')).toMatchObject(hellos)
  })

  test('is kept waiting by pings, and gets the answer in the end', async () => {
    const outages = [
      { when: { requests: [1, 6] as [number, number] }, fault: { kind: 'status', status: 529 } as const },
    ]
    const { client } = await at(cloud, { model: answers, outages }, { holdMs: 0 })
    const message = await client.messages.stream(request).finalMessage()
    expect(message.content).toMatchObject([{ text: 'hello' }])
  })

  test('is told of what cannot be waited out, also when its stream has begun', async () => {
    const outages = [
      { when: { requests: [1, 99] as [number, number] }, fault: { kind: 'status', status: 403 } as const },
    ]
    for (const holdMs of [0, 20_000]) {
      const { client } = await at(cloud, { model: answers, outages }, { holdMs })
      await expect(client.messages.stream(request).finalMessage()).rejects.toThrow(/suspended|permission/i)
    }
  })

  test('counts in one session, whether its answers stream or not', async () => {
    const { client, store, lab } = await at(cloud, { model: countingStory })
    const effects = new Effects()
    const said: Anthropic.MessageParam[] = [{ role: 'user', content: task }]
    for (let streams = true; ; streams = !streams) {
      const body = { ...request, tools: [countTool], messages: said }
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

describe.each(clouds)('a request in the form of %s', (cloud) => {
  const path = askedAt[cloud]
  const upstream = 'https://proxy.example/cloud'
  const odd = ` {\n "anthropic_version": "${cloud}-2023-10-16", "max_tokens":9, "future": 1.0, "messages":[{"role":"user","content":"\\u00e9"}] }`

  test('leaves byte for byte, at the address and with the headers that it came with', async () => {
    const { left, send } = leaving({ upstream })
    const response = await send(`${path}?alt=1`, odd, { authorization: 'Bearer mine' })
    expect(await response.json()).toMatchObject({ content: [{ text: 'hello' }] })
    expect(left).toMatchObject([{ url: `${upstream}${path}?alt=1`, body: odd }])
    expect(left[0]?.headers.get('authorization')).toBe('Bearer mine')
  })

  test.each([false, true])('keeps its words where something in it was repaired; a stream: %s', async (streams) => {
    const { left, send } = leaving({ upstream })
    const [whole, streaming] = ['rawPredict', 'streamRawPredict']
    const streamed = cloud === 'vertex' ? path.replace(whole, streaming) : `${path}-with-response-stream`
    const said = odd.replace('"messages":[', '"messages":[{"role":"user","content":[{"type":"text","text":""}]},')
    await send(streams ? streamed : path, said)
    expect(left).toMatchObject([{ url: `${upstream}${streams ? streamed : path}` }])
    const { body } = left[0]!
    expect(body).toMatch(/^\{"anthropic_version":"\w+-2023-10-16","max_tokens":9,"future":1\.0,/)
    expect(body).not.toContain('"text":""')
    expect(JSON.parse(body)).not.toHaveProperty('model')
    expect('stream' in JSON.parse(body)).toBe(streams && cloud === 'vertex')
  })

  test('goes without a beta that the cloud refuses', async () => {
    const refusal = Response.json({ message: 'invalid beta flag' }, { status: 400 })
    const { left, send } = leaving({ upstream }, [refusal])
    const [good, bad] = ['good-2025-01-01', 'bad-2030-01-01']
    const body = {
      anthropic_version: 'v',
      max_tokens: 9,
      messages,
      ...(cloud === 'bedrock' && { anthropic_beta: [good, bad] }),
    }
    const response = await send(path, JSON.stringify(body), { 'anthropic-beta': `${good},${bad}` })
    expect(await response.json()).toMatchObject({ content: [{ text: 'hello' }] })
    expect(left).toHaveLength(2)
    expect(left[1]?.headers.get('anthropic-beta')).toBe(good)
    expect(JSON.parse(left[1]?.body ?? '')).toEqual({ ...body, ...(cloud === 'bedrock' && { anthropic_beta: [good] }) })
  })

  test('has the name of the model that takes it over in its path', async () => {
    const fallback = [{ model: 'claude-sonnet-5-5@20260901' }]
    const down = Array.from({ length: 3 }, () => new Response('{}', { status: 529 }))
    const { left, send } = leaving({ upstream, fallback }, down)
    const body = { anthropic_version: 'v', max_tokens: 9, tools: [countTool], messages }
    expect((await send(path, JSON.stringify(body))).headers.get('x-lastgood-model')).toBe(fallback[0]?.model)
    const last = left.at(-1)
    const name = cloud === 'vertex' ? 'claude-sonnet-5-5@20260901' : 'claude-sonnet-5-5%4020260901'
    expect(last?.url).toBe(`${upstream}${path.replace(modelAt[cloud], name)}`)
    expect(JSON.parse(last?.body ?? '')).toMatchObject(body)
    expect(JSON.parse(last?.body ?? '')).not.toHaveProperty('model')
  })

  test.each(['', '{}', '[1]', 'nonsense', '{"messages":1}'])(
    'passes as it is where the API will refuse it: %s',
    async (body) => {
      const { left, send } = leaving({ upstream })
      await send(path, body)
      expect(left).toMatchObject([{ url: `${upstream}${path}`, body }])
    },
  )
})

test.each([
  ['us-east5', 'https://us-east5-aiplatform.googleapis.com'],
  ['global', 'https://aiplatform.googleapis.com'],
  ['eu', 'https://aiplatform.eu.rep.googleapis.com'],
])('a path of Vertex goes to Google where no upstream was given: %s', async (location, host) => {
  const { left, send } = leaving({ credentials: () => ({ 'x-api-key': 'of-anthropic' }) })
  for (const end of ['claude-opus-5-5:rawPredict', 'count-tokens:rawPredict']) {
    const path = `${vertexPath.replace('us-east5', location)}/${end}`
    await send(path, JSON.stringify({ messages }), { authorization: 'Bearer google' })
    expect(left.at(-1)?.url).toBe(`${host}${path}`)
    expect(left.at(-1)?.headers.get('authorization')).toBe('Bearer google')
    expect(left.at(-1)?.headers.get('x-api-key')).toBeNull()
  }
})

test.each(['https://proxy.example/model', 'https://proxy.example/publishers/anthropic'])(
  'an upstream whose path looks like that of a cloud gets Messages requests as they came: %s',
  async (upstream) => {
    const { left, send } = leaving({ upstream })
    const body = JSON.stringify({ ...asked, tools: undefined })
    await send('/v1/messages', body)
    expect(left).toMatchObject([{ url: `${upstream}/v1/messages`, body }])
  },
)
