import { describe, expect, onTestFinished, test } from 'vitest'
import type { SessionEvent } from './events.ts'
import type { Entry } from '../journal/journal.ts'
import { memoryStore } from '../store/memory-store.ts'
import { openSession } from './open-session.ts'
import type { Session } from './session.ts'
import type { StepOptions } from './step-ledger.ts'
import type { Store } from '../store/store.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { takeTurn } from './turn.fixture.ts'

const clock = () => new ManualClock({ autoAdvance: true })

async function open(store: Store): Promise<Session> {
  const session = await openSession('s', { store, clock: clock(), takeover: true })
  onTestFinished(() => session.close().catch(() => {}))
  return session
}

async function entriesOf(store: Store): Promise<Entry[]> {
  const entries: Entry[] = []
  for await (const entry of store.read('s')) entries.push(entry)
  return entries
}

/** A process that dies within its step: it never returns, and another one takes the session. */
async function diedWithin(store: Store, options: StepOptions<string> = {}): Promise<Session> {
  const session = await open(store)
  const begun = new Promise<void>((resolve) => {
    const running = session.step('deploy', { to: 'live' }, () => (resolve(), new Promise<string>(() => {})), options)
    running.catch(() => {})
  })
  await begun
  const next = await open(store)
  await session.close().catch(() => {})
  return next
}

const again = (session: Session, runs: string[], options: StepOptions<string> = {}) =>
  session.step('deploy', { to: 'live' }, () => (runs.push('ran'), 'deployed'), options)

