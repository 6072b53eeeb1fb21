/** Which session a request names, and who asks. */
import type { MessagesBody } from '@lastgood/core'
import { expect, test } from 'vitest'
import { sessionNameOf } from './session-name.ts'

const uuid = '0b7c3a3e-5d0f-4c58-9f2c-1f2e3d4c5b6a'
const from = (userId: unknown): MessagesBody => ({
  model: 'claude-opus-5-5',
  messages: [{ role: 'user', content: 'Hello' }],
  metadata: { user_id: userId },
})
const agent = new Headers({ 'user-agent': 'claude-cli/2.1.330 (external, cli)' })

test.each([
  ['JSON with its id', JSON.stringify({ device_id: 'd', session_id: uuid }), uuid],
  ['the words of older ones', `user_0a1b_account__session_${uuid}`, uuid],
  ['JSON that names none', JSON.stringify({ device_id: 'd', session_id: '' }), undefined],
  ['JSON with another kind of id', JSON.stringify({ session_id: 7 }), undefined],
  ['JSON of nothing', 'null', undefined],
  ['other words', 'user_0a1b', undefined],
  ['words in which the session is not last', `_session_${uuid} of somebody`, undefined],
  ['no text', 7, undefined],
])('Claude Code names its session in the metadata: %s', (_what, userId, id) => {
  const named = id === undefined ? undefined : { id, hasHelpers: true, agent: 'claude-code' }
  expect(sessionNameOf(agent, from(userId))).toEqual(named)
})

test('a header counts before the metadata, and the own one before all', () => {
  const body = from(`user_session_${uuid}`)
  const header = { 'x-claude-code-session-id': 'other' }
  expect(sessionNameOf(new Headers(header), body)).toEqual({ id: 'other', hasHelpers: true, agent: 'claude-code' })
  expect(sessionNameOf(new Headers({ ...header, 'x-lastgood-session': 'own' }), body)).toEqual({
    id: 'own',
    hasHelpers: false,
    agent: undefined,
  })
})

test.each([
  ['opencode/1.2.3', 'opencode'],
  ['ai-sdk/anthropic/2 opencode/1.2.3', 'opencode'],
  ['notopencode/1', undefined],
  ['', undefined],
])('who calls itself %o is the agent %o', (userAgent, agent) => {
  const headers = new Headers({ 'x-session-id': 'ses', 'user-agent': userAgent })
  expect(sessionNameOf(headers, from(undefined))).toEqual({ id: 'ses', hasHelpers: true, agent })
})

test('a sub-agent is not the agent, and each has a session named after its own agent', () => {
  const one = { 'x-claude-code-session-id': 'lead', 'x-claude-code-agent-id': 'a1' }
  const two = { 'x-session-id': 'a1', 'x-parent-session-id': 'lead', 'user-agent': 'opencode/1.2.3' }
  const names = [one, two].map((headers) => sessionNameOf(new Headers(headers), from(undefined)))
  expect(names).toEqual(
    Array.from({ length: 2 }, () => ({
      id: expect.stringMatching(/^lead\.[0-9a-f]{12}$/) as string,
      hasHelpers: true,
      agent: undefined,
    })),
  )
})

test('a name that no session can have, or that leaves no room for the names of helpers, is one by its digest', () => {
  const idOf = (name: string) => sessionNameOf(new Headers({ 'x-session-id': name }), from(undefined))?.id
  for (const name of ['a b', '../up', 'a'.repeat(101)]) {
    expect(idOf(name)).toMatch(/^[0-9a-f]{12}$/)
    expect(idOf(name)).toBe(idOf(name))
  }
  expect(idOf('a b')).not.toBe(idOf('a c'))
  expect(idOf('a'.repeat(100))).toBe('a'.repeat(100))
})
