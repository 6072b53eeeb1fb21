/** The gateway in front of Amazon Bedrock, signing what leaves it. The stand-in verifies each signature on its own. */
import { AnthropicBedrock } from '@anthropic-ai/bedrock-sdk'
import { createGateway, type AwsCredentials, type GatewayOptions } from '@lastgood/gateway'
import { reply, text, type LabOptions, type Outage } from '@lastgood/outage-lab'
import { describe, expect, onTestFinished, test } from 'vitest'
import { signatureOf, type KnownKey } from './support/aws-signature.ts'
import { clientAt, modelAt, startClouds } from './support/clouds.ts'
import { countTool } from './support/counting-story.ts'
import { named, setUp } from './support/gateway-stage.ts'
import { entriesOf, jumpingClock } from './support/harness.ts'

const answers = () => reply(text('hello'))
const messages = [{ role: 'user' as const, content: 'Hi' }]
const request = { model: modelAt.bedrock, max_tokens: 99, messages }

const key = (n: number): KnownKey => ({
  accessKeyId: `ASIA${String(n).repeat(16)}`,
  secretAccessKey: `secret/${n}+${'wJalrXUtnFEMI7'.repeat(2)}`,
  sessionToken: `IQoJb3JpZ2luX2Vj/${n}+${'token7'.repeat(9)}==`,
})

/** `asked`: whether each time the credentials had to be new. Amazon knows three; `own` are those that the gateway gets. */
async function stand({ lab = {}, gateway: more = {} }: Partial<Standing> = {}) {
  const clock = jumpingClock()
  const keys = [key(1), key(2), key(3)]
  const clouds = await startClouds({ model: answers, ...lab }, { keys, now: () => clock.now() })
  const asked: boolean[] = []
  const own = { now: keys[0]!, next: keys[0]!, after: 1 }
  const credentials = async ({ forceRefresh = false } = {}): Promise<AwsCredentials> => {
    asked.push(forceRefresh)
    if (forceRefresh && --own.after < 1) own.now = own.next
    return own.now
  }
  const aws = { credentials, region: 'us-east-1' }
  const { gateway, store } = await setUp({ gateway: { upstream: clouds.url, clock, aws, ...more } })
  const send = (input: string | URL | Request, init?: RequestInit) => gateway.fetch(new Request(input, init))
  const client = new AnthropicBedrock({
    baseURL: at,
    awsRegion: 'us-east-1',
    skipAuth: true,
    maxRetries: 0,
    logLevel: 'off',
    defaultHeaders: named,
    fetch: send,
  })
  const ask = (path: string, init?: RequestInit) => send(`${at}${path}`, init)
  return { ...clouds, keys, own, asked, clock, gateway, store, client, send, ask }
}

const at = 'http://127.0.0.1:4141'

interface Standing {
  lab: Partial<LabOptions>
  gateway: GatewayOptions
}

test('the stand-in computes the signature of a request from the test suite of Amazon', () => {
  const headers = { host: 'example.amazonaws.com', 'x-amz-date': '20150830T123600Z' }
  const scope = '20150830/us-east-1/service/aws4_request'
  const authorization = `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/${scope}, SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(64)}`
  const its = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }
  const { signature } = signatureOf({ method: 'GET', target: '/', headers, body: '' }, authorization, its)
  expect(signature).toBe('5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31')
})

test('the stand-in takes what the client of Amazon signs itself, and refuses what was changed after that', async () => {
  const { url } = await startClouds({ model: answers }, { keys: [key(1)], now: Date.now })
  const { accessKeyId, secretAccessKey, sessionToken } = key(1)
  const signed = { awsAccessKey: accessKeyId, awsSecretKey: secretAccessKey, awsSessionToken: sessionToken! }
  const own = { baseURL: url, awsRegion: 'us-east-1', maxRetries: 0, logLevel: 'off' as const, ...signed }
  expect(await new AnthropicBedrock(own).messages.create(request)).toMatchObject({ content: [{ text: 'hello' }] })
  const changed = new AnthropicBedrock({
    ...own,
    fetch: (input, init) => fetch(input, { ...init, body: `${init?.body as string} ` } as RequestInit),
  })
  await expect(changed.messages.create(request)).rejects.toThrow(/does not match the signature/)
})

