/** What a process finds out about a step that another one began, and what it makes of what was recorded. */
import { expect, onTestFinished, test } from 'vitest'
import { memoryStore } from '../store/memory-store.ts'
import type { Store } from '../store/store.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import type { SessionEvent } from './events.ts'
import { orAborted } from '../or-aborted.ts'
import { openSession } from './open-session.ts'
import type { Session } from './session.ts'
import type { StepContext, StepOptions } from './step-ledger.ts'

async function open(store: Store): Promise<Session> {
  const session = await openSession('s', { store, clock: new ManualClock({ autoAdvance: true }), takeover: true })
  onTestFinished(() => session.close().catch(() => {}))
  return session
}

test('a look is given the key that the step ran under, so that a service can say what came of it (P2)', async () => {
  const store = memoryStore()
  const dead = await open(store)
  const ranUnder = await new Promise<string>((resolve) => {
    const run = ({ idempotencyKey }: StepContext) => (resolve(idempotencyKey), new Promise<string>(() => {}))
    dead.step('pay', { cents: 5 }, run).catch(() => {})
  })
  const session = await open(store)
  const told: SessionEvent[] = []
  session.subscribe((event) => event.type === 'in-doubt' && told.push(event))
  const verify = async (input: unknown, { idempotencyKey, signal }: StepContext) => ({
    kind: 'done' as const,
    result: [input, idempotencyKey, signal.aborted] as unknown[],
  })
  const found = await session.step('pay', { cents: 5 }, () => [] as unknown[], { verify })
  expect(found).toEqual([{ cents: 5 }, ranUnder, false])
  expect(told).toMatchObject([{ name: 'pay', isStep: true, did: 'verified-done' }])
})

const endless = () => new Promise<never>(() => {})

test.each<[string, StepOptions<string>]>([
  ['a look that does not hear of it', { verify: endless }],
  ['a look that fails of it', { verify: (_, { signal }) => orAborted(endless(), signal) }],
  ['a person', { inDoubt: 'ask', onInDoubt: endless }],
])('who is stopped while waiting for %s is told at once, and has decided nothing (P2, P6)', async (_, options) => {
  const session = await open(memoryStore())
  const told: SessionEvent[] = []
  await session.record([{ type: 'step-started', stepId: 'key:k', name: 'pay', inDoubt: 'report' }])
  session.subscribe((event) => told.push(event))
  const stop = new AbortController()
  const paying = session.step('pay', {}, () => 'paid', { key: 'k', signal: stop.signal, ...options })
  await new Promise(setImmediate)
  stop.abort(new Error('enough'))
  await expect(paying).rejects.toThrow('enough')
  expect(told).toEqual([])
  expect(session.transcript.steps.of('key:k')?.state).toBe('started')
})

test.each<[string, StepOptions<string>]>([
  ['whatever its rule', {}],
  ['without an intent', { inDoubt: 'rerun' }],
])('a step that was stopped before it begins does not begin: %s (P2)', async (_, options) => {
  const session = await open(memoryStore())
  const runs: string[] = []
  const paying = session.step('pay', {}, () => `${runs.push('paid')}`, {
    key: 'k',
    signal: AbortSignal.abort(new Error('enough')),
    ...options,
  })
  await expect(paying).rejects.toThrow('enough')
  expect([runs, session.transcript.steps.of('key:k')]).toEqual([[], undefined])
})

test('what a caller does to a result that it was given does not change what the next one is given', async () => {
  const session = await open(memoryStore())
  const pay = () => session.step('pay', {}, () => ({ receipts: ['r1'] }), { key: 'k' })
  for (let n = 0; n < 3; n += 1) {
    const result = await pay()
    expect(result).toEqual({ receipts: ['r1'] })
    result.receipts.push('changed')
  }
})

test('a key may be as long as it says', async () => {
  const session = await open(memoryStore())
  expect(await session.step('pay', {}, () => 'paid', { key: 'k'.repeat(200) })).toBe('paid')
  await expect(session.step('pay', {}, () => 'paid', { key: 'k'.repeat(201) })).rejects.toMatchObject({
    message: 'the key of a step has 1 to 200 characters, got 201',
  })
})
