/** Clients of other kinds, and copies of the packages: for the compiler, and when they run. */
import { cpSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type Anthropic from '@anthropic-ai/sdk'
import { AnthropicBedrock } from '@anthropic-ai/bedrock-sdk'
import type { AnthropicVertex } from '@anthropic-ai/vertex-sdk'
import * as own from '@lastgood/anthropic'
import { memoryStore, type Session } from '@lastgood/core'
import { reply, story, text, type Fault } from '@lastgood/outage-lab'
import { describe, expect, test } from 'vitest'
import { clientAt, modelAt, startClouds, type CloudName } from './support/clouds.ts'
import { countingAgent, countingStory, Effects, task } from './support/counting-story.ts'
import { newFolder } from './support/folder.ts'
import { openTestSession, startTestLab, typesOf } from './support/harness.ts'

const { ladder, recoverable } = own

const model = 'claude-opus-5-5'
const answers = story([reply(text('hello'))])
const request = { model, max_tokens: 100, messages: [{ role: 'user' as const, content: 'Hi' }] }

const signing = {
  awsRegion: 'us-east-1',
  apiKey: null,
  awsAccessKey: 'test',
  awsSecretKey: 'test',
  logLevel: 'off' as const,
}
const clouds: readonly [client: string, cloud: CloudName, make: (url: string) => AnthropicBedrock | AnthropicVertex][] =
  [
    ['Bedrock, with a key', 'bedrock', clientAt.bedrock],
    ['Bedrock, with requests that are signed', 'bedrock', (baseURL) => new AnthropicBedrock({ baseURL, ...signing })],
    ['Vertex', 'vertex', clientAt.vertex],
  ]
const once = (n: number, fault: Fault) => ({ when: { request: n }, fault })
const outages = [
  once(1, { kind: 'cut', after: { inside: 'text' }, how: 'reset' }),
  once(2, { kind: 'status', status: 503 }),
  once(4, { kind: 'error-event', after: { inside: 'tool_use' }, type: 'overloaded_error', message: 'Overloaded' }),
]

describe.each(clouds)('the client for %s', (_name, cloud, make) => {
  test('can be made recoverable, and is of its type', async () => {
    const { lab, url } = await startClouds({ model: answers, outages })
    const session = await openTestSession()
    const client = make(url)
    const made: typeof client = recoverable(client, session)
    const asked = { ...request, model: modelAt[cloud] }
    expect((await made.messages.stream(asked).finalMessage()).content.at(-1)).toMatchObject({ text: 'hello' })
    expect(session.messages()).toMatchObject([{}, { content: [{ text: 'hello' }] }])
    expect(lab.requests).toHaveLength(3)
  })

  test('can be the client of an agent, whose tools run once each', async () => {
    const { lab, url } = await startClouds({ model: countingStory, outages })
    const effects = new Effects()
    const agent = countingAgent(effects, make(url), { model: modelAt[cloud] })
    await expect((await openTestSession()).run(agent, task)).resolves.toMatchObject({ text: 'done' })
    expect(effects.runs).toEqual([1, 2, 3, 4])
    expect(lab.requests).toHaveLength(7)
  })

  test('can be a rung', async () => {
    const fault = { kind: 'status', status: 529 } as const
    const { client } = await startTestLab({ model: answers, outages: [{ when: { requests: [1, Infinity] }, fault }] })
    const { url, reached } = await startClouds({ model: answers })
    const rungs = ladder(model, { model: modelAt[cloud], client: make(url) })
    const made = recoverable(client, await openTestSession(), { ladder: rungs })
    expect((await made.messages.stream(request).finalMessage()).content).toMatchObject([{ text: 'hello' }])
    expect(reached.join()).toContain(encodeURIComponent(modelAt[cloud]).replace('%40', '@'))
  })
})

/** The packages once more, as where two dependencies of a program have their own. */
async function copyOfPackages(): Promise<typeof own> {
  const folder = newFolder()
  const root = join(import.meta.dirname, '..')
  for (const name of ['core', 'anthropic']) {
    const to = join(folder, 'node_modules/@lastgood', name)
    for (const part of ['package.json', 'dist']) {
      cpSync(join(root, 'packages', name, part), join(to, part), { recursive: true })
    }
  }
  for (const name of ['@anthropic-ai', 'zod']) {
    symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name))
  }
  const entry = pathToFileURL(join(folder, 'node_modules/@lastgood/anthropic/dist/index.js')).href
  return (await import(entry)) as typeof own
}

test.each<[string, (client: Anthropic, session: Session, other: typeof own) => Anthropic]>([
  ['made recoverable', (client, session, other) => other.recoverable(own.recoverable(client, session), session)],
  [
    'with the middleware mounted by hand',
    (client, session, other) =>
      client.withOptions({ maxRetries: 0, middleware: [own.recovery(session), other.recovery(session)] }),
  ],
])('a client %s by two copies of the packages records each request once (P8)', async (_how, wrap) => {
  const { client, lab } = await startTestLab({ model: answers })
  const store = memoryStore()
  const session = await openTestSession(store)
  const made = wrap(client, session, await copyOfPackages())
  expect((await made.messages.create(request)).content).toMatchObject([{ text: 'hello' }])
  expect(lab.requests).toHaveLength(1)
  expect((await typesOf(store)).filter((type) => type === 'request-sent')).toHaveLength(1)
})
