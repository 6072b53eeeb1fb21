import { describe, expect, test } from 'vitest'
import {
  lastToolResult,
  reply,
  story,
  StoryError,
  text,
  toolResults,
  toolUse,
  userTurns,
  type Conversation,
  type Message,
} from './index.ts'

const conversation = (...messages: readonly Message[]): Conversation => ({
  model: 'm',
  system: [],
  tools: [],
  messages,
  request: {},
})
const said: Message = { role: 'user', content: [text('Fix it.')] }
const called: Message = { role: 'assistant', content: [toolUse('read', { path: 'a' }, 't1')] }
const answered: Message = {
  role: 'user',
  content: [{ type: 'tool_result', tool_use_id: 't1', content: [text('no such '), text('file')], is_error: true }],
}

describe('a reply', () => {
  test('stops for tools if it calls one, else at its end, or as it is told', () => {
    expect(
      [reply(toolUse('a')), reply([text('a')]), reply([], { stopReason: 'refusal' })].map(
        ({ stopReason }) => stopReason,
      ),
    ).toEqual(['tool_use', 'end_turn', 'refusal'])
  })
})

describe('a conversation', () => {
  test('tells its tool results with the calls they answer, and the user turns without them', () => {
    const all = conversation(said, called, answered)
    expect(toolResults(all)).toEqual([
      { id: 't1', name: 'read', input: { path: 'a' }, text: 'no such file', isError: true },
    ])
    expect(lastToolResult(all)).toEqual(toolResults(all)[0])
    expect(lastToolResult(conversation(said))).toBeUndefined()
    expect(userTurns(all)).toEqual(['Fix it.'])
  })
})

describe('a story', () => {
  const tell = story([
    reply(toolUse('read')),
    { expect: { toolResult: /file$/, messages: 3 }, reply: ({ messages }) => reply(text(`${messages.length}`)) },
  ])

  test('goes on where the transcript is', () => {
    expect(tell(conversation(said))).toEqual(reply(toolUse('read')))
    expect(tell(conversation(said, called, answered))).toEqual(reply(text('3')))
  })

  test('throws when the transcript is not what the step expects', () => {
    const other: Message = { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't1', content: 'ok' }] }
    expect(() => tell(conversation(said, called, other))).toThrow(
      new StoryError('story: step 1 expects toolResult /file$/, but found "ok"'),
    )
    expect(() => tell(conversation(said, called, answered, called))).toThrow(
      'story: it has 2 steps, but the transcript already has 2 assistant messages',
    )
  })
})
