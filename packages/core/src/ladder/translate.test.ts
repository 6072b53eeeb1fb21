import { expect, test } from 'vitest'
import type { Message } from '../journal/journal.ts'
import { cardOf } from './built-in-cards.ts'
import { translate } from './translate.ts'

const [opus, sonnet] = [cardOf('claude-opus-5-5'), cardOf('claude-sonnet-4-5')]
const nobody = () => undefined
const outgoing = {
  params: { model: opus.id, max_tokens: 9_999_999, speed: 'fast', temperature: 0.5 },
  messages: [{ role: 'user', content: 'hi' }] as readonly Message[],
  betas: ['fast-mode-2026-02-01'],
}

test('a request stays as it is for the model that it was written for, which another endpoint may call otherwise', () => {
  expect(translate(outgoing, opus, opus, nobody)).toEqual({ outgoing, notes: [] })
  expect(translate(outgoing, opus, opus, nobody).outgoing).toBe(outgoing)
  const elsewhere = cardOf('us.anthropic.claude-opus-5-5')
  expect(translate(outgoing, opus, elsewhere, nobody)).toEqual({
    outgoing: { ...outgoing, params: { ...outgoing.params, model: elsewhere.id } },
    notes: [],
  })
})

test('back at its own model, thinking of another one goes where that is refused', () => {
  const thinking = { type: 'thinking', thinking: 'x', signature: 's' }
  const config = { type: 'enabled', budget_tokens: 2_000 }
  const call = { type: 'tool_use', id: 'a', name: 'read', input: {} }
  const given = {
    ...outgoing,
    params: { model: sonnet.id, max_tokens: 8_000, thinking: config },
    messages: [...outgoing.messages, { role: 'assistant', content: [thinking, call] }],
  }
  const left = translate(given, sonnet, sonnet, () => opus.id)
  expect(left.outgoing.messages[1]).toEqual({ role: 'assistant', content: [call] })
  // Extended thinking waits for the next turn.
  expect(left.outgoing.params).toEqual({ model: sonnet.id, max_tokens: 8_000 })
  expect(left.notes.map(({ rule }) => rule)).toEqual(['fallback-foreign-thinking', 'fallback-thinking'])
  expect(translate(given, sonnet, sonnet, nobody)).toEqual({ outgoing: given, notes: [] })
})

test('an answer that was paused goes to another model as it is', () => {
  const answer = { role: 'assistant', content: [{ type: 'text', text: 'so' }] }
  const given = { params: { model: sonnet.id }, messages: [...outgoing.messages, answer], betas: [] }
  const rules = (wasPaused?: () => boolean) =>
    translate(given, sonnet, opus, nobody, wasPaused).notes.map(({ rule }) => rule)
  expect(rules()).toContain('fallback-prefill')
  expect(rules(() => true)).not.toContain('fallback-prefill')
})
