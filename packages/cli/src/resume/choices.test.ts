import type { Head } from '@lastgood/core'
import { describe, expect, it } from 'vitest'
import type { SessionRow } from '../sessions/session-row.ts'
import { hintOf, isFound, labelsOf, offerOf, type SessionChoice } from './choices.ts'

const now = 10_000_000
const style = { now, cwd: '/home/me/api', home: '/home/me', columns: 80 }

function choice(head: Partial<Head>, words?: string, row: Partial<SessionRow> = {}): SessionChoice {
  const whole = {
    sessionId: 's',
    seq: 1,
    status: 'suspended',
    turn: 2,
    lastGoodTurn: 1,
    createdAt: 0,
    updatedAt: now - 60_000,
    cwd: '/home/me/api',
    ...head,
  } as Head
  return {
    kind: 'session',
    words,
    row: { head: whole, holder: null, status: whole.status, isRecoverable: true, isForWorkers: false, ...row },
  }
}

describe('what is offered', () => {
  const [here, there] = [choice({ sessionId: 'here' }), choice({ sessionId: 'there', cwd: '/home/me/web' })]

  it('are the sessions of this folder, and one entry for the others, which a search finds anyway', () => {
    expect(offerOf([here, there], style.cwd, false)).toEqual({
      isHere: true,
      shown: [here, { kind: 'everywhere', more: 1 }],
      searched: [here, there],
    })
  })

  it.each([
    ['was asked for', [here, there], true, false],
    ['there is none here', [there], false, false],
    ['all are of here', [here], false, true],
  ])('are all where %s', (_why, sessions, isWide, isHere) => {
    expect(offerOf(sessions, style.cwd, isWide)).toEqual({ isHere, shown: sessions, searched: sessions })
  })
})

describe('a row', () => {
  it('lines up with the others, and is as wide as the terminal at most', () => {
    const rows = [
      choice({ sessionId: 'fix-auth', updatedAt: now - 3_600_000 }, 'Make the tests of the login green, all of them'),
      choice({ sessionId: 'a', status: 'needs-input', turn: 12 }, '部署到生产环境并验证'),
    ]
    expect(labelsOf(rows, { ...style, columns: 60 })).toEqual([
      'fix-auth  1h ago  suspended    turn 2   Make the tests of t…',
      'a         1m ago  needs-input  turn 12  部署到生产环境并验证',
    ])
  })

  it('names the project where there are several, and has no words where nothing was read', () => {
    const rows = [choice({ sessionId: 'a' }), choice({ sessionId: 'b', cwd: '/srv/web' }, 'Draw')]
    expect(labelsOf([...rows, { kind: 'everywhere', more: 3 }], style)).toEqual([
      'a  1m ago  suspended  turn 2  api',
      'b  1m ago  suspended  turn 2  web  Draw',
      'all projects (3 more)',
    ])
  })

  it('is one line, whatever is in it', () => {
    const odd = choice({ cwd: '/x/\u001b[2Jy\n', reason: 'a\u202eb\r\n\u0007c' }, 'one')
    expect(labelsOf([odd, choice({})], style)[0]).toMatch(/^s {2}1m ago {2}suspended {2}turn 2 {2}␛\[2Jy {2}one$/)
    expect(hintOf(odd, style)).toBe('a\ufffdb ␇c · saved at turn 1 · /x/␛[2Jy')
  })
})

describe('the hint', () => {
  it('says why it stopped first, then what is safe, and where it was', () => {
    const waits = choice({ reason: '529 overloaded', dueAt: now + 60_000, cwd: '/home/me/web', agent: 'coder' })
    expect(hintOf(waits, style)).toBe('529 overloaded · saved at turn 1 · next try in 1m00s · ~/web · agent coder')
  })

  it('says who holds it', () => {
    const owner = { id: 'o', host: 'build-3', realm: 'r', pid: 4711 }
    const holder = { owner, fence: 1, since: now - 120_000, expiresAt: now }
    const held = choice({ turn: 1 }, undefined, { holder })
    expect(labelsOf([held], style)).toEqual(['s  1m ago  in use  turn 1'])
    expect(hintOf(held, style)).toBe('held by pid 4711 on build-3 since 2m ago')
  })
})

it('a search finds every word, in whatever is known of a session', () => {
  const one = choice({ sessionId: 'fix-auth', model: 'claude-opus-5-5', reason: '529 overloaded' }, 'Make it Green')
  for (const search of ['auth', 'GREEN make', 'overloaded api', 'opus suspended'])
    expect(isFound(one, search)).toBe(true)
  expect(isFound(one, 'green red')).toBe(false)
})
