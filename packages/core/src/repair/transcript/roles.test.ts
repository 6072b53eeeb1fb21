import { describe, expect, test } from 'vitest'
import { cardOf } from '../../ladder/built-in-cards.ts'
import type { Block, Message } from '../../journal/journal.ts'
import { assistant, call, text, user } from './cases.fixture.ts'
import { mendedBy } from './mended.fixture.ts'
import {
  firstUser,
  knownRoles,
  lastMessage,
  lastText,
  lastThinking,
  mergedAnswers,
  pausedLast,
  systemPlaces,
} from './roles.ts'

const [hi, ok, go] = [user('hi'), assistant(text('ok')), user('go')]
const system: Message = { role: 'system', content: 'night' }
const note = user([text('<system-note>\nnight\n</system-note>')])
const thinking: Block = { type: 'thinking', thinking: 'x', signature: 's' }
const search: Block = { type: 'server_tool_use', id: 's', name: 'web_search', input: {} }
const found: Block = { type: 'web_search_tool_result', tool_use_id: 's', content: [] }
const older = { card: cardOf('claude-sonnet-4-5') }

test('a role that only contains one of the API is none', () => {
  const roles = ['superuser', 'users', 'model', 'user', 'assistant', 'system']
  const { messages, places } = mendedBy(
    knownRoles,
    roles.map((role) => ({ role, content: 'hi' })),
  )
  expect(messages.map(({ role }) => role)).toEqual(['user', 'user', 'assistant', 'user', 'assistant', 'system'])
  expect(places).toEqual([0, 1, 2])
})

test.each<[claim: string, given: Message[], mended?: Message[]]>([
  ['between a user message and an answer', [hi, system, ok, go]],
  ['at the end, after a user message', [hi, ok, go, system]],
  ['several in a row', [hi, system, system, ok, go]],
  ['before the first message', [system, hi], [note, hi]],
  ['after an answer', [hi, ok, system, go], [hi, ok, note, go]],
  ['after an answer, at the end', [hi, ok, system], [hi, ok, note]],
  ['between user messages', [hi, system, go], [hi, note, go]],
  ['several in a row, before a user message', [hi, system, system, go], [hi, note, note, go]],
])('a system message stays where the API takes it, else it is a user note: %s', (_claim, given, mended) => {
  expect(mendedBy(systemPlaces, given)).toMatchObject(mended ? { messages: mended } : { isSame: true })
})

test('a conversation may begin with the sum of an earlier one', () => {
  const sum: Block = { type: 'compaction', content: 'so far' }
  expect(mendedBy(firstUser, [assistant(sum, text('ok')), go])).toMatchObject({ isSame: true })
  expect(mendedBy(firstUser, [assistant(text('ok'), sum), go]).messages).toHaveLength(3)
})

test('answers with thinking may follow each other after a pause, and in the middle of the work of the server', () => {
  const second = assistant(thinking, text('so'))
  const isSame = (...blocks: Block[]) => mendedBy(mergedAnswers, [hi, assistant(thinking, ...blocks), second]).isSame
  expect([isSame(search), isSame(search, found), isSame(text('ok'))]).toEqual([true, true, false])
  const paused = assistant(thinking, text('ok'))
  const context = { wasPaused: (message: Message) => message === paused }
  expect(mendedBy(mergedAnswers, [hi, paused, second], {}, context)).toMatchObject({ isSame: true })
  const { messages, places } = mendedBy(mergedAnswers, [hi, paused, second])
  expect(messages).toEqual([hi, paused, { role: 'user', content: expect.any(String) }, second])
  expect(places).toEqual([2])
})

describe.each(['pause_turn', 'compaction'])('after an answer that ends in %s', (stopReason) => {
  const after = (answer: Message, ...messages: Message[]) =>
    mendedBy(pausedLast, [hi, ok, hi, answer, ...messages], {}, { stopReason })

  test('only what says nothing is left out', () => {
    const mended = after(ok, user(' '), user([text(''), text(' ')]))
    expect(mended.messages).toEqual([hi, ok, hi, ok])
    expect(mended.places).toEqual([4, 5])
    expect(after(ok)).toMatchObject({ isSame: true })
    expect(after(ok, user(' '), go)).toMatchObject({ isSame: true })
    expect(after(ok, user([text(' '), { type: 'image', source: {} }]))).toMatchObject({ isSame: true })
  })

  test('with calls, or that ended otherwise, everything stays', () => {
    expect(after(assistant(call('a')), user(' '))).toMatchObject({ isSame: true })
    expect(mendedBy(pausedLast, [hi, ok, user(' ')], {}, { stopReason: 'end_turn' })).toMatchObject({ isSame: true })
  })
})

test('an answer may come last where the model or the server goes on with it', () => {
  const last = (answer: Message, params = {}, context = {}) => mendedBy(lastMessage, [hi, answer], params, context)
  expect(last(ok).messages).toHaveLength(3)
  expect(last(ok, { compaction: {} })).toMatchObject({ isSame: true })
  expect(last(ok, {}, { stopReason: 'pause_turn' })).toMatchObject({ isSame: true })
  expect(last(ok, {}, older)).toMatchObject({ isSame: true })
  // Calls wait for their results, which another rule adds.
  expect(last(assistant(call('a')))).toMatchObject({ isSame: true })
})

test('white space goes from the end of an answer that the model continues, and from nowhere else', () => {
  const last = (messages: Message[], stopReason?: string) => mendedBy(lastText, messages, {}, { stopReason })
  const marked = { ...text('so \n'), citations: [] }
  const mended = last([hi, assistant(text('ok '), marked)])
  expect(mended.messages).toEqual([hi, assistant(text('ok '), { ...marked, text: 'so' })])
  expect(mended.places).toEqual([1])
  expect(last([hi, { role: 'assistant', content: ' so ' }]).messages[1]).toEqual({ role: 'assistant', content: ' so' })
  expect(last([hi, assistant(text('so '))], 'pause_turn')).toMatchObject({ isSame: true })
  expect(last([hi, assistant(text('so '))], 'compaction')).toMatchObject({ isSame: true })
  expect(last([assistant(text('so ')), user('go ')])).toMatchObject({ isSame: true })
  expect(last([hi, assistant(text('so '), search)])).toMatchObject({ isSame: true })
})

test('thinking goes from the last answer where thinking is off', () => {
  const messages = [hi, assistant(thinking, text('ok')), go, assistant(thinking, text('so'))]
  const off = { thinking: { type: 'disabled' } }
  const mended = mendedBy(lastThinking, messages, off)
  expect(mended.messages).toEqual([...messages.slice(0, 3), assistant(text('so'))])
  expect(mended.places).toEqual([3])
  expect(mendedBy(lastThinking, [...messages.slice(0, 3), assistant(thinking)], off).messages).toEqual(
    messages.slice(0, 3),
  )
  expect(mendedBy(lastThinking, messages)).toMatchObject({ isSame: true })
  expect(mendedBy(lastThinking, messages, {}, older)).toMatchObject({ isSame: false })
  const on = { thinking: { type: 'enabled', budget_tokens: 1_024 } }
  expect(mendedBy(lastThinking, messages, on, older)).toMatchObject({ isSame: true })
  expect(mendedBy(lastThinking, messages.slice(0, 3), off)).toMatchObject({ isSame: true })
})
