import { describe, expect, test } from 'vitest'
import { envelopeDrift, type CurrentEnvelope } from './envelope-drift.ts'
import type { Envelope } from './journal.ts'

const run = { name: 'run', description: 'Runs a command.', input_schema: { type: 'object' } }
const read = { name: 'read', description: 'Reads a file.', input_schema: { type: 'object' } }
const body = { model: 'claude-opus-5-5', max_tokens: 32_000, system: 'You code.', tools: [run, read] }
const pinned: Envelope = { body, betas: ['b1'], apiVersion: '2023-06-01' }
const drift = (changes: Record<string, unknown> = {}, rest: Partial<CurrentEnvelope> = {}) =>
  envelopeDrift(pinned, { body: { ...body, ...changes }, betas: ['b1'], ...rest })

describe('envelopeDrift', () => {
  test('of the same request is nothing, whatever the order of its fields', () => {
    expect(drift()).toEqual([])
    const { system, ...others } = body
    expect(envelopeDrift(pinned, { body: { system, ...others }, betas: ['b1'], apiVersion: '2023-06-01' })).toEqual([])
  })

  test.each([
    [
      { model: 'claude-sonnet-5-5' },
      { part: 'model', change: 'changed', pinned: 'claude-opus-5-5', current: 'claude-sonnet-5-5' },
    ],
    [
      { system: 'You code well.' },
      { part: 'system', change: 'changed', pinned: '9 characters', current: '14 characters' },
    ],
    [{ system: undefined }, { part: 'system', change: 'removed', pinned: '9 characters' }],
    [
      { max_tokens: 64_000 },
      { part: 'param', name: 'max_tokens', change: 'changed', pinned: '32000', current: '64000' },
    ],
    [
      { thinking: { type: 'adaptive' } },
      { part: 'param', name: 'thinking', change: 'added', current: '19 characters' },
    ],
    [
      { tools: [run] },
      { part: 'tool', name: 'read', change: 'removed', pinned: `${JSON.stringify(read).length} characters` },
    ],
    [{ tools: [run, read, { name: 'go' }] }, { part: 'tool', name: 'go', change: 'added', current: '13 characters' }],
    [
      { tools: [{ ...run, description: 'Runs.' }, read] },
      { part: 'tool', name: 'run', change: 'changed', pinned: '79 characters', current: '69 characters' },
    ],
    [{ tools: [read, run] }, { part: 'tools', change: 'changed', pinned: 'one order', current: 'another order' }],
  ])('with %j is one change, without content', (changes, expected) => {
    expect(drift(changes)).toEqual([expected])
  })

  test('tells betas and the version of the API, where the agent names one', () => {
    expect(drift({}, { betas: ['b2'], apiVersion: '2026-10-21' })).toEqual([
      { part: 'beta', name: 'b2', change: 'added' },
      { part: 'beta', name: 'b1', change: 'removed' },
      { part: 'api-version', change: 'changed', pinned: '2023-06-01', current: '2026-10-21' },
    ])
  })

  test('never has a word of the prompt or of a tool in it', () => {
    const changes = {
      system: 'TOP SECRET',
      tools: [{ ...run, description: 'TOP SECRET' }],
      metadata: { user_id: 'TOP SECRET' },
    }
    expect(JSON.stringify(drift(changes))).not.toMatch(/SECRET|You code|Runs a/)
  })
})
