import { expect, test } from 'vitest'
import type { Block, Message } from '../../journal/journal.ts'
import { olderCard, plainRequest, requestOf, strictCard } from '../request/request-case.fixture.ts'
import { applyRefusalRule } from './refusal-rules.ts'

const thinking: Block = { type: 'thinking', thinking: 'x', signature: 's' }
const call: Block = { type: 'tool_use', id: 'a', name: 'read', input: {} }
const turn = (...content: Block[]): Message[] => [
  { role: 'user', content: 'hi' },
  { role: 'assistant', content },
  { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a', content: 'ok' }] },
]
const enabled = { type: 'enabled', budget_tokens: 2_000 }

test('an answer that differs from the record by a cache marker only is as it was recorded', () => {
  const messages = turn(thinking, { ...call, cache_control: { type: 'ephemeral' } })
  const recorded = turn(thinking, call)
  expect(applyRefusalRule('restore-thinking', requestOf({ messages }), { card: strictCard, recorded })).toBeUndefined()
})

test('P4: no answer is restored as another one, where a repair has put a message before it', () => {
  const answer = (words: string, ...content: Block[]): Message => {
    return { role: 'assistant', content: [...content, { type: 'text', text: words }] }
  }
  const [go, note] = ['go', '(no message)'].map((content): Message => ({ role: 'user', content }))
  const recorded = [go!, answer('a', thinking), answer('b', thinking), answer('c', thinking), go!]
  const restored = (messages: Message[]) =>
    applyRefusalRule('restore-thinking', requestOf({ messages }), { card: strictCard, recorded })?.outgoing.messages
  const shifted = [recorded[0]!, recorded[1]!, note!, answer('b'), recorded[3]!, recorded[4]!]
  expect(restored(shifted)).toBeUndefined()
  expect(restored([...shifted.slice(0, 4), answer('c'), recorded[4]!])).toBeUndefined()
  expect(restored([recorded[0]!, note!, recorded[1]!, answer('b'), ...recorded.slice(3)])).toEqual([
    recorded[0],
    note,
    ...recorded.slice(1),
  ])
})

test('thinking that is left out is listed, and off where the open turn would have to begin with it', () => {
  const stripped = (config: object, card = olderCard) =>
    applyRefusalRule(
      'strip-thinking',
      requestOf({ params: { ...plainRequest.params, thinking: config }, messages: turn(thinking, call) }),
      { card },
    )
  expect(stripped(enabled)?.outgoing.messages).toEqual(turn(call))
  expect(stripped(enabled)?.outgoing.params['thinking']).toEqual({ type: 'disabled' })
  expect(stripped(enabled)?.repairs[0]?.removed).toEqual([thinking])
  expect(stripped({ type: 'adaptive' }, strictCard)?.outgoing.params['thinking']).toEqual({ type: 'adaptive' })
  // The turn is over, so nothing has to begin with thinking.
  const over = [...turn(thinking), { role: 'user', content: 'go' }]
  const params = { ...plainRequest.params, thinking: enabled }
  const left = applyRefusalRule('strip-thinking', requestOf({ params, messages: over }), { card: olderCard })
  expect(left?.outgoing.params['thinking']).toEqual(enabled)
})

test('P6: a paused answer that loses its thinking is not sent as if it had all: the model is asked to go on', () => {
  const pending: Block = { type: 'server_tool_use', id: 'srv', name: 'web_search', input: {} }
  const said: Block = { type: 'text', text: 'Searching.' }
  const paused = (...content: Block[]) => turn(...content).slice(0, 2)
  const stripped = (messages: Message[], isPaused = true) =>
    applyRefusalRule('strip-thinking', requestOf({ messages }), { card: strictCard, wasPaused: () => isPaused })
      ?.outgoing.messages
  const asked = { role: 'user', content: expect.stringContaining('was interrupted') as string }
  expect(stripped(paused(thinking, said, pending))).toEqual([...paused(said), asked])
  expect(stripped(paused(thinking, pending))).toEqual(paused().slice(0, 1))
  expect(stripped(paused(thinking, said), false)).toEqual(paused(said))
  // Nobody knows that it was paused, but it ends in a call of the server's.
  expect(stripped(paused(thinking, said, pending), false)).toEqual([...paused(said), asked])
  // It was paused twice, and has lost something before the first pause.
  const found: Block = { type: 'web_search_tool_result', tool_use_id: 'srv', content: [] }
  const again = paused(found).slice(1)
  expect(stripped([...paused(thinking, said, pending), ...again])).toEqual([...paused(said, pending), ...again, asked])
  // What it lost was elsewhere.
  expect(stripped([...turn(thinking, call), ...paused(pending).slice(1)])).toEqual([
    ...turn(call),
    ...paused(pending).slice(1),
  ])
})

test('thinking is turned off again only beside the settings for which it was refused', () => {
  const settings = [
    { max_tokens: 4_000, thinking: enabled },
    { max_tokens: 2_000, thinking: enabled },
    { max_tokens: 1_000, thinking: enabled },
    { max_tokens: 4_000, thinking: enabled, tool_choice: { type: 'any' } },
    { max_tokens: 4_000, thinking: enabled, tool_choice: { type: 'auto' } },
    { max_tokens: 4_000 },
  ]
  const card = { ...olderCard, thinksByDefault: true }
  const offWith = (params: object, argument = '') =>
    applyRefusalRule(`thinking-off-with${argument}`, requestOf({ params: { ...plainRequest.params, ...params } }), {
      card,
    })
  const names = settings.map((params) => offWith(params)?.repairs[0]?.rule.slice('thinking-off-with'.length))
  expect(names).toEqual([
    ':enabled,2000',
    ':enabled,2000,2000',
    ':enabled,2000,1000',
    ':enabled,2000,any',
    ':enabled,2000',
    ':default',
  ])
  for (const [at, params] of settings.entries()) {
    const again = names.map((name) => offWith(params, name) !== undefined)
    expect(again).toEqual(names.map((name) => name === names[at]))
  }
})
