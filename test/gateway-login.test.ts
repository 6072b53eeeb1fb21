/** Credentials that the API refuses at the gateway: who has to fix them, and what becomes of the session. */
import { openSession } from '@lastgood/core'
import type { Gateway } from '@lastgood/gateway'
import { reply, text, type Outage } from '@lastgood/outage-lab'
import { describe, expect, test } from 'vitest'
import { countTool } from './support/counting-story.ts'
import { hello, post, setUp } from './support/gateway-stage.ts'
import { entriesOf } from './support/harness.ts'

const claudeCode = { 'x-claude-code-session-id': 'ses', 'user-agent': 'claude-cli/2.1.330 (external, cli)' }
const begins = { ...hello, tools: [countTool], stream: true }
const goesOn = (said: string) => ({
  ...begins,
  messages: [...hello.messages, { role: 'assistant', content: said }, { role: 'user', content: 'And now?' }],
})
/** Asks, and has all of the answer. */
async function ask(gateway: Gateway, body: object, headers: Record<string, string>) {
  const response = await post(gateway, body, { headers })
  return { status: response.status, headers: response.headers, said: await response.text() }
}
/** As the API got them. */
const keysAt = (lab: { requests: readonly { headers: Readonly<Record<string, unknown>> }[] }) =>
  lab.requests.map(({ headers }) => headers['x-api-key'])

const refused = (requests: [number, number], status = 401): Outage => ({
  when: { requests },
  fault: { kind: 'status', status },
})

describe('a client that can renew its credentials', () => {
  test.each([401, 403])('hears of a %i at once, as the API said it, and goes on with the new ones', async (status) => {
    const { gateway, lab, store } = await setUp({
      lab: { model: () => reply(text('hi')), outages: [refused([2, 2], status)] },
    })
    await ask(gateway, begins, claudeCode)
    const next = goesOn('hi')
    const denied = await ask(gateway, next, claudeCode)
    expect(denied.status).toBe(status)
    expect(denied.headers.has('x-should-retry')).toBe(false)
    expect(denied.said).not.toContain('lastgood')
    const renewed = await ask(gateway, next, { ...claudeCode, 'x-api-key': 'sk-ant-new' })
    expect(renewed.status).toBe(200)
    expect(keysAt(lab)).toEqual(['sk-ant-test', 'sk-ant-test', 'sk-ant-new'])
    await gateway.close()
    const session = await openSession('ses', { store })
    expect([session.turn, session.lastGoodTurn, session.messages().length]).toEqual([2, 2, 4])
    await session.close()
    expect(JSON.stringify(await entriesOf(store))).not.toContain('sk-ant')
  })

  test('and comes back with the same ones has an outage of the login waited out', async () => {
    const { gateway, lab } = await setUp({ lab: { model: () => reply(text('hi')), outages: [refused([2, 5])] } })
    await ask(gateway, begins, claudeCode)
    const next = goesOn('hi')
    expect((await ask(gateway, next, claudeCode)).status).toBe(401)
    const again = await ask(gateway, next, claudeCode)
    expect(again.status).toBe(200)
    expect(again.said).toContain('hi')
    expect(lab.requests).toHaveLength(6)
  })

  test('and never had an answer with them is told once more, and not asked to come again', async () => {
    const { gateway } = await setUp({ lab: { outages: [refused([1, 9])] } })
    const first = await ask(gateway, begins, claudeCode)
    expect([first.status, first.headers.has('x-should-retry')]).toEqual([401, false])
    const second = await ask(gateway, begins, claudeCode)
    expect([second.status, second.headers.get('x-should-retry')]).toEqual([401, 'false'])
  })
})

test.each([
  ['a client that can renew its credentials', 400, claudeCode],
  ['a client that cannot', 403, { 'x-lastgood-session': 'ses' }],
])('%s is told that a %i is final, and of an answer nothing of the kind', async (_who, status, headers) => {
  const { gateway } = await setUp({ lab: { model: () => reply(text('hi')), outages: [refused([1, 1], status)] } })
  const told = await ask(gateway, begins, headers)
  expect([told.status, told.headers.get('x-should-retry')]).toEqual([status, 'false'])
  const said = await ask(gateway, begins, headers)
  expect([said.status, said.headers.has('x-should-retry')]).toEqual([200, false])
})

describe('an outage of the login is waited out at once', () => {
  test.each([
    ['has no other credentials', { 'x-lastgood-session': 'ses' }],
    ['calls itself Claude Code, but names no session', { 'user-agent': 'claude-cli/0.24.4 (external, cli)' }],
  ])('for a client that %s', async (_which, headers) => {
    const { gateway } = await setUp({ lab: { model: () => reply(text('hi')), outages: [refused([2, 5])] } })
    await ask(gateway, begins, headers)
    expect((await ask(gateway, goesOn('hi'), headers)).status).toBe(200)
  })

  test('where the gateway has the credentials', async () => {
    const { gateway } = await setUp({
      lab: { model: () => reply(text('hi')), outages: [refused([2, 5])] },
      gateway: { credentials: () => ({ 'x-api-key': 'sk-ant-own' }) },
    })
    await ask(gateway, begins, claudeCode)
    expect((await ask(gateway, goesOn('hi'), claudeCode)).status).toBe(200)
  })
})
