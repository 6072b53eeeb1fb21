/** Clients of other kinds, and copies of the packages: for the compiler, and when they run. */
import { cpSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type Anthropic from '@anthropic-ai/sdk'
import { BaseAnthropic } from '@anthropic-ai/sdk/client'
import { Messages as BetaMessages } from '@anthropic-ai/sdk/resources/beta/messages/messages'
import { Messages } from '@anthropic-ai/sdk/resources/messages/messages'
import * as own from '@lastgood/anthropic'
import { memoryStore, type Session } from '@lastgood/core'
import { reply, story, text } from '@lastgood/outage-lab'
import { describe, expect, test } from 'vitest'
import { newFolder } from './support/folder.ts'
import { openTestSession, startTestLab, typesOf } from './support/harness.ts'

const { defineAgent, ladder, recoverable } = own

/** With no more than the SDK's clients for Bedrock and Vertex have. */
class OtherCloud extends BaseAnthropic {
  messages = new Messages(this)
  beta = { messages: new BetaMessages(this) }
}

const model = 'claude-opus-5-5'
const answers = story([reply(text('hello'))])
const request = { model, max_tokens: 100, messages: [{ role: 'user' as const, content: 'Hi' }] }

async function otherCloud() {
  const { lab } = await startTestLab({ model: answers })
  return { lab, client: new OtherCloud({ baseURL: lab.url, apiKey: 'test', logLevel: 'off' }) }
}

describe('a client like those for Bedrock and Vertex', () => {
  test('can be made recoverable, and is of its type', async () => {
    const { client } = await otherCloud()
    const session = await openTestSession()
    const made: OtherCloud = recoverable(client, session)
    expect((await made.messages.create(request)).content).toMatchObject([{ text: 'hello' }])
    expect(session.messages()).toHaveLength(2)
  })

  test('can be the client of an agent', async () => {
    const { client } = await otherCloud()
    const agent = defineAgent({ name: 'coder', client, model })
    await expect((await openTestSession()).run(agent, 'Hi')).resolves.toMatchObject({ text: 'hello' })
  })

  test('can be a rung', async () => {
    const fault = { kind: 'status', status: 529 } as const
    const { client } = await startTestLab({ model: answers, outages: [{ when: { requests: [1, Infinity] }, fault }] })
    const other = await otherCloud()
    const rungs = ladder(model, { model, client: other.client })
    const made = recoverable(client, await openTestSession(), { ladder: rungs })
    expect((await made.messages.stream(request).finalMessage()).content).toMatchObject([{ text: 'hello' }])
    expect(other.lab.requests.some(({ path }) => path.endsWith('/messages'))).toBe(true)
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
