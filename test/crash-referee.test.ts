/** The referee of the crash matrix detects what it is there for: it reports each promise that is broken. */
import { memoryStore, openSession, type Entry, type EntryBody } from '@lastgood/core'
import { expect, test } from 'vitest'
import { Referee } from './crash/matrix/referee.ts'

const call = { toolUseId: 'toolu_1', idempotencyKey: 'ses:toolu_1' }
const started: EntryBody = { type: 'tool-started', toolUseId: 'toolu_1', name: 'count', inDoubt: 'report' }
const finished: EntryBody = {
  type: 'tool-finished',
  toolUseId: 'toolu_1',
  result: { type: 'tool_result', tool_use_id: 'toolu_1', content: 'counted' },
  outcome: 'ran',
}

/** A journal in which call 1 was answered for, and a referee who saw it. */
async function watchedCall() {
  const referee = new Referee()
  const store = referee.watch(memoryStore(), 'ses')
  const session = await openSession('ses', { store, cwd: '/' })
  session.subscribe((event) => event.type === 'entry' && referee.acknowledge(event.entry))
  await session.startTurn([{ role: 'user', content: 'Count' }])
  const message = {
    id: 'msg_1',
    role: 'assistant' as const,
    model: 'm',
    content: [{ type: 'tool_use', id: 'toolu_1', name: 'count', input: {} }],
    stop_reason: 'tool_use',
  }
  await session.record([
    { type: 'request-sent', model: 'm', attempt: 1 },
    { type: 'response-received', message },
  ])
  const verdict = async () => {
    const journal: Entry[] = []
    for await (const entry of store.read('ses')) journal.push(entry)
    return referee.verdict('ses', journal)
  }
  return { referee, session, verdict }
}

test('a call that was announced, ran once and has its result breaks nothing', async () => {
  const { referee, session, verdict } = await watchedCall()
  await session.record([started])
  referee.effect('1', 'report', call)
  await session.record([finished])
  expect(await verdict()).toEqual([])
  expect(referee.done).toEqual(['1'])
})

test('a call that runs before its intent is durable is seen (P5)', async () => {
  const { referee, session, verdict } = await watchedCall()
  referee.effect('1', 'report', call)
  await session.record([started])
  expect(await verdict()).toEqual([expect.stringContaining('P5: toolu_1 ran and was not announced')])
})

test('a call of unknown outcome that is repeated is seen, unless its rule or a person allows it (P2)', async () => {
  const { referee, session, verdict } = await watchedCall()
  await session.record([started])
  for (const _life of ['first', 'second']) referee.effect('1', 'report', call)
  expect(await verdict()).toEqual(['P2: toolu_1 was silently repeated'])
  referee.permit('toolu_1')
  expect(await verdict()).toEqual([])
})

test('a call that runs again after its result is seen, whatever its rule (P2)', async () => {
  const { referee, session, verdict } = await watchedCall()
  await session.record([started, finished])
  referee.effect('1', 'rerun', call)
  expect(await verdict()).toEqual(['P2: toolu_1 ran again after its result'])
})

test('another idempotency key for the same call is seen (P2)', async () => {
  const { referee, verdict } = await watchedCall()
  referee.effect('', 'rerun', { ...call, idempotencyKey: 'other' })
  expect(await verdict()).toEqual(['P2: toolu_1 had the key other'])
})

test('an acknowledged entry that is gone or changed is seen (P1)', async () => {
  const { referee } = await watchedCall()
  expect(referee.verdict('ses', [])).toHaveLength(4)
})
