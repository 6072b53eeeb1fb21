import { describe, expect, test } from 'vitest'
import { cardOf } from '../../ladder/built-in-cards.ts'
import type { Block, Message } from '../../journal/journal.ts'
import { assistant, call, result, text, transcriptCases, user, type TranscriptCase } from './cases.fixture.ts'
import type { Outgoing, RepairContext } from '../outgoing.ts'
import { localRules, repairOutgoing, transcriptRules } from './repair-transcript.ts'

function requestOf({ model = 'claude-opus-5-5', params = {}, messages, stopReason }: TranscriptCase) {
  const outgoing: Outgoing = { params: { model, ...params }, messages, betas: [] }
  const context: RepairContext = { card: cardOf(model), ...(stopReason !== undefined && { stopReason }) }
  return { outgoing, context }
}

const mendedFrom = (messages: readonly Message[], context: Partial<RepairContext> = {}) =>
  repairOutgoing({ params: {}, messages, betas: [] }, { card: cardOf('claude-opus-5-5'), ...context })

describe('each rule', () => {
  test.each(transcriptCases)('row $row, $rule: $claim', (one) => {
    const { outgoing, context } = requestOf(one)
    const { outgoing: mended, repairs } = repairOutgoing(outgoing, context)
    expect(mended.messages).toEqual(one.repaired)
    expect(repairs.map(({ rule }) => rule)).toContain(one.rule)
    if (one.repairedParams) expect(mended.params).toMatchObject(one.repairedParams)
  })

  test.each(transcriptCases)('row $row, $rule: what is mended needs nothing more', (one) => {
    const { outgoing, context } = requestOf(one)
    const { outgoing: mended } = repairOutgoing(outgoing, context)
    expect(repairOutgoing(mended, context)).toEqual({ outgoing: mended, repairs: [] })
    expect(repairOutgoing(mended, context).outgoing).toBe(mended)
  })

  test('has a case, and a name of its own', () => {
    const covered = new Set(transcriptCases.map(({ rule }) => rule))
    expect(transcriptRules.map(({ name }) => name).filter((name) => !covered.has(name))).toEqual(['merged-answers'])
    expect(new Set(localRules.map(({ name }) => name)).size).toBe(localRules.length)
  })
})

test('two answers with thinking are separated, unless the first was paused', () => {
  const thinks = (said: string) => ({ type: 'thinking', thinking: said, signature: 's' })
  const [hi, end] = [
    { role: 'user', content: 'hi' },
    { role: 'user', content: 'go' },
  ]
  const first = { role: 'assistant', content: [thinks('a'), { type: 'text', text: 'one' }] }
  const second = { role: 'assistant', content: [thinks('b'), { type: 'text', text: 'two' }] }
  const { messages } = mendedFrom([hi, first, second, end]).outgoing
  expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user', 'assistant', 'user'])
})

test('an answer with the mark of another model is parted from one with thinking, which the API would take for its own', () => {
  const first = { role: 'assistant', content: [{ type: 'thinking', thinking: 'a', signature: 's' }, text('one')] }
  const second = { role: 'assistant', content: [text('two'), { type: 'fallback' }, text('three')] }
  const { messages } = mendedFrom([
    { role: 'user', content: 'hi' },
    first,
    second,
    { role: 'user', content: 'go' },
  ]).outgoing
  expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user', 'assistant', 'user'])
})

test('an edit before thinking that is signed against it asks the API to leave out what no longer fits', () => {
  const thinking = { type: 'thinking', thinking: 'x', signature: 's' }
  const outgoing: Outgoing = {
    params: { model: 'claude-opus-5-5' },
    messages: [
      { role: 'user', content: 'half \ud83d' },
      { role: 'assistant', content: [thinking, { type: 'text', text: 'ok' }] },
      { role: 'user', content: 'go' },
    ],
    betas: [],
  }
  const { outgoing: mended, repairs } = repairOutgoing(outgoing, { card: cardOf('claude-opus-5-5') })
  expect(repairs.map(({ rule }) => rule)).toEqual(['unicode', 'drop-block'])
  expect(mended.params['thinking']).toMatchObject({ block_binding: { prefix_mismatch_behavior: 'drop_block' } })
})

const code: Block = { type: 'server_tool_use', id: 'srv', name: 'code_execution', input: {} }
const byCode = (id: string): Block => ({ ...call(id), caller: { type: 'code_execution_20250825', tool_id: 'srv' } })

const setsEffort: Message = { role: 'system', content: [], output_config: { effort: 'low' } }

