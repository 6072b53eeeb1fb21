import { expect, test } from 'vitest'
import { askModel } from './ask-model.ts'
import { ownSystem } from './own-question.ts'

const url = 'https://api.anthropic.com/v1/messages'
const login = { 'anthropic-beta': 'claude-code-20250219,oauth-2025-04-20' }
const said = (text: string) => ({ type: 'text', text })

test.each([
  ['of a login alone', login, 'oauth-2025-04-20'],
  ['none, where there is no login', { 'anthropic-beta': 'claude-code-20250219' }, null],
])('the Models API is asked with the beta %s', async (_which, headers, beta) => {
  const asked: (string | null)[] = []
  const next = async ({ headers: sent }: { headers: Headers }) => {
    asked.push(sent.get('anthropic-beta'))
    return Response.json({ id: 'm' })
  }
  const rung = { model: 'm', endpoint: 'https://api.anthropic.com', next }
  const signal = new AbortController().signal
  await askModel({ url, method: 'POST', headers: new Headers(headers) }, rung, signal)
  expect(asked).toEqual([beta])
})

test('a ping has no system prompt, or with a login only the lines that it begins with', () => {
  const lines = [said('x-anthropic-billing-header: cc'), said('You are a client.')]
  const long = said('Long prompt. '.repeat(99))
  expect(ownSystem(new Headers(login), [...lines, long, said('Short.')])).toEqual({ system: lines })
  expect(ownSystem(new Headers(login), lines)).toEqual({ system: lines })
  expect(ownSystem(new Headers(login), 'You are a client.')).toEqual({})
  expect(ownSystem(new Headers(login), [long])).toEqual({})
  expect(ownSystem(new Headers(), lines)).toEqual({})
})
