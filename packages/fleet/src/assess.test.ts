import { memoryStore, openSession, type Owner, type SessionSummary } from '@lastgood/core'
import { describe, expect, it } from 'vitest'
import { openTurn } from '../test/fixture.ts'
import { assess } from './assess.ts'
import { comesBackAt } from './comeback.ts'
import { Suspects } from './suspects.ts'
import { ManualClock } from '@lastgood/core/testing'

const now = 1_000_000
const owner: Owner = { id: 'o', host: 'h', realm: 'another machine', pid: 1 }

async function summary(head: object, holder: SessionSummary['holder'] = null): Promise<SessionSummary> {
  const store = memoryStore()
  await openTurn(store, 's', 'coder')
  const found = (await store.summary('s')) as SessionSummary
  return { head: { ...found.head, ...head }, holder }
}

const look = (of: SessionSummary | undefined, changes: Partial<Parameters<typeof assess>[1]> = {}) =>
  assess(of, { now, recovered: () => undefined, isGone: () => false, ...changes })

describe('a head says', () => {
  it('nothing: where there is none, of a loop of its own, between turns, and where a person decides', async () => {
    const { agent: _none, ...ofLoop } = (await summary({})).head
    for (const one of [
      undefined,
      { head: ofLoop, holder: null },
      await summary({ status: 'idle' }),
      await summary({ status: 'needs-input', dueAt: 5 }),
      await summary({ status: 'suspended' }),
    ])
      expect(look(one)).toEqual({ kind: 'nothing' })
  })

  it('now: where a turn is open and nobody has it, or who had it is known to be dead, or its instant has come', async () => {
    const due = { kind: 'due', agent: 'coder', seq: 2 }
    expect(look(await summary({ status: 'running' }))).toEqual(due)
    expect(look(await summary({ status: 'waiting', dueAt: now }))).toEqual(due)
    expect(look(await summary({ status: 'suspended', dueAt: now - 1 }))).toEqual(due)
    const held = await summary({ status: 'running' }, { owner, fence: 3, since: now, expiresAt: now + 9_000 })
    expect(look(held, { isGone: ({ id }) => id === owner.id })).toEqual(due)
  })

  it('held: where somebody has it, until his lease ends', async () => {
    const held = await summary({ status: 'running' }, { owner, fence: 3, since: now, expiresAt: now + 9_000 })
    expect(look(held)).toEqual({ kind: 'held', expiresAt: now + 9_000 })
  })

  it('now: where the clock of who armed its wait was ahead by an hour, for which nobody waits', async () => {
    const ahead = now + 3_600_000
    const waits = await summary({ status: 'waiting', dueAt: ahead + 9_000, updatedAt: ahead })
    expect(look(waits)).toEqual({ kind: 'due', agent: 'coder', seq: 2 })
  })

  it('later: where it waits, at its instant, or earlier on the ramp of a model that answers again', async () => {
    const waits = await summary({ status: 'waiting', dueAt: now + 60_000, model: 'm', updatedAt: now - 5_000 })
    expect(look(waits)).toEqual({ kind: 'later', inMs: 60_000 })
    const recovery = { since: now - 20_000, at: now - 10 }
    const recovered = (model: string) => (model === 'm' ? recovery : undefined)
    const inMs = comesBackAt(recovery, 's') - now
    expect(look(waits, { recovered })).toEqual({ kind: 'later', inMs })
    expect(inMs).toBeLessThan(20_000)
    expect(look(waits, { recovered: () => ({ since: now - 20_000, at: now - 6_000 }) })).toMatchObject({ inMs: 60_000 })
    const parked = await summary({ status: 'suspended', dueAt: now + 60_000, model: 'm', updatedAt: now - 5_000 })
    expect(look(parked, { recovered })).toMatchObject({ inMs: 60_000 })
  })
})

describe('suspects', () => {
  it('are begun one at a time, until one is acquitted or has run for a while; others pass', async () => {
    const clock = new ManualClock()
    const suspects = new Suspects(clock)
    expect(suspects.enter(1)).toBeTypeOf('function')
    const first = suspects.enter(2)
    expect(suspects.enter(2)).toBeUndefined()
    expect(suspects.enter(0)).toBeTypeOf('function')
    first?.()
    const second = suspects.enter(3)
    first?.()
    expect(suspects.enter(2)).toBeUndefined()
    await clock.advance(60_000)
    const third = suspects.enter(2)
    second?.()
    expect([third === undefined, suspects.enter(2)]).toEqual([false, undefined])
  })
})

it('a session that was opened and has no turn is nothing', async () => {
  const store = memoryStore()
  await (await openSession('s', { store })).close()
  expect(look(await store.summary('s'))).toEqual({ kind: 'nothing' })
})
