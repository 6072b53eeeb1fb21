import { describe, expect, test } from 'vitest'
import type { Message } from '../journal/journal.ts'
import { cardOf } from './built-in-cards.ts'
import type { ModelCard } from './model-card.ts'
import { effort, thinking, withoutClearing } from './thinking-steps.ts'

const base: ModelCard = {
  ...cardOf('claude-opus-5-5'),
  thinking: ['adaptive', 'enabled', 'disabled', 'between_tools'],
  thinksByDefault: false,
  preservedThinking: true,
}
const from: ModelCard = { ...base, id: 'claude-from' }
const thinksByDefault: ModelCard = { ...from, thinksByDefault: true }
const hi: Message = { role: 'user', content: 'hi' }
const thought: Message = { role: 'assistant', content: [{ type: 'thinking', thinking: 'x', signature: 's' }] }
const said: Message = { role: 'assistant', content: [{ type: 'text', text: 'ok' }] }

/** The params for a model with this card, without `max_tokens`. */
function translated(step: typeof thinking, asked: object, to: Partial<ModelCard>, messages = [hi], first = from) {
  const outgoing = { params: { max_tokens: 8_000, ...asked }, messages, betas: [] }
  const card = { ...base, id: 'claude-to', ...to }
  const changed = step(outgoing, { from: first, to: card, madeBy: () => undefined })
  const { max_tokens: _most, ...params } = (changed?.outgoing ?? outgoing).params as Record<string, unknown>
  return params
}

describe('thinking for another model', () => {
  const of = (asked: object | undefined, to: Partial<ModelCard>, more: object = {}, messages?: Message[]) =>
    translated(thinking, { ...(asked && { thinking: asked }), ...more }, to, messages)['thinking']
  const enabled = { type: 'enabled', budget_tokens: 2_000, display: 'omitted' }

  test('keeps what the model takes, with all that is said beside it', () => {
    for (const asked of [enabled, { type: 'adaptive', display: 'omitted' }, { type: 'between_tools', display: 'x' }]) {
      expect(of(asked, {})).toEqual(asked)
    }
    expect(of({ type: 'adaptive', display: 'omitted' }, { thinking: ['enabled'] })).toEqual({
      type: 'enabled',
      budget_tokens: 4_000,
    })
    expect(of(enabled, { thinking: ['adaptive'] })).toEqual({ type: 'adaptive', display: 'omitted' })
    expect(of(enabled, { thinking: [] })).toBeUndefined()
    const bound = { ...enabled, block_binding: { prefix_mismatch_behavior: 'drop_block' } }
    expect(of(bound, {})).toEqual(bound)
    expect(of(bound, { preservedThinking: false })).toEqual(enabled)
  })

  test('has a budget that leaves half of max_tokens, within what the model takes', () => {
    const budget = (most: number, asked: number) =>
      of({ ...enabled, budget_tokens: asked }, {}, { max_tokens: most }) as Record<string, unknown> | undefined
    expect(budget(8_000, 7_999)).toMatchObject({ budget_tokens: 7_999 })
    expect(budget(8_000, 8_000)).toEqual({ ...enabled, budget_tokens: 4_000 })
    expect(budget(100_000, 100_000)).toMatchObject({ budget_tokens: 32_000 })
    expect(budget(1_025, 2_000)).toMatchObject({ budget_tokens: 1_024 })
    expect(budget(1_024, 2_000)).toBeUndefined()
  })

  test('is off in the way that it was off, where the model has it', () => {
    const off = { type: 'disabled', display: 'x' }
    expect(of(off, {})).toEqual(off)
    expect(of(off, { thinking: ['between_tools'] })).toEqual({ type: 'between_tools' })
    expect(of({ type: 'between_tools' }, { thinking: ['adaptive', 'disabled'] })).toEqual({ type: 'disabled' })
    expect(of(off, { thinking: ['adaptive'] })).toBeUndefined()
    for (const level of ['xhigh', 'max']) {
      expect(of(off, {}, { output_config: { effort: level } })).toBeUndefined()
      expect(of(off, { defaultEffort: level })).toBeUndefined()
      expect(of(off, { defaultEffort: level }, { output_config: { effort: 'high' } })).toEqual(off)
    }
  })

  test('says what the first model did by default where the other does otherwise, but not beside a forced tool', () => {
    expect(of(undefined, { thinksByDefault: true })).toEqual({ type: 'disabled' })
    expect(of(undefined, {})).toBeUndefined()
    const byDefault = (to: Partial<ModelCard>, more = {}) =>
      translated(thinking, more, to, [hi], thinksByDefault)['thinking']
    expect(byDefault({})).toEqual({ type: 'adaptive' })
    expect(byDefault({ thinksByDefault: true })).toBeUndefined()
    const beside = (type: string) => byDefault({}, { tool_choice: { type } })
    expect(['any', 'tool', 'auto'].map(beside)).toEqual([undefined, undefined, { type: 'adaptive' }])
  })

  test('fits the last answer', () => {
    expect(of(enabled, {}, {}, [hi, said])).toEqual({ type: 'adaptive', display: 'omitted' })
    expect(of(enabled, { thinking: ['enabled'] }, {}, [hi, said])).toBeUndefined()
    expect(of(enabled, {}, {}, [hi, thought])).toEqual(enabled)
    expect(of({ type: 'disabled' }, {}, {}, [hi, thought])).toBeUndefined()
    expect(of({ type: 'disabled' }, {}, {}, [hi, said])).toEqual({ type: 'disabled' })
    expect(of(undefined, {}, {}, [hi, said])).toBeUndefined()
  })

  test('is cleared by the server as long as it is on', () => {
    const clearing = { context_management: { edits: [{ type: 'clear_thinking_20251015' }] } }
    const on = { type: 'adaptive' }
    expect(translated(thinking, { thinking: on, ...clearing }, { thinking: ['enabled'] })).toMatchObject(clearing)
    expect(translated(thinking, { thinking: on, ...clearing }, { thinking: [] })).toEqual({})
  })
})

test('only what clears thinking goes', () => {
  const [thoughts, uses] = [{ type: 'clear_thinking_20251015' }, { type: 'clear_tool_uses_20250919' }]
  const after = (...edits: unknown[]) => withoutClearing({ context_management: { edits, x: 1 }, max_tokens: 1 })
  expect(after(thoughts, uses, 'odd')).toEqual({ context_management: { edits: [uses, 'odd'], x: 1 }, max_tokens: 1 })
  expect(after(thoughts)).toEqual({ max_tokens: 1 })
  for (const management of [{ edits: [uses] }, { edits: [] }, {}, null]) {
    const params = { context_management: management }
    expect(withoutClearing(params)).toBe(params)
  }
})

test('effort is the nearest that the model has, the lower of two; an unknown one is kept only where it is taken', () => {
  const of = (level: string, ...efforts: string[]) =>
    translated(effort, { output_config: { effort: level, format: 1 } }, { efforts })['output_config']
  expect(of('high', 'medium', 'xhigh')).toEqual({ effort: 'medium', format: 1 })
  expect(of('max', 'low', 'high')).toEqual({ effort: 'high', format: 1 })
  expect(of('turbo', 'low', 'turbo')).toEqual({ effort: 'turbo', format: 1 })
  expect(of('turbo', 'low')).toEqual({ format: 1 })
  expect(of('low')).toEqual({ format: 1 })
})