describe('what the API takes is not touched', () => {
  const go = user('go')
  test.each<{ claim: string; messages: Message[]; params?: Record<string, unknown>; stopReason?: string }>([
    {
      claim: 'system messages without content that set the effort, wherever they stand',
      messages: [go, setsEffort, assistant(text('ok')), setsEffort, go],
    },
    {
      claim: 'parallel calls that a client keeps in messages of their own',
      messages: [go, assistant(call('a')), assistant(text('and'), call('b')), user([result('b'), result('a')])],
    },
    {
      claim: 'code of the server that calls tools in several rounds',
      params: { tools: [{ type: 'code_execution_20250825', name: 'code_execution' }] },
      messages: [
        go,
        assistant(code, byCode('a')),
        user([result('a')]),
        assistant(byCode('b')),
        user([result('b')]),
        assistant({ type: 'code_execution_tool_result', tool_use_id: 'srv', content: {} }, text('ok')),
        go,
      ],
    },
    {
      claim: 'an answer that ends with a compaction',
      stopReason: 'compaction',
      messages: [go, assistant({ type: 'compaction', content: 'so far', encrypted_content: 'x' })],
    },
    {
      claim: 'mentions of tools that no list has: those of an MCP server',
      params: { tools: [{ type: 'mcp_toolset', mcp_server_name: 'gh' }] },
      messages: [
        go,
        assistant(call('a')),
        user([{ ...result('a'), content: [{ type: 'tool_reference', tool_name: 'gh_list' }] }]),
      ],
    },
  ])('$claim', ({ messages, params = {}, stopReason }) => {
    const outgoing: Outgoing = { params: { model: 'claude-opus-5-5', ...params }, messages, betas: [] }
    const context: RepairContext = { card: cardOf('claude-opus-5-5'), ...(stopReason !== undefined && { stopReason }) }
    expect(repairOutgoing(outgoing, context)).toEqual({ outgoing, repairs: [] })
  })
})

test('an answer is restored from its own place in the record, though a message before it is gone', () => {
  const thinking = { type: 'thinking', thinking: 'why', signature: 's' }
  const sent = [
    user('go'),
    assistant(text('')),
    user('again'),
    assistant({ ...thinking, signature: '' }, text('ok')),
    user('so'),
  ]
  const recorded = sent.with(3, assistant(thinking, text('ok')))
  const { outgoing, repairs } = mendedFrom(sent, { recorded })
  const { messages } = outgoing
  expect(messages[2]).toBe(recorded[3])
  expect(repairs.map(({ rule, message }) => [rule, message])).toContainEqual(['signed-thinking', 3])
})

test('a repair names the place in the list that came in, whatever was put in or left out before it', () => {
  const image: Block = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: '' } }
  const sent = [
    assistant(text('ok')),
    user([text('go'), image]),
    assistant(text('')),
    assistant(call('a')),
    assistant(text('so'), call('b')),
    user([result('b'), image]),
    assistant(text('on')),
    user([image]),
  ]
  const { repairs, outgoing } = mendedFrom(sent)
  const placesOf = (name: string) => repairs.flatMap(({ rule, message }) => (rule === name ? [message] : []))
  expect(outgoing.messages).toHaveLength(sent.length)
  expect(placesOf('first-user')).toEqual([0])
  expect(placesOf('empty-text')).toEqual([2])
  expect(placesOf('results')).toEqual([5])
  expect(placesOf('images')).toEqual([1, 5, 7])
})

test('without its own place in the record, an answer loses its thinking and nothing else', () => {
  const cut = assistant({ type: 'thinking', thinking: 'wh', signature: '' }, text('ok'))
  const sent = [user('go'), assistant(text('')), user('again'), cut, user('so')]
  const { messages } = mendedFrom(sent, { recorded: sent }).outgoing
  expect(messages[2]).toEqual(assistant(text('ok')))
})

test('nothing to send is told, not mended', () => {
  expect(mendedFrom([])).toMatchObject({
    repairs: [],
    unrepairable: { rule: 'first-user', soundMessages: 0, message: 0, what: 'there is no message' },
  })
})

test('thinking that is null counts as left out', () => {
  const thinking = { type: 'thinking', thinking: 'x', signature: 's' }
  for (const model of ['claude-opus-5-5', 'claude-sonnet-4-5']) {
    const mended = (params: object) =>
      repairOutgoing(
        { params: { model, ...params }, messages: [user([text('hi')]), assistant(thinking, text('so'))], betas: [] },
        { card: cardOf(model) },
      ).outgoing.messages
    expect(mended({ thinking: null })).toEqual(mended({}))
  }
})