describe('a client that does not sign', () => {
  test('comes through a broken stream, an error within one and ten minutes of 503', async () => {
    const outages: Outage[] = [
      { when: { request: 1 }, fault: { kind: 'cut', after: { inside: 'text' }, how: 'reset' } },
      {
        when: { request: 2 },
        fault: { kind: 'error-event', after: { inside: 'text' }, type: 'overloaded_error', message: 'Overloaded' },
      },
      { when: { requests: [3, 24] }, fault: { kind: 'status', status: 503 } },
    ]
    const { client, lab, clock, store } = await stand({ lab: { outages } })
    const begun = clock.now()
    const message = await client.messages.stream(request).finalMessage()
    expect(message.content.at(-1)).toMatchObject({ text: 'hello' })
    expect(lab.requests).toHaveLength(25)
    // No signature holds as long.
    expect(clock.now() - begun).toBeGreaterThan(600_000)
    const entries = await entriesOf(store)
    expect(entries.filter(({ type }) => type === 'response-received')).toHaveLength(1)
    for (const secret of Object.values(key(1))) expect(JSON.stringify(entries)).not.toContain(secret)
  })

  test('has a turn taken over by another model, in whose path and body it is signed', async () => {
    const other = 'us.anthropic.claude-sonnet-5-5:0'
    const outages: Outage[] = [{ when: { requests: [1, 3] }, fault: { kind: 'status', status: 529 } }]
    const { client, reached } = await stand({ lab: { outages }, gateway: { fallback: [{ model: other }] } })
    const message = await client.messages.create({ ...request, tools: [countTool] })
    expect(message.content).toMatchObject([{ text: 'hello' }])
    expect(reached.at(-1)).toBe(`/model/${encodeURIComponent(other)}/invoke`)
  })

  test('is signed with what a repair has changed', async () => {
    const { client, lab } = await stand()
    const empty = { role: 'user' as const, content: [{ type: 'text' as const, text: '' }] }
    await client.messages.create({ ...request, messages: [empty, ...messages] })
    expect(JSON.stringify(lab.requests)).not.toContain('"text":""')
  })

  test.each([
    ['GET', '/inference-profiles?type=SYSTEM_DEFINED&maxResults=9&type=%C3%A9', undefined],
    ['HEAD', '/', undefined],
    ['POST', `/model/${modelAt.bedrock}/count-tokens`, '{"input":{}}'],
    ['POST', '/model/amazon.titan%3A0/converse', 'a'.repeat(200_000)],
  ])('has another request signed, too: %s %s', async (method, path, body) => {
    const { ask, reached } = await stand()
    // The stand-in knows no such path; without a signature it would say 403.
    expect((await ask(path, { method, body: body ?? null })).status).toBe(404)
    expect(reached).toEqual([path])
  })
})

/** What leaves a gateway for hosts of Amazon, as it is answered there. */
function leavingFor(upstream: string[], answers: readonly Response[] = []) {
  const left: { url: string; region: string | undefined }[] = []
  const gateway = createGateway({
    clock: jumpingClock(),
    drainMs: 0,
    upstream,
    aws: { credentials: () => key(1) },
    fetch: async (url, { headers }) => {
      const [, region] =
        /^AWS4-HMAC-SHA256 Credential=[^/]+\/\d+\/([^/]+)\/bedrock\//.exec(
          new Headers(headers).get('authorization') ?? '',
        ) ?? []
      left.push({ url, region })
      return answers[left.length - 1]?.clone() ?? Response.json({})
    },
  })
  onTestFinished(() => gateway.close())
  return { left, ask: (path: string, init?: RequestInit) => gateway.fetch(new Request(`${at}${path}`, init)) }
}

const [east, west] = [
  'https://bedrock-runtime.us-east-1.amazonaws.com',
  'https://bedrock-runtime.us-west-2.amazonaws.com',
]

