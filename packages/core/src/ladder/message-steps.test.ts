import { describe, expect, test } from 'vitest'
import type { Block, Message } from '../journal/journal.ts'
import { cardOf } from './built-in-cards.ts'
import {
  askedToGoOn,
  beginsWithThinking,
  endsWithThinking,
  foreignThinking,
  messageEffort,
  prefill,
  systemNotes,
} from './message-steps.ts'
import type { Move, Step } from './step.ts'

const [newer, older] = [cardOf('claude-opus-5-5'), cardOf('claude-sonnet-4-5')]
const user = (content: Message['content']): Message => ({ role: 'user', content })
const assistant = (...content: Block[]): Message => ({ role: 'assistant', content })
const text = (said: string): Block => ({ type: 'text', text: said })
const thinking: Block = { type: 'thinking', thinking: 'x', signature: 's' }
const call: Block = { type: 'tool_use', id: 'a', name: 'read', input: {} }
const search: Block = { type: 'server_tool_use', id: 's', name: 'web_search', input: {} }
const found: Block = { type: 'web_search_tool_result', tool_use_id: 's', content: [] }
const [hi, go] = [user('hi'), user('go')]
const askedOn: Message = { role: 'user', content: expect.stringContaining('Continue') as unknown as string }

/** The messages after the step; undefined when there was nothing to do. */
const after = (step: Step, messages: readonly Message[], move: Partial<Move> = {}) =>
  step({ params: {}, messages, betas: [] }, { from: newer, to: older, madeBy: () => undefined, ...move })?.outgoing
    .messages

describe('thinking of another model', () => {
  const mine = assistant(thinking, text('mine'))
  const madeBy = (message: Message) => (message === mine ? older.id : undefined)

  test('goes from whole answers, and from those alone', () => {
    const others = [hi, assistant(thinking, text('a')), assistant(thinking, call), go, mine, go]
    const left = [hi, assistant(text('a')), assistant(call), go, mine, go]
    const messages = after(foreignThinking, others, { madeBy })
    expect(messages).toEqual(left)
    expect(messages?.[4]).toBe(mine)
    // An answer of two messages is one, whoever made them.
    const shared = after(foreignThinking, [hi, mine, assistant(thinking, text('a')), go], { madeBy })
    expect(shared).toEqual([hi, assistant(text('mine')), assistant(text('a')), go])
  })

  test('stays where there is none of it, and for a model that leaves it out by itself', () => {
    expect(after(foreignThinking, [hi, mine, go], { madeBy })).toBeUndefined()
    expect(after(foreignThinking, [hi, mine, assistant(text('a')), go], { madeBy })).toBeUndefined()
    expect(after(foreignThinking, [hi, assistant(thinking, text('a')), go], { to: newer })).toBeUndefined()
  })

  test('takes along what the server would go on with, and the model is asked to go on', () => {
    const cut = (...messages: Message[]) => after(foreignThinking, [hi, ...messages])
    expect(cut(assistant(thinking, text('so'), search))).toEqual([hi, assistant(text('so')), askedOn])
    expect(cut(assistant(thinking, text('so'), search, found))).toEqual([
      hi,
      assistant(text('so'), search, found),
      askedOn,
    ])
    expect(cut(assistant(thinking, text('so')), assistant(search))).toEqual([hi, assistant(text('so')), askedOn])
    // Results of calls are still to come.
    expect(cut(assistant(thinking, search, call))).toEqual([hi, assistant(search, call)])
    // Another answer than the last one is over.
    expect(cut(assistant(thinking, text('so'), search), go, assistant(text('ok')))).toEqual([
      hi,
      assistant(text('so'), search),
      go,
      assistant(text('ok')),
    ])
  })
})

test('an effort that messages set goes with the messages that set nothing else', () => {
  const output_config = { effort: 'low' }
  const messages = [hi, { role: 'system', content: [], output_config }, { ...go, output_config }]
  expect(after(messageEffort, messages)).toEqual([hi, go])
  expect(after(messageEffort, messages, { to: newer })).toBeUndefined()
  expect(after(messageEffort, [hi, go])).toBeUndefined()
})

test('of a system message the text becomes a note, with its cache marker', () => {
  const marked = { ...text('night'), cache_control: { type: 'ephemeral' } }
  const system = (...content: Block[]): Message => ({ role: 'system', content })
  expect(
    after(systemNotes, [hi, system({ type: 'tool_addition' }, marked), system({ type: 'tool_addition' })]),
  ).toEqual([hi, user([{ ...marked, text: '<system-note>\nnight\n</system-note>' }])])
  expect(after(systemNotes, [hi])).toBeUndefined()
  expect(after(systemNotes, [hi, system(marked)], { to: newer })).toBeUndefined()
})

describe('an unfinished answer at the end', () => {
  const asked = (...last: Message[]) => after(prefill, [hi, ...last], { from: older, to: newer })

  test('is quoted to a model that cannot continue it', () => {
    expect(asked(assistant(text('so')))).toEqual([hi, assistant(text('so')), askedOn])
    expect(askedToGoOn({ params: {}, messages: [hi, assistant()], betas: [] })?.outgoing.messages).toEqual([hi])
    expect(after(prefill, [hi, assistant(text('so'))], { from: newer, to: older })).toBeUndefined()
    expect([asked(), after(prefill, [], { to: newer })]).toEqual([undefined, undefined])
  })

  test('stays last while results are missing, or the server goes on', () => {
    for (const last of [assistant(text('so'), search), assistant(search, found), assistant(call, text('so'))]) {
      expect(asked(last)).toBeUndefined()
    }
    expect(asked(assistant(search, found, text('so')))).toHaveLength(3)
    const wasPaused = ({ role }: Message) => role === 'assistant'
    expect(after(prefill, [hi, assistant(text('so'))], { to: newer, wasPaused })).toBeUndefined()
  })
})

test('an answer begins with thinking where its first message does; only an open one has to', () => {
  expect(beginsWithThinking([hi])).toBe(true)
  expect(beginsWithThinking([hi, assistant(thinking, text('a')), assistant(text('b'))])).toBe(true)
  expect(beginsWithThinking([hi, assistant(text('a')), assistant(thinking, text('b'))])).toBe(false)
  expect(beginsWithThinking([hi, assistant(text('a'), call), user([{ type: 'tool_result', tool_use_id: 'a' }])])).toBe(
    false,
  )
  expect(beginsWithThinking([hi, assistant(text('a')), go])).toBe(true)
  expect(beginsWithThinking([hi, assistant()])).toBe(false)
  expect(endsWithThinking([hi, assistant(thinking, text('a'))])).toBe(true)
  expect(endsWithThinking([hi, assistant(thinking, text('a')), go])).toBe(false)
  expect(endsWithThinking([hi, assistant(text('a'))])).toBe(false)
  expect(endsWithThinking([])).toBe(false)
})
