/** A process that stands still past its lease just before an effect, and another one that has the session meanwhile (P2). */
import { describe, expect, onTestFinished, test } from 'vitest'
import { memoryStore } from '../store/memory-store.ts'
import type { Store } from '../store/store.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { openSession } from './open-session.ts'
import type { Session } from './session.ts'
import type { Verdict } from './verdict.ts'
import { ask, callTool } from './turn.fixture.ts'

/** The time that others see goes on while no timer of the process fires. */
class StandingClock extends ManualClock {
  #stoodMs = 0

  standStill(ms: number): void {
    this.#stoodMs += ms
  }

  override now(): number {
    return super.now() + this.#stoodMs
  }
}

const verify = async (): Promise<Verdict<never>> => ({ kind: 'not-done' })
type Run = (session: Session, effect: () => string) => Promise<unknown>
const effects: [string, Run][] = [
  ['a tool call', (session, effect) => session.step('count', {}, effect, { toolUseId: 'toolu_1', verify })],
  ['a step', (session, effect) => session.step('deploy', {}, effect, { verify })],
]

type Meanwhile = (store: Store, clock: StandingClock, renewals: number) => Promise<void>
const nothing: Meanwhile = async () => {}

/**
 * Stands still between the answer of the store to the intent of an effect and that effect; and, for `beforeMs`, before.
 * `again` happens between the store's confirmation of the lease and its arrival.
 */
async function standingStill(run: Run, ms: number, meanwhile: Meanwhile, { again = nothing, beforeMs = 0 } = {}) {
  const clock = new StandingClock()
  const inner = memoryStore({ clock })
  const it = { renewals: 0, effects: 0, onAppended: async () => {} }
  const store: Store = {
    ...inner,
    append: async (...args) => {
      const seq = await inner.append(...args)
      await it.onAppended()
      return seq
    },
    renew: async (...args) => {
      it.renewals += 1
      const isHeld = await inner.renew(...args)
      await again(inner, clock, it.renewals)
      return isHeld
    },
  }
  const session = await openSession('s', { store, clock })
  onTestFinished(() => session.close().catch(() => {}))
  await ask(session)
  await callTool(session)
  clock.standStill(beforeMs)
  it.onAppended = async () => {
    it.onAppended = async () => {}
    clock.standStill(ms)
    await meanwhile(inner, clock, 0)
  }
  const [end] = await Promise.allSettled([run(session, () => ((it.effects += 1), 'done'))])
  return { end, ...it }
}

describe.each(effects)('%s', (_what, run) => {
  test('is not begun where another process has taken the session and done it (P2, P3)', async () => {
    let others = 0
    const { end, effects } = await standingStill(run, 60_000, async (store, clock) => {
      const next = await openSession('s', { store, clock })
      await run(next, () => ((others += 1), 'done there'))
      await next.close()
    })
    expect([others, effects]).toEqual([1, 0])
    expect(end).toMatchObject({ reason: { code: 'lease-lost' } })
  })

  test('is not begun either where the store took its intent just before the end of the lease (P2, P3)', async () => {
    let others = 0
    const meanwhile: Meanwhile = async (store, clock) => {
      const next = await openSession('s', { store, clock })
      await run(next, () => ((others += 1), 'done there'))
      await next.close()
    }
    const { end, effects } = await standingStill(run, 10_000, meanwhile, { beforeMs: 25_000 })
    expect([others, effects]).toEqual([1, 0])
    expect(end).toMatchObject({ reason: { code: 'lease-lost' } })
  })

  test('is not begun where that happens while the store confirms the lease (P2, P3)', async () => {
    let others = 0
    const { end, effects } = await standingStill(run, 60_000, nothing, {
      again: async (store, clock, renewals) => {
        if (renewals > 1) return
        clock.standStill(60_000)
        const next = await openSession('s', { store, clock })
        await run(next, () => ((others += 1), 'done there'))
        await next.close()
      },
    })
    expect([others, effects]).toEqual([1, 0])
    expect(end).toMatchObject({ reason: { code: 'lease-lost' } })
  })

  test('is not begun, and not waited for, where every confirmation comes too late (P6)', async () => {
    const late: Meanwhile = async (_store, clock) => clock.standStill(60_000)
    const { end, effects, renewals } = await standingStill(run, 60_000, nothing, { again: late })
    expect([effects, renewals]).toEqual([0, 3])
    expect(end).toMatchObject({ reason: { code: 'store-unavailable' } })
  })

  test('runs where nobody has taken it, and the store was asked once', async () => {
    const { end, effects, renewals } = await standingStill(run, 60_000, nothing)
    expect([end?.status, effects, renewals]).toEqual(['fulfilled', 1, 1])
  })

  test('runs at once after a shorter pause', async () => {
    const { end, effects, renewals } = await standingStill(run, 20_000, async () => {})
    expect([end?.status, effects, renewals]).toEqual(['fulfilled', 1, 0])
  })
})
