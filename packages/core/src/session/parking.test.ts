import { expect, test } from 'vitest'
import { memoryStore } from '../store/memory-store.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { openSession } from './open-session.ts'
import { ask, callTool } from './turn.fixture.ts'

test('the result of a call that ends while the session is being parked is recorded (P2)', async () => {
  for (const reason of ['needs-input', 'interrupted'] as const) {
    const store = memoryStore()
    const session = await openSession('s', { store, clock: new ManualClock() })
    await ask(session)
    await callTool(session)
    const result = { type: 'tool_result', tool_use_id: 'toolu_1', content: 'ran' }
    await Promise.all([
      session.suspend(reason, 'a step is in doubt'),
      session.record([{ type: 'tool-finished', toolUseId: 'toolu_1', result, outcome: 'ran' }]),
    ])
    expect((await store.summary('s'))?.head.reason).toBe('a step is in doubt')
    const next = await openSession('s', { store, clock: new ManualClock() })
    expect([next.state, next.messages().at(-1)?.content]).toEqual(['requesting', [result]])
  }
})
