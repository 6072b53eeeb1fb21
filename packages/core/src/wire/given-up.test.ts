import { expect, onTestFinished, test } from 'vitest'
import type { Fault } from '../faults/fault.ts'
import { openSession } from '../session/open-session.ts'
import type { Session } from '../session/session.ts'
import { memoryStore } from '../store/memory-store.ts'
import { givenUp, limitsIn, requestFailed, suspendedError } from './given-up.ts'
import { intercept } from './interceptor.ts'

const answer = { id: 'msg_1', role: 'assistant', model: 'm', content: [{ type: 'text', text: 'B' }] }

/** In its first turn, or in its second. */
async function sessionOf({ isSecond = false, agent = undefined as string | undefined } = {}): Promise<Session> {
  const session = await openSession('s', { store: memoryStore() })
  onTestFinished(() => session.close())
  if (!isSecond) await session.startTurn([{ role: 'user', content: 'A' }], agent)
  else {
    const body = JSON.stringify({ model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'A' }] })
    const request = { url: 'https://api.test/v1/messages', method: 'POST', headers: new Headers(), body }
    const usage = { input_tokens: 1, output_tokens: 1 }
    const response = await intercept(session)(request, async () =>
      Response.json({ ...answer, stop_reason: 'end_turn', usage }),
    )
    await response.text()
    await session.startTurn([{ role: 'user', content: 'C' }], agent)
  }
  return session
}

const fault = (kind: Fault['kind'], status?: number) => ({ kind, status }) as Fault
const suspend = { kind: 'suspend', reason: 'out of credit.' } as const
const fail = { kind: 'fail', reason: 'the API refused the request' } as const
const headers = new Headers({ 'anthropic-ratelimit-unified-reset': '7', 'request-id': 'req_1' })
const own = 'start its own program again; with the session id s it continues from the last good turn'
const rephrase = 'rephrase the message, which replaces the open turn:'

test.each([
  [false, undefined, 'auth-blocked', `saved inside turn 1; once fixed, ${own}`, {}],
  [true, undefined, 'auth-blocked', `saved at turn 1; once fixed, ${own}`, {}],
  [true, 'coder', 'auth-blocked', 'saved at turn 1; once fixed: lastgood resume s', {}],
  [true, undefined, 'transcript-invalid', `saved at turn 1; ${rephrase} ${own}`, { acceptedMessages: 2 }],
  [true, 'coder', 'transcript-invalid', `saved at turn 1; ${rephrase} lastgood resume s "…"`, { acceptedMessages: 2 }],
] as const)('a request that failed tells where it is saved and what to do [turn 2: %s, %s, %s]', async (...told) => {
  const [isSecond, agent, kind, hint, more] = told
  const session = await sessionOf({ isSecond, agent })
  const error = givenUp(session, {
    fault: fault(kind, 401),
    decision: fail as unknown as Parameters<typeof givenUp>[1]['decision'],
    unrepairable: undefined,
    headers: undefined,
  })
  expect(error).toMatchObject({ code: 'request-failed', hint, message: 'session s: the API refused the request' })
  const lastGoodTurn = isSecond ? 1 : 0
  expect(error.details).toEqual({ sessionId: 's', lastGoodTurn, fault: kind, status: 401, ...more })
})

test('a session that is suspended tells why, from when it is worth a try, what is left of its limits and what is broken', async () => {
  const session = await sessionOf({ isSecond: true, agent: 'coder' })
  const error = givenUp(session, {
    fault: fault('spend-blocked', 429),
    decision: { ...suspend, retryAt: 86_400_000 } as unknown as Parameters<typeof givenUp>[1]['decision'],
    unrepairable: { rule: 'some-rule', what: 'cannot be mended' } as Parameters<typeof givenUp>[1]['unrepairable'],
    headers,
  })
  expect(error).toMatchObject({
    code: 'session-suspended',
    message: 'session s is suspended: out of credit; worth retrying from 1970-01-02T00:00:00.000Z',
    hint: 'saved at turn 1; continue with: lastgood resume s',
  })
  expect(error.details).toEqual({
    sessionId: 's',
    lastGoodTurn: 1,
    fault: 'spend-blocked',
    status: 429,
    limits: { 'anthropic-ratelimit-unified-reset': '7' },
    unrepairable: 'some-rule: cannot be mended',
    retryAt: 86_400_000,
  })
  const plain = suspendedError(await sessionOf(), suspend)
  expect(plain).toMatchObject({
    message: 'session s is suspended: out of credit',
    hint: `saved inside turn 1; to continue, ${own}`,
  })
  expect(plain.details).toEqual({ sessionId: 's', lastGoodTurn: 0 })
})

test("limits are those of the API's last response, where it told of any", () => {
  expect(limitsIn(headers)).toEqual({ limits: { 'anthropic-ratelimit-unified-reset': '7' } })
  expect(limitsIn(new Headers({ 'x-anthropic-ratelimit-': '1' }))).toEqual({})
  expect(limitsIn(undefined)).toEqual({})
})

test.each([
  [Object.assign(new Error('no'), { status: 400 }), { status: 400 }],
  [Object.assign(new Error('no'), { status: '400' }), {}],
  [new Error('no'), {}],
  ['no', {}],
  [null, {}],
])('what the SDK threw is the cause, and its status is told: %o', async (cause, status) => {
  const session = await sessionOf({ isSecond: true })
  const error = requestFailed(session, cause)
  expect(error).toMatchObject({ message: 'session s: refused', cause, hint: `saved at turn 1; ${rephrase} ${own}` })
  expect(error.details).toEqual({ sessionId: 's', lastGoodTurn: 1, ...status })
})
