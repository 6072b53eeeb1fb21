import { LastgoodError, type ErrorCode } from '@lastgood/core'
import { expect, it } from 'vitest'
import type { FleetEvent } from './events.ts'
import { Unreadable } from './unreadable.ts'

function open() {
  const told: FleetEvent[] = []
  const unreadable = new Unreadable((event) => told.push(event))
  const look = (code: ErrorCode) => unreadable.againInMs('s', new LastgoodError(code, 'x', { hint: 'y' }))
  return { told, look, unreadable }
}

it('a newer journal is told once, and soon looked at again, for a newer worker may be there', () => {
  const { told, look } = open()
  expect([look('journal-version'), look('journal-version')]).toEqual([10_000, 10_000])
  expect(told).toEqual([{ kind: 'unreadable', sessionId: 's', code: 'journal-version' }])
})

it('damage is damage when it is still there at the second look', () => {
  const { told, look, unreadable } = open()
  expect(look('journal-corrupt')).toBe(10_000)
  unreadable.opened('s')
  expect(look('journal-corrupt')).toBe(10_000)
  expect(told).toEqual([])
  expect([look('journal-corrupt'), look('journal-corrupt')]).toEqual([600_000, 600_000])
  expect(told).toEqual([{ kind: 'unreadable', sessionId: 's', code: 'journal-corrupt' }])
})

it('what is not about the session leaves its row as it is', () => {
  const { told, look, unreadable } = open()
  expect([look('store-unavailable'), look('lease-lost'), unreadable.againInMs('s', new Error('bug'))]).toEqual([
    undefined,
    undefined,
    undefined,
  ])
  expect(told).toEqual([])
})
