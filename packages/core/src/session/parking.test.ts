import { expect, test } from 'vitest'
import { memoryStore } from '../store/memory-store.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import type { Store } from '../store/store.ts'
import { openSession } from './open-session.ts'
import type { ToolStepOptions } from './step-ledger.ts'
import { ask, callTool, callTools } from './turn.fixture.ts'

const started = { type: 'tool-started', name: 'count', inDoubt: 'ask' } as const

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

test('a call that would begin while another one parks the session is told what that one is told', async () => {
  const memory = memoryStore()
  const first = await openSession('s', { store: memory, clock: new ManualClock() })
  await ask(first)
  await callTools(first, ['toolu_1', 'toolu_2'])
  await first.record(['toolu_1', 'toolu_2'].map((toolUseId) => ({ ...started, toolUseId })))
  await first.close()
  let park = () => {}
  const parking = new Promise<void>((resolve) => (park = resolve))
  const store: Store = {
    ...memory,
    async append(...args) {
      if (args[2].some(({ type }) => type === 'session-suspended')) {
        park()
        await new Promise((resolve) => setImmediate(resolve)) // the other call wants to begin
      }
      return memory.append(...args)
    },
  }
  const session = await openSession('s', { store, clock: new ManualClock() })
  const needsInput = expect.objectContaining({ code: 'needs-input' }) as unknown
  const runs: string[] = []
  const step = (toolUseId: string, options: Partial<ToolStepOptions>) =>
    session.step('count', {}, () => `ran ${runs.push(toolUseId)}`, { toolUseId, inDoubt: 'ask', ...options })
  const verify = () => parking.then(() => ({ kind: 'not-done' }) as const)
  expect(await Promise.allSettled([step('toolu_1', {}), step('toolu_2', { verify })])).toEqual([
    { status: 'rejected', reason: needsInput },
    { status: 'rejected', reason: needsInput },
  ])
  expect(runs).toEqual([])
  expect((await store.summary('s'))?.head.status).toBe('needs-input')
})
