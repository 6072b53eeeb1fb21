import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { memoryStore } from '../store/memory-store.ts'
import { openSession } from './open-session.ts'
import type { Session } from './session.ts'
import type { StepOptions } from './step-ledger.ts'
import type { Store } from '../store/store.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { ask, bringResult, callTool, takeTurn } from './turn.fixture.ts'

/** The one before it dies. */
async function open(store: Store): Promise<Session> {
  const session = await openSession('s', { store, clock: new ManualClock({ autoAdvance: true }), takeover: true })
  onTestFinished(() => session.close().catch(() => {}))
  return session
}

/** Begins a step that never ends. */
const hang = (session: Session, name: string, options: StepOptions<string> = {}) =>
  new Promise<void>((resolve) => {
    session.step(name, {}, () => (resolve(), new Promise<string>(() => {})), options).catch(() => {})
  })

describe('a step of unknown outcome whose place was left', () => {
  const notDone = { verify: async () => ({ kind: 'not-done' as const }) }
  test('runs once more where it is asked for again, and not with the next restart there (P2)', async () => {
    const [store, runs] = [memoryStore(), [] as string[]]
    const died = await open(store)
    await hang(died, 'pay')
    await takeTurn(died)
    const pay = (session: Session) => session.step('pay', {}, () => `run ${runs.push('paid')}`, notDone)
    expect([await pay(await open(store)), await pay(await open(store))]).toEqual(['run 1', 'run 1'])
    const last = await open(store)
    expect([await pay(last), await pay(last)]).toEqual(['run 1', 'run 2'])
  })

  test('comes after what was asked for while it still ran, over restarts', async () => {
    const store = memoryStore()
    const first = await open(store)
    await hang(first, 'look')
    await takeTurn(first)
    let runs = 0
    const look = (session: Session) => session.step('look', {}, () => (runs += 1), { verify: notDone.verify })
    expect(await look(first)).toBe(1)
    const second = await open(store)
    expect([await look(second), await look(second)]).toEqual([1, 2])
    const third = await open(store)
    expect([await look(third), await look(third), await look(third)]).toEqual([1, 2, 3])
    const fourth = await open(store)
    expect([await look(fourth), await look(fourth), await look(fourth)]).toEqual([1, 2, 3])
  })

  test('keeps its place over restarts where its rule is to run again, too (P2)', async () => {
    const store = memoryStore()
    const died = await open(store)
    await hang(died, 'pay')
    await takeTurn(died)
    let runs = 0
    const pay = (session: Session) => session.step('pay', {}, () => (runs += 1), { inDoubt: 'rerun' })
    const second = await open(store)
    expect([await pay(second), await pay(second)]).toEqual([1, 2])
    const third = await open(store)
    expect([await pay(third), await pay(third), await pay(third)]).toEqual([1, 2, 3])
  })

  test.each(['report', 'rerun'] as const)(
    'that came to its end late, beside the conversation, is none of the new place (%s)',
    async (inDoubt) => {
      const store = memoryStore()
      const session = await open(store)
      let end!: (value: string) => void
      const late = session.step('look', {}, () => new Promise<string>((resolve) => (end = resolve)), { inDoubt })
      await expect.poll(() => end).toBeTypeOf('function')
      await takeTurn(session)
      expect(await session.step('look', {}, () => 'here')).toBe('here')
      end('late')
      expect(await late).toBe('late')
      expect(await session.step('look', {}, () => 'second')).toBe('second')
      const next = await open(store)
      expect([await next.step('look', {}, () => '?'), await next.step('look', {}, () => '?')]).toEqual([
        'here',
        'second',
      ])
    },
  )

  test('has what was done inside it with it when it runs again (P2)', async () => {
    const store = memoryStore()
    let paid = 0
    const order = (session: Session, dies?: () => void) =>
      session.step(
        'order',
        {},
        async () => {
          const receipt = await session.step('pay', {}, () => `receipt ${(paid += 1)}`)
          if (dies) return (dies(), new Promise<string>(() => {}))
          return receipt
        },
        notDone,
      )
    const died = await open(store)
    await new Promise<void>((resolve) => void order(died, resolve).catch(() => {}))
    await takeTurn(died)
    expect(await order(await open(store))).toBe('receipt 1')
    expect(paid).toBe(1)
  })
})

