/** Calls of a model's answer as a process finds them that did not receive it. */
import { expect, onTestFinished, test } from 'vitest'
import { memoryStore } from '../store/memory-store.ts'
import type { Store } from '../store/store.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import type { Block } from '../journal/journal.ts'
import { openSession } from './open-session.ts'
import type { Session } from './session.ts'
import type { ToolStepOptions } from './step-ledger.ts'
import { runToolCalls, type ToolContext } from './tool-ledger.ts'
import { ask, callTools } from './turn.fixture.ts'

async function open(store: Store): Promise<Session> {
  const session = await openSession('s', { store, clock: new ManualClock({ autoAdvance: true }), takeover: true })
  onTestFinished(() => session.close().catch(() => {}))
  return session
}

/** A process has died after an answer with these calls; those that it began are in doubt. */
async function resumed(ids: readonly string[], begun = ids) {
  const store = memoryStore()
  const dead = await open(store)
  await ask(dead)
  await callTools(dead, ids)
  await dead.record(begun.map((toolUseId) => ({ type: 'tool-started', toolUseId, name: 'count', inDoubt: 'report' })))
  const session = await open(store)
  const told: string[] = []
  session.subscribe((event) => event.type === 'in-doubt' && told.push(`${event.toolUseId} ${event.did}`))
  return { session, store, told }
}

test('a call that was recorded without an intent was never begun: it runs under one, and nobody is told of a doubt (P2)', async () => {
  const { session, told } = await resumed(['toolu_1'], [])
  const state = () => session.transcript.unanswered.map((call) => call.state).join()
  const block = await session.step('count', {}, state, { toolUseId: 'toolu_1' })
  expect([block['content'], told]).toEqual(['started', []])
})

test('a call that was stopped half-way is in doubt in the process that received its answer too (P2)', async () => {
  const session = await open(memoryStore())
  await ask(session)
  await callTools(session, ['toolu_1'])
  const stop = new AbortController()
  const runs: string[] = []
  const step = (signal?: AbortSignal) =>
    session.step(
      'count',
      {},
      () => {
        runs.push('ran')
        stop.abort(new Error('enough'))
        throw new Error('cut off')
      },
      { toolUseId: 'toolu_1', ...(signal && { signal }) },
    )
  await expect(step(stop.signal)).rejects.toThrow('enough')
  expect((await step())['content']).toContain('outcome')
  expect(runs).toEqual(['ran'])
})

test('where a person decides about one call, nothing is done about the others, and nothing else is told', async () => {
  const { session, store, told } = await resumed(['toolu_1', 'toolu_2'])
  const run = () => Promise.reject(new Error('not to be run'))
  const calls = runToolCalls(session, {
    find: () => ({ inDoubt: 'ask', run }),
    onInDoubt: async ({ toolUseId }) => (toolUseId === 'toolu_1' ? 'report' : 'suspend'),
  })
  await expect(calls).rejects.toMatchObject({ code: 'needs-input' })
  expect(told).toEqual(['toolu_2 parked'])
  expect((await open(store)).transcript.unanswered).toHaveLength(2)
})

test('a call whose answer was taken back while its tool looked is not begun, and that is what is told', async () => {
  const { session } = await resumed(['toolu_1'])
  const runs: string[] = []
  const verify = async () => {
    await session.rewind(0, 'another way')
    return { kind: 'not-done' as const }
  }
  const call = session.step('count', {}, () => `ran ${runs.push('')}`, { toolUseId: 'toolu_1', verify })
  await expect(call).rejects.toMatchObject({ code: 'journal-conflict' })
  expect(runs).toEqual([])
})

test('what a caller does to a result that it was given changes nothing of what is sent (P4)', async () => {
  const { session } = await resumed(['toolu_1'], [])
  const step = () => session.step('count', {}, () => [{ type: 'text', text: 'ran' }], { toolUseId: 'toolu_1' })
  for (let n = 0; n < 2; n += 1) {
    const [text] = (await step())['content'] as Block[]
    Object.assign(text as Block, { text: 'changed' })
  }
  expect(session.messages().at(-1)?.content).toMatchObject([{ content: [{ text: 'ran' }] }])
})

test.each<[string, Partial<ToolStepOptions>, () => string]>([
  ['returns', { inDoubt: 'rerun' }, () => 'half a \ud83d'],
  ['throws', { inDoubt: 'rerun' }, () => expect.unreachable('half a \ud83d')],
  ['found out', { verify: async () => ({ kind: 'done', result: 'half a \ud83d' }) }, () => 'ran'],
])('what a tool %s is made fit for the API before it is part of the history (P4)', async (_, options, run) => {
  const { session, store } = await resumed(['toolu_1'])
  await session.step('count', {}, run, { toolUseId: 'toolu_1', ...options })
  const recorded = JSON.stringify((await open(store)).messages().at(-1))
  expect([recorded.includes('half a \ufffd'), recorded.includes('\\ud83d')]).toEqual([true, false])
})

test('a call has the same idempotency key where it runs again, in another process (P2)', async () => {
  const { session, store } = await resumed(['toolu_1'], [])
  const options = { toolUseId: 'toolu_1', inDoubt: 'rerun' } as const
  const first = await new Promise<string>((resolve) => {
    const run = ({ idempotencyKey }: ToolContext) => (resolve(idempotencyKey), new Promise<string>(() => {}))
    session.step('count', {}, run, options).catch(() => {})
  })
  const next = await open(store)
  const again = await next.step('count', {}, ({ idempotencyKey }) => idempotencyKey, options)
  expect([first, again['content']]).toEqual(['s:toolu_1', 's:toolu_1'])
})

test('a call in doubt that a person decides is put before the one who runs it', async () => {
  const { session, told } = await resumed(['toolu_1'])
  const block = await session.step('count', {}, () => 'ran', {
    toolUseId: 'toolu_1',
    inDoubt: 'ask',
    onInDoubt: async () => 'rerun',
  })
  expect([block['content'], told]).toEqual(['ran', ['toolu_1 rerun']])
})

test('a call of a tool that the agent does not have is answered by an error, and stays one', async () => {
  const { session, store } = await resumed(['toolu_1'], [])
  await runToolCalls(session, { find: () => undefined })
  await session.close()
  const answer = {
    type: 'tool_result',
    tool_use_id: 'toolu_1',
    is_error: true,
    content: "Error: Tool 'count' not found",
  }
  expect((await open(store)).messages().at(-1)?.content).toEqual([answer])
})

test('calls of which a person decides about two are told the same, when they are asked for at once', async () => {
  const { session } = await resumed(['toolu_1', 'toolu_2'])
  const step = (toolUseId: string) => session.step('count', {}, () => 'ran', { toolUseId, inDoubt: 'ask' })
  const needsInput = expect.objectContaining({ code: 'needs-input' }) as unknown
  expect(await Promise.allSettled([step('toolu_1'), step('toolu_2')])).toEqual([
    { status: 'rejected', reason: needsInput },
    { status: 'rejected', reason: needsInput },
  ])
})
