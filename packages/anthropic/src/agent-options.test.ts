import Anthropic from '@anthropic-ai/sdk'
import { memoryStore, openSession } from '@lastgood/core'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { defineAgent } from './agent.ts'
import { ladder } from './ladder.ts'
import { recoverable } from './recovery.ts'
import { tool } from './tool.ts'

const client = new Anthropic({ apiKey: 'test' })
const made = tool({ name: 'made', description: '', input: z.object({}), run: () => '' })
const ofSdk = { name: 'ofSdk', run: () => '' }
const sound = { name: 'a', client, model: 'm', tools: [made, ofSdk], inDoubt: { ofSdk: 'ask' as const } }

test.each<[field: string, options: object]>([
  ['name', { name: undefined }],
  ['name', { name: 42 }],
  ['name', { name: ' ' }],
  ['client', { client: undefined }],
  ['client', { client: {} }],
  ['client', { client: { withOptions: () => client } }],
  ['model', { model: undefined }],
  ['model', { model: [] }],
  ['ladder', { model: ladder('m', 'm') }],
  ['tools', { tools: [made, ofSdk, made] }],
  ['tools', { tools: [ofSdk, { ...ofSdk }] }],
  ['inDoubt.ofSdk', { inDoubt: { ofSdk: 'retry' } }],
  ['inDoubt', { inDoubt: { offSdk: 'rerun' } }],
  ['inDoubt', { inDoubt: { made: 'rerun' } }],
  ['maxTokens', { maxTokens: -5 }],
  ['maxTokens', { maxTokens: Number.NaN }],
  ['maxTokens', { maxTokens: Infinity }],
  ['maxTokens', { maxTokens: 1.5 }],
  ['ladder', { model: ['m', null].map((one) => one && { model: one }) }],
  ['system', { system: 42 }],
  ['params', { params: 'fast' }],
  ['params', { params: { max_tokens: 5 } }],
  ['params', { params: { stream: false } }],
  ['params', { params: { tools: 'web_search' } }],
  ['betas', { betas: 'context-1m' }],
  ['betas', { betas: [1] }],
  ['credentials', { credentials: 'key' }],
  ['tools', { tools: {} }],
  ['tools', { tools: [null] }],
  ['tools', { tools: [{ run: () => '' }] }],
  ['tools', { tools: [{ name: 'look', input_schema: { type: 'object' } }] }],
  ['inDoubt', { inDoubt: null }],
  ['stream', { stream: 'no' }],
  ['modle', { modle: 'm' }],
])('an agent with a bad %s is not defined: %o', (field, options) => {
  expect(() => defineAgent(sound)).not.toThrow()
  const bad = expect.objectContaining({ code: 'bad-option', details: expect.objectContaining({ field }) })
  expect(() => defineAgent({ ...sound, ...options } as never)).toThrow(bad)
})

test.each([
  ['beside its own', [made], [made.definition]],
  ['alone', [], []],
])('an agent has tools that the API runs, %s', (_, own, definitions) => {
  const tools = [{ type: 'web_search_20260318', name: 'web_search' }]
  const agent = defineAgent({ name: 'a', client, model: 'm', tools: own, params: { tools } })
  expect(agent.envelope?.body['tools']).toEqual([...definitions, ...tools])
})

test.each<[field: string, options: object]>([
  ['inDoubt of t', { inDoubt: 'retry' }],
  ['indoubt', { indoubt: 'ask' }],
  ['name', { name: '' }],
  ['description', { description: undefined }],
  ['input', { input: { type: 'object' } }],
  ['input', { input: undefined }],
  ['input', { input: { _def: { typeName: 'ZodObject' }, parse: () => ({}) } }],
  ['run', { run: 5 }],
  ['run', { run: undefined }],
  ['verify', { verify: 5 }],
])('a tool with a bad %s is not made: %o', (field, options) => {
  const sound = { name: 't', description: '', input: z.object({}), run: () => '' }
  expect(() => tool(sound)).not.toThrow()
  const bad = expect.objectContaining({ code: 'bad-option', details: expect.objectContaining({ field }) })
  expect(() => tool({ ...sound, ...options } as never)).toThrow(bad)
})

test('a client without middleware, as an older SDK makes it, is told at once, and so is a session that was not waited for', () => {
  const old = { baseURL: 'https://api.example', withOptions: () => old } as never
  const bad = (field: string) => expect.objectContaining({ code: 'bad-option', details: { field } })
  const session = openSession('ses', { store: memoryStore() })
  expect(() => recoverable(old, {} as never)).toThrow(bad('client'))
  expect(() => ladder('m', { model: 'm', client: old })).toThrow(bad('client'))
  expect(() => recoverable(client, session as never)).toThrow(bad('session'))
})
