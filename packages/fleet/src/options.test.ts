import { readFileSync } from 'node:fs'
import { memoryStore } from '@lastgood/core'
import { describe, expect, it } from 'vitest'
import { agentOf, connect } from '../test/fixture.ts'
import { fleetClient } from './client.ts'
import { runFleet } from './fleet.ts'
import { resolveFleet, type ClientOptions, type FleetOptions } from './options.ts'

const coder = agentOf('coder')

function options(changes: object = {}): FleetOptions {
  return { store: memoryStore(), connection: connect(), agents: { coder }, ...changes }
}

describe('bad options throw when the fleet is made', () => {
  it.each([
    ['store', { store: {} }],
    ['connection', { connection: 'redis://127.0.0.1' }],
    ['connection', { connection: { evalsha() {}, duplicate() {}, options: { keyPrefix: 'x:' } } }],
    ['prefix', { prefix: 'a{b}' }],
    ['agents', { agents: {} }],
    ['agents.writer', { agents: { writer: coder } }],
    ['agents.coder', { agents: { coder: { agent: { name: 'coder' } } } }],
    ['agents.coder', { agents: { coder: undefined } }],
    ['agents.coder', { agents: { coder: null } }],
    ['agents.coder', { agents: { coder: 'coder' } }],
    ['agents.coder', { agents: { coder: { agent: null } } }],
    ['perMinute', { perMinute: 60 }],
    ['perMinute', { perMinute: 0 }],
    ['perMinute', { perMinute: [60] }],
    ['perMinute', { perMinute: { m: 0 } }],
    ['perMinute', { perMinute: { m: '60' } }],
    ['connection', { connection: { evalsha() {}, duplicate() {}, options: { stringNumbers: true } } }],
    [
      'connection',
      { connection: { evalsha() {}, duplicate() {}, options: { redisOptions: { stringNumbers: true } } } },
    ],
    ['agents.coder.concurrency', { agents: { coder: { agent: coder, concurrency: 0 } } }],
    ['concurrency', { concurrency: 1.5 }],
    ['leaseMs', { leaseMs: 0 }],
    ['leaseMs', { leaseMs: 86_400_001 }],
    ['pollMs', { pollMs: Number.NaN }],
    ['sweepEveryMs', { sweepEveryMs: -1 }],
    ['parkAboveMs', { parkAboveMs: Infinity }],
    ['crashLimit', { crashLimit: 0 }],
    ['graceMs', { graceMs: '5s' }],
  ])('%s in %o', (field, changes) => {
    const told = expect.objectContaining({ code: 'bad-option', hint: expect.any(String), details: { field } })
    expect(() => runFleet(options(changes))).toThrowError(told)
  })
})

it('each default is the documented one', () => {
  const page = readFileSync(new URL('../../../docs/fleet.md', import.meta.url), 'utf8')
  const documented = (name: string) => {
    const [, text = ''] = new RegExp(`^\\| \`${name}\` +\\| ([^|]+) \\|`, 'm').exec(page) ?? []
    return /^[\d,]+$/.test(text) ? Number(text.replaceAll(',', '')) : text.replaceAll('`', '')
  }
  const { agents, ...resolved } = resolveFleet(options())
  const defaults = { ...resolved, concurrency: agents.get('coder')?.concurrency }
  const names = ['prefix', 'concurrency', 'leaseMs', 'pollMs', 'sweepEveryMs', 'parkAboveMs', 'crashLimit', 'graceMs']
  expect(defaults).toMatchObject(Object.fromEntries(names.map((name) => [name, documented(name)])))
})

it.each<[string, () => unknown]>([
  [
    'throws',
    () => {
      throw new Error('broken at https://user:pa55word@example.com')
    },
  ],
  ['returns a promise that rejects', () => Promise.reject(new Error('broken at https://user:pa55word@example.com'))],
])('a listener that %s is no end of the fleet, and what it says is told without secrets', async (_, onEvent) => {
  const warned = new Promise((resolve) => process.once('warning', resolve))
  const { tell } = resolveFleet(options({ onEvent }))
  tell({ kind: 'trouble-over', where: 'queue' })
  const { message } = (await warned) as Error
  expect(message).toContain('broken at')
  expect(message).not.toContain('pa55word')
})

it('an option that no fleet, or no client of one, has is refused by its name', () => {
  expect(() => runFleet(options({ concurency: 3 }))).toThrow('Fleet option holds concurency')
  const { store, connection } = options()
  expect(() => fleetClient({ store, connection, agents: {} } as ClientOptions)).toThrow('Fleet option holds agents')
})