describe('a step that ended before a request', () => {
  const notify = (session: Session, runs: string[]) => session.step('notify', {}, () => `told ${runs.push('told')}`)

  test('is not run again by a process that starts while that is in flight (P2)', async () => {
    const [store, runs] = [memoryStore(), [] as string[]]
    const first = await open(store)
    await notify(first, runs)
    await ask(first)
    const second = await open(store)
    expect(await notify(second, runs)).toBe('told 1')
    await callTool(second)
    expect(await notify(second, runs)).toBe('told 2')
    await bringResult(second)
    const third = await open(store)
    expect(await notify(third, runs)).toBe('told 2')
    await callTool(third)
    expect(await notify(third, runs)).toBe('told 3')
  })

  test.each(['report', 'rerun'] as const)(
    'is known from a journal that counts what the caller added, too (%s)',
    async (inDoubt) => {
      const [store, runs] = [memoryStore(), [] as string[]]
      const look = (session: Session) => session.step('look', {}, () => `look ${runs.push('looked')}`, { inDoubt })
      let stepId = ''
      const first = await open(memoryStore())
      await first.step('look', {}, ({ idempotencyKey }) => void (stepId = idempotencyKey.replace(/^s:0:/, '1:')))
      const older = await open(store)
      await ask(older)
      if (inDoubt === 'report') await older.record([{ type: 'step-started', stepId, name: 'look', inDoubt }])
      await older.record([{ type: 'step-finished', stepId, name: 'look', outcome: 'ran', value: 'looked before' }])
      const session = await open(store)
      expect(await look(session)).toBe('looked before')
      expect(await look(session)).toBe('look 1')
    },
  )
})

describe('of two steps alike at one place', () => {
  const rerun = { inDoubt: 'rerun' as const }

  test('the second is its own after the first was in doubt (P2)', async () => {
    const store = memoryStore()
    await hang(await open(store), 'mail')
    const session = await open(store)
    let runs = 0
    const mail = () => session.step('mail', {}, () => `run ${(runs += 1)}`, rerun)
    expect([await mail(), await mail()]).toEqual(['run 1', 'run 2'])
  })

  test('the first gives its result, also when the second is in doubt', async () => {
    const store = memoryStore()
    const dying = await open(store)
    const mail = (session: Session) => session.step('mail', {}, () => 'mailed')
    expect(await mail(dying)).toBe('mailed')
    await hang(dying, 'mail')
    const session = await open(store)
    expect(await mail(session)).toBe('mailed')
    await expect(mail(session)).rejects.toMatchObject({ code: 'step-in-doubt' })
  })
})

test('P7: a step after hundreds of others, or of its kind, costs what the first one did', async () => {
  const session = await open(memoryStore())
  const step = (input: unknown) => session.step('do', input, () => 1)
  const looks = [vi.spyOn(RegExp.prototype, 'exec'), vi.spyOn(Set.prototype, 'has')]
  onTestFinished(() => looks.forEach((look) => look.mockRestore()))
  const looksOf = async (input: unknown) => {
    looks.forEach((look) => look.mockClear())
    await step(input)
    return looks.reduce((sum, { mock }) => sum + mock.calls.length, 0)
  }
  const first = Math.max(await looksOf('one'), await looksOf('same'))
  for (let n = 0; n < 100; n += 1) await Promise.all([step(n), step('same')])
  expect(await looksOf('another')).toBeLessThanOrEqual(first)
  expect(await looksOf('same')).toBeLessThanOrEqual(first)
})
