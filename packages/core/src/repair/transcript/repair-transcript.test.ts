import { describe, expect, test } from 'vitest'
import { cardOf } from '../../ladder/built-in-cards.ts'
import { transcriptCases, type TranscriptCase } from './cases.fixture.ts'
import type { Outgoing, RepairContext } from '../outgoing.ts'
import { localRules, repairOutgoing, repairTranscript, transcriptRules } from './repair-transcript.ts'

function requestOf({ model = 'claude-opus-5-5', params = {}, messages, stopReason }: TranscriptCase) {
  const outgoing: Outgoing = { params: { model, ...params }, messages, betas: [] }
  const context: RepairContext = { card: cardOf(model), ...(stopReason !== undefined && { stopReason }) }
  return { outgoing, context }
}

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

test('two answers with thinking are parted, unless the first was paused', () => {
  const thinks = (said: string) => ({ type: 'thinking', thinking: said, signature: 's' })
  const [hi, end] = [
    { role: 'user', content: 'hi' },
    { role: 'user', content: 'go' },
  ]
  const first = { role: 'assistant', content: [thinks('a'), { type: 'text', text: 'one' }] }
  const second = { role: 'assistant', content: [thinks('b'), { type: 'text', text: 'two' }] }
  const { messages } = repairTranscript([hi, first, second, end])
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

test('nothing to send is told, not mended', () => {
  expect(repairTranscript([])).toEqual({
    messages: [],
    repairs: [],
    unrepairable: { rule: 'first-user', soundMessages: 0, message: 0, what: 'there is no message' },
  })
})
