/** Nobody hears what became of a step or a call before a process that comes later would hear the same (P1, P2). */
import { expect, onTestFinished, test } from 'vitest'
import { memoryStore } from '../store/memory-store.ts'
import type { Store } from '../store/store.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { openSession } from './open-session.ts'
import type { Session } from './session.ts'
import type { StepOptions, ToolStepOptions } from './step-ledger.ts'
import { runToolCalls } from './tool-ledger.ts'
import { ask, callTools } from './turn.fixture.ts'

const later = () => new Promise<void>((resolve) => setImmediate(resolve))

/** Its writes take their time. */
function slowStore() {
  const inner = memoryStore()
  const recorded: string[] = []
  const store: Store = {
    ...inner,
    async append(...args) {
      await later()
      const seq = await inner.append(...args)
      recorded.push(...args[2].map((entry) => ('outcome' in entry ? `${entry.type} ${entry.outcome}` : entry.type)))
      return seq
    },
  }
  return { store, recorded }
}

async function open(store: Store): Promise<Session> {
  const session = await openSession('s', { store, clock: new ManualClock({ autoAdvance: true }), takeover: true })
  onTestFinished(() => session.close().catch(() => {}))
  return session
}

test.each<[string, string, boolean, () => string, StepOptions<string>]>([
  ['that ran', 'step-finished ran', false, () => 'deployed', {}],
  ['that failed', 'step-finished failed', false, () => expect.unreachable('no network'), {}],
  [
    'that was done before',
    'step-finished verified',
    true,
    String,
    { verify: async () => ({ kind: 'done', result: '' }) },
  ],
  ['in doubt', 'step-finished in-doubt', true, String, {}],
  ['that a person decides', 'session-suspended', true, String, { inDoubt: 'ask' }],
])('what became of a step %s is on record before its caller hears of it', async (_, entry, isBegun, run, options) => {
  const { store, recorded } = slowStore()
  const session = await open(store)
  if (isBegun) await session.record([{ type: 'step-started', stepId: 'key:k', name: 'deploy', inDoubt: 'report' }])
  await session.step('deploy', {}, run, { key: 'k', ...options }).catch(() => {})
  expect(recorded.at(-1)).toBe(entry)
})

test.each<[string, boolean, Partial<ToolStepOptions>]>([
  ['tool-finished ran', false, {}],
  ['tool-finished in-doubt', true, {}],
  ['session-suspended', true, { inDoubt: 'ask' }],
])('what became of a call is on record before its caller hears of it: %s', async (entry, isBegun, options) => {
  const { store, recorded } = slowStore()
  const dead = await open(store)
  await ask(dead)
  await callTools(dead, ['toolu_1', 'toolu_2'])
  const intent = { type: 'tool-started', toolUseId: 'toolu_1', name: 'count', inDoubt: 'report' } as const
  if (isBegun) await dead.record([intent])
  const session = await open(store)
  await session.step('count', {}, () => 'ran', { toolUseId: 'toolu_1', ...options }).catch(() => {})
  expect(recorded.at(-1)).toBe(entry)
})

test('of several calls the result of each is on record while another one still runs', async () => {
  const { store, recorded } = slowStore()
  const session = await open(store)
  await ask(session)
  await callTools(session, ['toolu_1', 'toolu_2'])
  let end = (): void => {}
  const slow = new Promise<void>((resolve) => (end = resolve))
  const run = async (_input: unknown, { toolUseId }: { toolUseId: string }) => {
    if (toolUseId === 'toolu_1') await slow
    return { type: 'tool_result', tool_use_id: toolUseId, content: 'ran' }
  }
  const running = runToolCalls(session, { find: () => ({ inDoubt: 'report', run }) })
  await expect.poll(() => recorded.at(-1)).toBe('tool-finished ran')
  end()
  expect((await running).size).toBe(2)
})