test('an upstream in another region that takes a turn over is signed for its own', async () => {
  const down = Array.from({ length: 9 }, () => new Response('{}', { status: 503 }))
  const { left, ask } = leavingFor([east!, west!], down)
  await ask(`/model/${modelAt.bedrock}/invoke`, { method: 'POST', body: JSON.stringify({ max_tokens: 9, messages }) })
  const hosts = new Map(left.map(({ url, region }) => [new URL(url).origin, region]))
  expect([...hosts]).toEqual([
    [east, 'us-east-1'],
    [west, 'us-west-2'],
  ])
})

test.each([
  [east!, '/inference-profiles?type=SYSTEM_DEFINED', 'https://bedrock.us-east-1.amazonaws.com'],
  [
    'https://bedrock-runtime-fips.us-east-1.amazonaws.com',
    '/inference-profiles/a%2Fb',
    'https://bedrock-fips.us-east-1.amazonaws.com',
  ],
  [east!, '/foundation-models', 'https://bedrock.us-east-1.amazonaws.com'],
  [east!, '/inference-profiles-of-another', east!],
  [`${east!}/path`, '/inference-profiles', `${east!}/path`],
])('what is asked at %s about models goes, signed, to where Amazon answers it: %s', async (upstream, path, host) => {
  const { left, ask } = leavingFor([upstream])
  await ask(path)
  expect(left).toEqual([{ url: `${host}${path}`, region: 'us-east-1' }])
})

test('credentials of the client, and what it signed for the gateway, are replaced', async () => {
  const { send, headers } = await stand()
  const itself = { awsAccessKey: 'AKIAOFTHECLIENT', awsSecretKey: 'x', awsSessionToken: 'of-the-client' }
  const signing = new AnthropicBedrock({ baseURL: at, awsRegion: 'eu-west-1', logLevel: 'off', fetch: send, ...itself })
  const clients = [clientAt.bedrock(at, { fetch: send, defaultHeaders: { 'x-api-key': 'of-the-client' } }), signing]
  for (const client of clients) {
    expect(await client.messages.create(request)).toMatchObject({ content: [{ text: 'hello' }] })
  }
  expect(JSON.stringify(headers)).not.toMatch(/of-?the-?client|Bearer/i)
})

describe('credentials that Amazon calls expired', () => {
  test('are asked for anew, and the request goes again at once: no failure', async () => {
    const { client, keys, own, asked, headers, store } = await stand()
    own.next = keys[1]!
    keys[0]!.uses = 0
    expect(await client.messages.create(request)).toMatchObject({ content: [{ text: 'hello' }] })
    expect([asked, headers.length]).toEqual([[false, true], 2])
    expect((await entriesOf(store)).map(({ type }) => type)).not.toContain('fault-observed')
  })

  test('and for which there are no others yet are waited for, where they worked before', async () => {
    const { client, keys, own, headers, store } = await stand()
    await client.messages.create(request)
    keys[0]!.uses = 0
    const more = [...messages, { role: 'assistant' as const, content: 'hello' }, messages[0]!]
    Object.assign(own, { next: keys[1]!, after: 4 })
    const answer = await client.messages.create({ ...request, messages: more })
    expect(answer).toMatchObject({ content: [{ text: 'hello' }] })
    expect(headers).toHaveLength(6)
    const faults = (await entriesOf(store)).filter(({ type }) => type === 'fault-observed')
    expect(faults[0]).toMatchObject({ fault: { status: 403, message: expect.stringContaining('is expired') } })
  })

  test('and that never worked are the end of it, in the words of Amazon', async () => {
    const { client, keys, headers } = await stand()
    keys[0]!.uses = 0
    await expect(client.messages.create(request)).rejects.toThrow(
      /403.*security token included in the request is expired/,
    )
    expect(headers.length).toBeGreaterThan(0)
  })
})

test('what Amazon quotes of a signature that it refuses is told and recorded without the token', async () => {
  const { client, store } = await stand({
    gateway: { aws: { credentials: () => ({ ...key(1), secretAccessKey: 'x' }), region: 'us-east-1' } },
  })
  const told = await client.messages.create(request).catch((error: unknown) => String(error))
  expect(told).toContain('does not match')
  const all = JSON.stringify([told, await entriesOf(store)])
  for (const secret of [key(1).accessKeyId, key(1).sessionToken!]) expect(all).not.toContain(secret)
})
