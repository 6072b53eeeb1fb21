import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { EntryBody } from '../journal/journal.ts'
import { memoryStore } from '../store/memory-store.ts'
import { openSession } from './open-session.ts'
import type { Session } from './session.ts'
import type { StepContext, StepOptions } from './step-ledger.ts'
import type { Store } from '../store/store.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { seededRandom } from '../testing/random.ts'
import { ask, bringResult, callTool, takeTurn } from './turn.fixture.ts'

/** The one before it dies. */
async function open(store: Store): Promise<Session> {
  const session = await openSession('s', { store, clock: new ManualClock({ autoAdvance: true }), takeover: true })
  onTestFinished(() => session.close().catch(() => {}))
  return session
}

/** Begins a step that does not end until it is stopped. */
const hang = (session: Session, name: string, options: StepOptions<string> = {}) =>
  new Promise<void>((resolve) => {
    const run = ({ signal }: StepContext) =>
      new Promise<string>((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error))
        resolve()
      })
    session.step(name, {}, run, options).catch(() => {})
  })

const notDone = { verify: async () => ({ kind: 'not-done' as const }) }

describe('a step of unknown outcome whose place was left', () => {
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

test('at a place that is come back to, each step gives what it gave, whatever was left, stopped and taken up (P2)', async () => {
  for (let seed = 1; seed <= 16; seed += 1) {
    const random = seededRandom(seed)
    const below = (n: number) => Math.floor(random() * n)
    const store = memoryStore()
    let session = await open(store)
    let running: AbortController[] = []
    let runs = 0
    const pay = () => session.step('pay', {}, () => `run ${(runs += 1)}`, notDone)
    for (let place = 0; place < 4; place += 1) {
      const given: string[] = []
      for (let restarts = below(3); restarts >= 0; restarts -= 1) {
        const again: string[] = []
        while (again.length < given.length) again.push(await pay())
        expect(again, `seed ${seed}, place ${place}`).toEqual(given)
        for (let n = below(5); n > 0; n -= 1) {
          const [stopped] = running.splice(below(running.length + 1), 1)
          stopped?.abort(new Error('stopped'))
          await new Promise(setImmediate)
          given.push(await pay())
        }
        if (restarts > 0) [session, running] = [await open(store), []]
      }
      for (let n = below(3); n > 0; n -= 1) {
        const stop = new AbortController()
        await hang(session, 'pay', { ...notDone, signal: stop.signal })
        running.push(stop)
      }
      await takeTurn(session)
    }
  }
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

const twice = async (step: () => Promise<string>) => [await step(), await step()]

test.each<[string, string, string, (session: Session, run: () => string) => Promise<string[]>]>([
  [
    'at a place',
    '0:notify:67de8bddc8439201',
    'notify',
    (session, run) => twice(() => session.step('notify', 'all', run)),
  ],
  [
    'inside another one',
    'in/inner:fa8979902f80b2cb',
    'inner',
    (session, run) => session.step('outer', { a: 1 }, () => twice(() => session.step('inner', { n: 1 }, run))),
  ],
  [
    'inside one with a key',
    'key/inner:71aa6abefb308fd1',
    'inner',
    (session, run) =>
      session.step('outer', { a: 1 }, () => twice(() => session.step('inner', { n: 1 }, run)), { key: 'k' }),
  ],
])(
  'two steps %s have the ids that earlier releases gave them, and do not run again (P2)',
  async (_, id, name, steps) => {
    const session = await open(memoryStore())
    const ran = ['first', 'second'].map((value, number): EntryBody => {
      return { type: 'step-finished', stepId: `${id}:${number}`, name, outcome: 'ran', value }
    })
    await session.record(ran)
    expect(await steps(session, () => 'ran again')).toEqual(['first', 'second'])
  },
)

describe('what a step does inside', () => {
  const pays = (session: Session, runs: string[]) => session.step('pay', {}, () => `paid ${runs.push('paid')}`)

  test('is not done again when it runs again at once, after it was stopped (P2)', async () => {
    const [session, runs] = [await open(memoryStore()), [] as string[]]
    const order = (stop?: AbortController) =>
      session.step(
        'order',
        {},
        async () => {
          const receipt = await pays(session, runs)
          stop?.abort(new Error('stopped'))
          stop?.signal.throwIfAborted()
          return receipt
        },
        { ...notDone, ...(stop && { signal: stop.signal }) },
      )
    await expect(order(new AbortController())).rejects.toThrow('stopped')
    expect(await order()).toBe('paid 1')
  })

  test('counts on when the conversation goes on meanwhile', async () => {
    const [session, runs] = [await open(memoryStore()), [] as string[]]
    const order = async () => {
      const first = await pays(session, runs)
      await takeTurn(session)
      return [first, await pays(session, runs)]
    }
    expect(await session.step('order', {}, order)).toEqual(['paid 1', 'paid 2'])
  })

  test('is forgotten with it when its place is left (P7)', async () => {
    const [session, inner] = [await open(memoryStore()), [] as string[]]
    const pay = () => session.step('pay', {}, ({ idempotencyKey }) => void inner.push(idempotencyKey.replace('s:', '')))
    await session.step('order', {}, pay)
    await session.step('order', {}, pay, { key: 'kept' })
    await takeTurn(session)
    expect(inner.map((stepId) => session.transcript.steps.of(stepId)?.state)).toEqual([undefined, 'finished'])
  })
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

  test('the second is the one that is asked for again after it was stopped (P2)', async () => {
    const session = await open(memoryStore())
    const stop = new AbortController()
    const mail = () => session.step('mail', {}, () => 'mailed')
    expect(await mail()).toBe('mailed')
    await hang(session, 'mail', { signal: stop.signal })
    stop.abort(new Error('enough'))
    await new Promise(setImmediate)
    await expect(mail()).rejects.toMatchObject({ code: 'step-in-doubt' })
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
