/** What the SDK has of its own around a request: timers, errors, parsers, uploads. */
import { recoverable } from '@lastgood/anthropic'
import { ManualClock } from '@lastgood/core/testing'
import { describe, expect, test } from 'vitest'
import { answeringClient, model, unanswered, user, whole, type Call } from './support/answering-api.ts'
import { openTestSession } from './support/harness.ts'
import { said } from './support/scripted-api.ts'

const request = { model, max_tokens: 500, messages: [user('Go')] }
type Client = ReturnType<typeof answeringClient>['client']

/** Resolves when the client has sent `count` requests. */
async function sent(calls: readonly Call[], count: number): Promise<void> {
  while (calls.length < count) await new Promise(setImmediate)
}

describe("an attempt that takes as long as the SDK's timeout allows", () => {
  const first = (answer: () => string | Response) => (call: Call, n: number) => (n === 1 ? unanswered(call) : answer())
  const stream = (client: Client, options = {}) => client.messages.stream(request, options).finalMessage()
  const create = (client: Client, options = {}) => client.messages.create(request, options)
  const list = async (client: Client, options = {}) => ({ content: (await client.models.list({}, options)).data })

  test.each([
    ['a stream', stream, () => said('hello'), 60_000],
    ['a whole answer', create, () => whole('hello'), 60_000],
    ['a whole answer that may take long', create, () => whole('hello'), 3_600_000],
    ['another request', list, () => Response.json({ data: [{ text: 'hello' }], has_more: false }), 60_000],
  ])("is sent again: %s, by the client's or the request's", async (_what, ask, answer, timeout) => {
    for (const isClients of [true, false]) {
      const clock = new ManualClock()
      const { client, calls } = answeringClient(first(answer))
      const session = await openTestSession(undefined, { clock })
      const own = recoverable(isClients ? client.withOptions({ timeout }) : client, session)
      const asked = ask(own, isClients ? {} : { timeout })
      await sent(calls, 1)
      await clock.advance(timeout - 10_001)
      expect(calls).toHaveLength(1)
      await clock.advance(10_000)
      await clock.advance(10_000)
      expect((await asked).content).toMatchObject([{ text: 'hello' }])
      expect(calls).toHaveLength(2)
      await session.close()
    }
  })
})
