import type { Head, Holder } from '@lastgood/core'
import { describe, expect, test } from 'vitest'
import type { SurvivedOutage } from '../outages/session-outages.ts'
import { rowOf } from '../sessions/session-row.ts'
import { sessionCard } from './session-card.ts'

const now = Date.UTC(2026, 10, 1, 12)
const head = (changes: Partial<Head>): Head => ({
  v: 3,
  sessionId: 'fix-auth',
  seq: 9,
  status: 'idle',
  turn: 2,
  lastGoodTurn: 1,
  createdAt: now - 60_000,
  updatedAt: now - 1_000,
  machine: { version: '2', value: 'idle', context: {} },
  ...changes,
})
const holder: Holder = {
  owner: { id: 'o', host: 'there', realm: 'another machine', pid: 12 },
  fence: 1,
  since: now - 5_000,
  expiresAt: now + 30_000,
}
const survived = (agoMs: number): SurvivedOutage => ({
  since: now - agoMs - 60_000,
  until: now - agoMs,
  cause: '529 overloaded',
  model: 'm',
  attempts: 3,
  end: 'same-model',
  answeredAt: now - agoMs,
})
const hour = 3_600_000
/** It runs `writer`. */
const fleet = new Set(['writer'])
const cardOf = (changes: Partial<Head>, held: Holder | null = null, came?: SurvivedOutage, agents: string[] = []) =>
  sessionCard(rowOf({ head: head(changes), holder: held }, fleet), {
    now,
    flags: ['--store ./state'],
    agents: new Set(agents),
    survived: came,
  })

describe('a session stands', () => {
  test.each([
    ['needs-you', 'needs-input', null, undefined],
    ['needs-you', 'suspended', null, undefined],
    ['needs-you', 'suspended', holder, undefined],
    ['needs-you', 'running', null, undefined],
    ['needs-you', 'waiting', null, survived(0)],
    ['waiting', 'waiting', holder, undefined],
    ['running', 'running', holder, undefined],
    ['running', 'running', holder, survived(2 * hour)],
    ['recovered', 'running', holder, survived(hour / 2)],
    ['recovered', 'idle', null, survived(23 * hour)],
    ['done', 'idle', null, survived(25 * hour)],
    ['done', 'idle', holder, undefined],
  ] as const)('among %s: %s, held by %o, recovered %o', (group, status, held, came) => {
    expect(cardOf({ status }, held, came).group).toBe(group)
  })

  test('among those that wait, when the workers of a fleet continue it, and with a person otherwise', () => {
    const agent = 'writer'
    const left = (changes: Partial<Head>) => {
      const { group, status } = cardOf({ agent, ...changes })
      return [group, status]
    }
    expect(left({ status: 'running' })).toEqual(['waiting', 'queued'])
    expect(left({ status: 'waiting' })).toEqual(['waiting', 'waiting'])
    expect(left({ status: 'suspended', dueAt: now + hour })).toEqual(['waiting', 'suspended'])
    expect(left({ status: 'suspended' })).toEqual(['needs-you', 'suspended'])
    expect(left({ status: 'needs-input' })).toEqual(['needs-you', 'needs-input'])
    expect(left({ status: 'running', agent: 'coder' })).toEqual(['needs-you', 'interrupted'])
  })

  test('among those that need nobody, when it is a helper that was left', () => {
    const sessionId = '203593a5-ba0c-4b0f-b015-1faa585797ef.3f2a9c0d1e4b'
    expect(cardOf({ sessionId, status: 'suspended' }).group).toBe('done')
    expect(cardOf({ sessionId, status: 'running' }, holder).group).toBe('running')
    expect(cardOf({ sessionId, status: 'suspended', agent: 'coder' }).group).toBe('needs-you')
  })
})

describe('its card says', () => {
  test('what a terminal would be told to type', () => {
    const agent = 'coder'
    expect(cardOf({ agent, status: 'suspended' }).command).toBe('lastgood resume fix-auth --store ./state')
    expect(cardOf({ agent, status: 'needs-input' }).command).toBe(
      'lastgood resume fix-auth --store ./state --in-doubt report',
    )
    const machine = { version: '3', value: 'refused', context: { faultKind: 'too-large' } }
    expect(cardOf({ agent, status: 'suspended', machine }).command).toMatch(/ "<message>"$/)
    // Without a message it would say that there is nothing to continue.
    expect(cardOf({ agent, status: 'idle' }).command).toBe('lastgood resume fix-auth --store ./state "<message>"')
  })

  test('no command of a session that no agent of a configuration ran', () => {
    expect(cardOf({ status: 'suspended' })).toMatchObject({ command: null, clientCommand: null })
  })

  test('the client’s own command, unless an agent of the configuration has its name', () => {
    const command = 'lastgood run --store ./state -- claude --resume fix-auth'
    expect(cardOf({ agent: 'claude-code' }).clientCommand).toBe(command)
    expect(cardOf({ agent: 'claude-code' }, null, undefined, ['claude-code']).clientCommand).toBeNull()
    expect(cardOf({ agent: 'coder' }).clientCommand).toBeNull()
  })

  test('which model has the turn instead, how an outage was come through, and for how long that is told', () => {
    const context = { rungModel: 'claude-sonnet-5-5' }
    expect(cardOf({ machine: { version: '2', value: 'requesting', context } }).fallback).toBe('claude-sonnet-5-5')
    expect(cardOf({}, null, survived(0)).recovered).toEqual({
      at: '2026-11-01T12:00:00.000Z',
      afterMs: 60_000,
      how: 'same-model',
      attempts: 3,
    })
    expect(cardOf({}, null, survived(25 * hour)).recovered).toBeNull()
  })

  test('nothing that reorders or hides a line', () => {
    const { agent, reason } = cardOf({ agent: 'co\u202eder', reason: 'no\u001b[2J\nway' })
    expect({ agent, reason }).toEqual({ agent: 'co\ufffdder', reason: 'no␛[2J way' })
  })
})
