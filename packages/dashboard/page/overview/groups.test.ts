import { expect, it } from 'vitest'
import type { SessionCard } from '../../src/overview.ts'
import { groupsOf } from './groups.ts'

const card = (sessionId: string, group: SessionCard['group'], changes: Partial<SessionCard> = {}) =>
  ({
    sessionId,
    group,
    status: 'idle',
    agent: 'coder',
    model: 'm',
    fallback: null,
    cwd: '/srv/checkout',
    reason: null,
    dueAt: null,
    recovered: null,
    updatedAt: sessionId,
    ...changes,
  }) as SessionCard
const ids = (cards: SessionCard[], search = '') =>
  groupsOf(cards, search).map(({ name, cards: own }) => [name, own.map(({ sessionId }) => sessionId)])

it('what needs somebody comes first, the longest without one before all, and what tries next before what tries later', () => {
  const cards = [
    card('w2', 'waiting', { dueAt: '2026-11-29T10:00:09Z' }),
    card('w1', 'waiting', { dueAt: '2026-11-29T10:00:03Z' }),
    card('w0', 'waiting'),
    card('n2', 'needs-you'),
    card('n1', 'needs-you'),
    card('d1', 'done'),
    card('d2', 'done'),
  ]
  expect(ids(cards)).toEqual([
    ['needs-you', ['n1', 'n2']],
    ['waiting', ['w1', 'w2', 'w0']],
    ['recovered', []],
    ['running', []],
    ['done', ['d2', 'd1']],
  ])
})

it('a search finds all of its words, anywhere in what a row shows', () => {
  const cards = [card('fix-auth', 'done', { reason: 'Overloaded' }), card('fix-docs', 'done')]
  expect(ids(cards, 'FIX overl')[4]).toEqual(['done', ['fix-auth']])
  expect(ids(cards, 'checkout')[4]).toEqual(['done', ['fix-docs', 'fix-auth']])
  expect(ids(cards, 'nothing')[4]).toEqual(['done', []])
})