describe('a step', () => {
  test('is announced before it runs, and its result is durable before it returns (P2)', async () => {
    const store = memoryStore()
    const session = await open(store)
    let before: string[] = []
    const result = await session.step('deploy', {}, async ({ idempotencyKey }) => {
      before = (await entriesOf(store)).map(({ type }) => type)
      return { url: 'https://live.test', idempotencyKey }
    })
    expect(before).toEqual(['session-opened', 'step-started'])
    expect(result).toEqual({ url: 'https://live.test', idempotencyKey: expect.stringMatching(/^s:0:deploy:/) })
    expect((await entriesOf(store)).at(-1)).toMatchObject({ type: 'step-finished', outcome: 'ran', value: result })
  })

  test('that has a result is not run again by another process, which gets that result', async () => {
    const store = memoryStore()
    const runs: string[] = []
    const first = await open(store)
    expect(await again(first, runs)).toBe('deployed')
    await first.close()
    const second = await open(store)
    expect(await again(second, runs)).toBe('deployed')
    expect(runs).toEqual(['ran'])
  })

  test('that is asked for twice at one place is two steps; by the same key it is one', async () => {
    const store = memoryStore()
    const runs: string[] = []
    const first = await open(store)
    await again(first, runs)
    await again(first, runs)
    expect(runs).toHaveLength(2)
    const both = [again(first, runs, { key: 'release' }), again(first, runs, { key: 'release' })]
    expect(await Promise.all(both)).toEqual(['deployed', 'deployed'])
    expect(runs).toHaveLength(3)
    await first.close()
    const second = await open(store)
    for (const options of [{}, {}, { key: 'release' }]) await again(second, runs, options)
    expect(runs).toHaveLength(3)
  })

  test('without a key belongs to its place in the conversation; with one to the session', async () => {
    const store = memoryStore()
    const runs: string[] = []
    const session = await open(store)
    await again(session, runs)
    await again(session, runs, { key: 'once' })
    await takeTurn(session)
    await again(session, runs)
    await again(session, runs, { key: 'once' })
    expect(runs).toHaveLength(3)
  })

  test('that throws is recorded as failed, and another process is told the same', async () => {
    const store = memoryStore()
    const first = await open(store)
    const refused = () => Promise.reject(new Error('quota exceeded'))
    await expect(first.step('deploy', {}, refused)).rejects.toThrow('quota exceeded')
    await first.close()
    const second = await open(store)
    await expect(second.step('deploy', {}, () => 'deployed')).rejects.toThrow('quota exceeded')
  })

  test('that cannot be announced does not run (P5)', async () => {
    const runs: string[] = []
    const store = memoryStore()
    const session = await open(store)
    await session.close()
    await expect(again(session, runs)).rejects.toMatchObject({ code: 'session-closed' })
    expect(runs).toEqual([])
  })

  test('whose result is no JSON is told, and is in doubt afterwards', async () => {
    const store = memoryStore()
    const first = await open(store)
    await expect(first.step('deploy', {}, () => () => 'a function')).rejects.toMatchObject({ code: 'bad-option' })
    await first.close()
    const second = await open(store)
    await expect(second.step('deploy', {}, () => 'x')).rejects.toMatchObject({ code: 'step-in-doubt' })
  })

  test('without a key is another one when the conversation came to the same place again', async () => {
    const store = memoryStore()
    const keys: string[] = []
    for (const words of ['one', 'two']) {
      const session = await open(store)
      await session.startTurn([{ role: 'user', content: words }])
      await session.step('deploy', {}, ({ idempotencyKey }) => void keys.push(idempotencyKey))
      await session.rewind(0, 'another way')
      await session.close()
    }
    expect(new Set(keys).size).toBe(2)
  })

  test("without a key inside another one is that one's, in whatever order they run", async () => {
    const store = memoryStore()
    const session = await open(store)
    const keys: Record<string, string[]> = {}
    const outer = (name: string, first: Promise<void>) =>
      session.step(name, {}, async () => {
        await first
        return session.step('append', { line: 1 }, ({ idempotencyKey }) => {
          keys[name] = [...(keys[name] ?? []), idempotencyKey]
          return name
        })
      })
    let go = (): void => {}
    const later = new Promise<void>((resolve) => (go = resolve))
    const slow = outer('slow', later)
    expect(await outer('fast', Promise.resolve())).toBe('fast')
    go()
    expect(await slow).toBe('slow')
    await session.close()
    const inner = (await entriesOf(store)).flatMap((one) =>
      one.type === 'step-started' && one.name === 'append' ? [one.stepId] : [],
    )
    expect(new Set(inner.map((id) => id.replace(/:\d+$/, ''))).size).toBe(2)
  })

  test('that was stopped half-way is in doubt for whoever asks again, in the same process too (P2)', async () => {
    const session = await open(memoryStore())
    const stop = new AbortController()
    const runs: string[] = []
    const stopping = () => {
      stop.abort(new Error('enough'))
      return Promise.reject(new Error('cut off'))
    }
    await expect(session.step('deploy', { to: 'live' }, stopping, { signal: stop.signal })).rejects.toThrow('enough')
    await expect(again(session, runs)).rejects.toMatchObject({ code: 'step-in-doubt' })
    expect(await again(session, runs, { inDoubt: 'rerun' })).toBe('deployed')
    expect(runs).toEqual(['ran'])
  })

  test('that asks for itself is told so, and does not wait for ever', async () => {
    const session = await open(memoryStore())
    const deploy = (): Promise<unknown> => session.step('deploy', {}, deploy, { key: 'x' })
    await expect(deploy()).rejects.toMatchObject({
      code: 'bad-option',
      message: expect.stringContaining('wait for itself'),
    })
  })

  test('inside one that runs again is the same step again, in the same process and in another (P2)', async () => {
    const store = memoryStore()
    let paid = 0
    const outer = (session: Session, stop?: AbortController) =>
      session.step(
        'order',
        {},
        async () => {
          const receipt = await session.step('pay', {}, () => `receipt ${(paid += 1)}`)
          stop?.abort(new Error('enough'))
          await Promise.resolve()
          if (stop) throw new Error('cut off')
          return receipt
        },
        { key: 'order', inDoubt: 'rerun', ...(stop && { signal: stop.signal }) },
      )
    const first = await open(store)
    await expect(outer(first, new AbortController())).rejects.toThrow('enough')
    await takeTurn(first)
    await expect(outer(first, new AbortController())).rejects.toThrow('enough')
    await first.close()
    expect(await outer(await open(store))).toBe('receipt 1')
    expect(paid).toBe(1)
  })

  test('that waits for one that waits for it is refused, over any number of others', async () => {
    const session = await open(memoryStore())
    const step = (key: string, work: () => Promise<unknown>) => session.step(key, {}, work, { key })
    let bStarted = (): void => {}
    const b = new Promise<void>((resolve) => (bStarted = resolve))
    const waits: Promise<unknown>[] = [
      step('a', async () => {
        await b
        return step('b', () => Promise.resolve('never'))
      }),
      step('b', () => {
        bStarted()
        return step('c', () => step('a', () => Promise.resolve('never')))
      }),
    ]
    const ends = await Promise.allSettled(waits)
    const refused = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason as { code: string }] : []))
    expect(refused.length).toBeGreaterThan(0)
    for (const { code } of refused) expect(code).toBe('bad-option')
  })

  test('of unknown outcome is not forgotten when the conversation goes on beside it (P2)', async () => {
    const store = memoryStore()
    const session = await open(store)
    const begun = new Promise<void>((resolve) => {
      session.step('pay', {}, () => (resolve(), new Promise<string>(() => {}))).catch(() => {})
    })
    await begun
    await takeTurn(session)
    const next = await open(store)
    await session.close().catch(() => {})
    await expect(next.step('pay', {}, () => 'again')).rejects.toMatchObject({ code: 'step-in-doubt' })
  })

  test('by the key of another one is a mistake, told as one', async () => {
    const session = await open(memoryStore())
    await session.step('pay', {}, () => 'paid', { key: '42' })
    await expect(session.step('ship', {}, () => 'shipped', { key: '42' })).rejects.toMatchObject({
      code: 'bad-option',
      message: expect.stringContaining('pay'),
    })
  })

  test('stays open when one inside it is in doubt, and comes to its end once that is decided', async () => {
    const store = memoryStore()
    const outer = (session: Session, rule: 'report' | 'rerun', died = false): Promise<string> =>
      session.step(
        'order',
        {},
        () =>
          session.step('pay', {}, () => (died ? new Promise<string>(() => begun()) : 'paid'), {
            key: 'p',
            inDoubt: rule,
          }),
        { key: 'o', inDoubt: 'rerun' },
      )
    let begun = (): void => {}
    const first = await open(store)
    const started = new Promise<void>((resolve) => (begun = resolve))
    outer(first, 'report', true).catch(() => {})
    await started
    const second = await open(store)
    await first.close().catch(() => {})
    await expect(outer(second, 'report')).rejects.toMatchObject({ code: 'step-in-doubt' })
    expect(await outer(second, 'rerun')).toBe('paid')
  })

  test('gives the first time what it gives again', async () => {
    const store = memoryStore()
    const odd = () => ({ at: new Date(0), not: Number.NaN, gone: undefined }) as unknown
    const first = await open(store)
    const given = await first.step('look', {}, odd, { key: 'k' })
    expect(given).toEqual({ at: '1970-01-01T00:00:00.000Z', not: null })
    await first.close()
    expect(await (await open(store)).step('look', {}, odd, { key: 'k' })).toEqual(given)
  })

  test('that is joined ends for who joined it with their own signal', async () => {
    const session = await open(memoryStore())
    let end: ((result: string) => void) | undefined
    const slow = session.step('slow', {}, () => new Promise<string>((resolve) => (end = resolve)), { key: 's' })
    const stop = new AbortController()
    const joined = session.step('slow', {}, () => 'never', { key: 's', signal: stop.signal })
    stop.abort(new Error('not that long'))
    await expect(joined).rejects.toThrow('not that long')
    await expect.poll(() => end).toBeDefined()
    end?.('done')
    expect(await slow).toBe('done')
  })

  test.each([
    ['an input', 1n, 'x'],
    ['a result', 1, { n: 1n }],
  ])('with %s that JSON has no word for is told, and the session goes on', async (_what, input, result) => {
    const session = await open(memoryStore())
    await expect(session.step<unknown>('count', input, () => result)).rejects.toMatchObject({ code: 'bad-option' })
    expect(await session.step('count', 2, () => 'counted')).toBe('counted')
  })

  test('needs a key of a sensible length', async () => {
    const session = await open(memoryStore())
    for (const key of ['', 'x'.repeat(201)]) {
      await expect(session.step('deploy', {}, () => 1, { key })).rejects.toMatchObject({ code: 'bad-option' })
    }
  })
})

