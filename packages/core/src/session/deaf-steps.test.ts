/** Steps that do not hear of the end of their session: nobody waits for them, and what they come to goes nowhere. */
import { expect, onTestFinished, test } from 'vitest'
import { memoryStore } from '../store/memory-store.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { openSession } from './open-session.ts'
import type { Session } from './session.ts'

async function open(store = memoryStore()): Promise<Session> {
  const session = await openSession('s', { store, clock: new ManualClock({ autoAdvance: true }), takeover: true })
  onTestFinished(() => session.close().catch(() => {}))
  return session
}

/** A step that is under way, what it gives whoever waits, and the way to let it come to its end. */
async function deafStep(session: Session) {
  let finish = (_result: string): void => {}
  let step: Promise<string> | undefined
  await new Promise<void>((begun) => {
    step = session.step('deploy', {}, () => (begun(), new Promise<string>((resolve) => (finish = resolve))))
    step.catch(() => {})
  })
  return { step: step as Promise<string>, finish }
}

test.each([
  ['closed', 'session-closed', (session: Session) => session.close()],
  ['suspended', 'session-closed', (session: Session) => session.suspend('interrupted', 'the deploy takes the machine')],
])('a step ends with its session, which is %s (P6)', async (_how, code, end) => {
  const session = await open()
  const { step } = await deafStep(session)
  await end(session)
  await expect(step).rejects.toMatchObject({ code })
})

test('a step of a process that was fenced off ends, and is in doubt for the next one, whatever it comes to (P2, P6)', async () => {
  const store = memoryStore()
  const fenced = await open(store)
  const { step, finish } = await deafStep(fenced)
  const next = await open(store)
  await expect(fenced.record([{ type: 'repairs-reverted', reason: 'r' }])).rejects.toMatchObject({ code: 'lease-lost' })
  await expect(step).rejects.toMatchObject({ code: 'lease-lost' })
  finish('deployed')
  await expect(next.step('deploy', {}, () => 'again')).rejects.toMatchObject({ code: 'step-in-doubt' })
})
