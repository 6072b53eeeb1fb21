/** Steps and runs inside of each other: which of them wait for which, and where a step belongs. */
import { describe, expect, onTestFinished, test } from 'vitest'
import { memoryStore } from '../store/memory-store.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { openSession } from './open-session.ts'
import type { Session } from './session.ts'

async function open(id = 's'): Promise<Session> {
  const session = await openSession(id, { store: memoryStore(), clock: new ManualClock({ autoAdvance: true }) })
  onTestFinished(() => session.close().catch(() => {}))
  return session
}

const agent = <Reply>(name: string, run: () => Promise<Reply>) => ({ name, run })
const isRefused = { code: 'bad-option', message: expect.stringContaining('wait for itself') }
const endless = () => new Promise<never>(() => {})

/** A promise, and how to keep it. */
function gate() {
  let open = (): void => {}
  const passed = new Promise<void>((resolve) => (open = resolve))
  return { passed, open }
}

describe('what is waited for', () => {
  test('no longer counts when it has come: a later run may wait for a step that has waited for an earlier one', async () => {
    const session = await open()
    const [waited, end] = [gate(), gate()]
    const step = session.step(
      'release',
      {},
      async () => {
        const built = await session.run(agent('builder', async () => 'built'))
        waited.open()
        await end.passed
        return built
      },
      { key: 'r' },
    )
    await waited.passed
    const joined = session.run(agent('watcher', () => session.step('release', {}, endless, { key: 'r' })))
    await expect.poll(() => session.transcript.steps.of('key:r')?.state).toBe('started')
    end.open()
    expect(await Promise.all([step, joined])).toEqual(['built', 'built'])
  })

  test('twice, and given up once, still is: what waits for whom it waits for is refused', async () => {
    const session = await open()
    const [gaveUp, stop] = [gate(), new AbortController()]
    const step = (key: string, run: () => Promise<unknown>, signal?: AbortSignal) =>
      session.step(key, {}, run, { key, ...(signal && { signal }) })
    const inner = step('inner', () => gaveUp.passed.then(() => step('outer', endless)))
    const outer = step('outer', async () => {
      const joined = step('inner', endless)
      const other = step('inner', endless, stop.signal)
      stop.abort(new Error('enough'))
      await other.catch(() => {})
      gaveUp.open()
      return joined
    })
    await expect(inner).rejects.toMatchObject(isRefused)
    await expect(outer).rejects.toMatchObject(isRefused)
  })

  test('by two that wait for the same third is no circle', async () => {
    const session = await open()
    const third = gate()
    const step = (key: string, run: () => Promise<unknown>) => session.step(key, {}, run, { key })
    const shared = () => step('shared', () => third.passed.then(() => 'shared'))
    const both = () => step('both', () => Promise.all([step('one', shared), step('two', shared)]))
    const first = both()
    await expect.poll(() => session.transcript.steps.of('key:shared')?.state).toBe('started')
    await new Promise(setImmediate)
    const later = step('later', both)
    await expect.poll(() => session.transcript.steps.of('key:later')?.state).toBe('started')
    await new Promise(setImmediate)
    third.open()
    const all = ['shared', 'shared']
    expect(await Promise.all([first, later])).toEqual([all, all])
  })
})

const keyOf = (session: Session) => session.step('look', {}, async ({ idempotencyKey }) => idempotencyKey)

describe('a step', () => {
  test('inside a step of another session has its place in its own', async () => {
    const [session, other] = [await open(), await open('other')]
    expect(await session.step('outer', {}, () => keyOf(other))).toMatch(/^other:0:look:/)
  })

  test('that a run does has its place in the conversation', async () => {
    const session = await open()
    expect(await session.run(agent('looker', () => keyOf(session)))).toMatch(/^s:0:look:/)
  })
})

describe('what was left running', () => {
  /** What `left` gives, begun by the work of `outer` and at rest until that has ended. */
  async function leftBy<Result>(outer: (work: () => Promise<void>) => Promise<unknown>, left: () => Promise<Result>) {
    const end = gate()
    const later: Promise<Result>[] = []
    await outer(async () => void later.push(end.passed.then(left)))
    end.open()
    return (await Promise.all(later))[0]
  }

  test('by a run that has ended is inside of none: another run that it asks for is not refused', async () => {
    const session = await open()
    const second = () => session.run(agent('second', async () => 'second'))
    expect(await leftBy((work) => session.run(agent('first', work)), second)).toBe('second')
  })

  test('by a step that has ended is inside of none: the steps that it asks for belong to the conversation', async () => {
    const session = await open()
    expect(
      await leftBy(
        (work) => session.step('outer', {}, work),
        () => keyOf(session),
      ),
    ).toMatch(/^s:0:look:/)
  })
})

describe('a run', () => {
  test('is joined by who asks for the same, or for any of its agent, and by nobody else', async () => {
    const session = await open()
    const begun: string[] = []
    const gates = new Map<string, () => void>()
    const run = (name: string, input?: string) => {
      const work = async (): Promise<string> => {
        const { passed, open } = gate()
        gates.set(`${name} ${input}`, open)
        begun.push(`${name} ${input}`)
        await passed
        return `${name} ${input}`
      }
      return session.run(agent(name, work), input)
    }
    const replies = [run('a', 'x'), run('a', 'y'), run('b', 'x'), run('a')]
    for (const next of ['a x', 'a y', 'b x']) {
      await expect.poll(() => begun.at(-1)).toBe(next)
      replies.push(run('a', 'y'))
      gates.get(next)?.()
    }
    await expect.poll(() => begun).toEqual(['a x', 'a y', 'b x', 'a y'])
    gates.get('a y')?.()
    expect(await Promise.all(replies)).toEqual(['a x', 'a y', 'b x', 'a x', 'a y', 'a y', 'a y'])
  })
})