describe('a step of unknown outcome', () => {
  async function resumed(options: StepOptions<string>) {
    const store = memoryStore()
    const { inDoubt } = options
    const session = await diedWithin(store, inDoubt ? { inDoubt } : {})
    const runs: string[] = []
    const told: SessionEvent[] = []
    session.subscribe((event) => event.type === 'in-doubt' && told.push(event))
    const result = await again(session, runs, options).catch((error: unknown) => error)
    return { result, runs, told: told.map((event) => event.type === 'in-doubt' && event.did), store, session }
  }

  test('is not repeated by default: the caller is told, each time (P2)', async () => {
    const { result, runs, told, session } = await resumed({})
    expect(result).toMatchObject({ code: 'step-in-doubt', hint: expect.stringContaining('verify') })
    expect(told).toEqual(['reported'])
    await session.close()
    expect(runs).toEqual([])
  })

  test('that was reported is looked at again when the caller can tell now, and runs when it says so (P2)', async () => {
    const { session, store } = await resumed({})
    const runs: string[] = []
    await expect(again(session, runs)).rejects.toMatchObject({ code: 'step-in-doubt' })
    expect((await entriesOf(store)).filter(({ type }) => type === 'step-finished')).toHaveLength(1)
    expect(await again(session, runs, { verify: async () => ({ kind: 'not-done' }) })).toBe('deployed')
    expect(runs).toEqual(['ran'])
  })

  test('is run again where that is its rule and it cannot look, without an intent', async () => {
    const { result, runs, store } = await resumed({ inDoubt: 'rerun' })
    expect([result, runs]).toEqual(['deployed', ['ran']])
    expect((await entriesOf(store)).filter(({ type }) => type === 'step-started')).toEqual([])
  })

  test('is asked first where its rule is to run again and it can look (P2)', async () => {
    const options: StepOptions<string> = {
      inDoubt: 'rerun',
      verify: async () => ({ kind: 'done', result: 'was deployed' }),
    }
    const runs: string[] = []
    expect(await again(await diedWithin(memoryStore(), options), runs, options)).toBe('was deployed')
    expect(runs).toEqual([])
  })

  test('is asked what came of it: done is not repeated, and its result counts', async () => {
    const verify = async () => ({ kind: 'done', result: 'was deployed' }) as const
    const { result, runs, told, store } = await resumed({ verify })
    expect([result, runs, told]).toEqual(['was deployed', [], ['verified-done']])
    expect((await entriesOf(store)).at(-1)).toMatchObject({ outcome: 'verified', value: 'was deployed' })
  })

  test('is asked what came of it by code that answers at once, without types', async () => {
    const session = await diedWithin(memoryStore())
    const verify = (() => ({ kind: 'done', result: 'live' })) as unknown as StepOptions<string>['verify']
    expect(await again(session, [], { ...(verify && { verify }) })).toBe('live')
  })

  test('is asked what came of it: not done runs, under a new intent', async () => {
    const { result, runs, told, store } = await resumed({ verify: async () => ({ kind: 'not-done' }) })
    expect([result, runs, told]).toEqual(['deployed', ['ran'], ['verified-not-done']])
    expect((await entriesOf(store)).filter(({ type }) => type === 'step-started')).toHaveLength(2)
  })

  test.each([
    ['unknown', async () => ({ kind: 'unknown' }) as const],
    ['throwing', () => Promise.reject(new Error('x'))],
  ])('and a look that ends %s leaves it to the rule', async (_, verify) => {
    const { result, runs, told } = await resumed({ verify })
    expect(result).toMatchObject({ code: 'step-in-doubt' })
    expect([runs, told]).toEqual([[], ['reported']])
  })

  test('is put before a person where that is its rule; nobody there parks the session', async () => {
    const asked = await resumed({ inDoubt: 'ask', onInDoubt: async () => 'rerun' })
    expect([asked.result, asked.runs, asked.told]).toEqual(['deployed', ['ran'], ['rerun']])
    const alone = await resumed({ inDoubt: 'ask' })
    expect(alone.result).toMatchObject({ code: 'needs-input' })
    expect([alone.runs, alone.told]).toEqual([[], ['parked']])
    expect((await alone.store.summary('s'))?.head.status).toBe('needs-input')
  })
})
