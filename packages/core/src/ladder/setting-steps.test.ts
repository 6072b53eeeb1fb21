import { expect, test } from 'vitest'
import { cardOf } from './built-in-cards.ts'
import type { ModelCard } from './model-card.ts'
import { betas, maxTokens, ownOptions, sampling, toolChoice, tools } from './setting-steps.ts'
import { type Step, within } from './step.ts'

const card = cardOf('claude-sonnet-4-5')

function after(step: Step, params: object, to: Partial<ModelCard> = {}, given: readonly string[] = []) {
  const outgoing = { params: { ...params }, messages: [], betas: given }
  return step(outgoing, within({ ...card, ...to }))?.outgoing
}

test('tools that the model lacks go, by their type with or without a date, and with the last the choice of one', () => {
  const [custom, computer, bash] = [
    { name: 'read' },
    { type: 'computer_20251124', name: 'computer' },
    { type: 'bash_20250124', name: 'bash' },
  ]
  const choice = { tool_choice: { type: 'auto' } }
  const left = (...unsupportedTools: string[]) =>
    after(tools, { tools: [custom, computer, bash], ...choice }, { unsupportedTools })?.params
  expect(left('computer')).toEqual({ tools: [custom, bash], ...choice })
  expect(left('computer_20251124')).toEqual({ tools: [custom, bash], ...choice })
  expect(left('computer_20240101', 'comp')).toBeUndefined()
  expect(left('custom')).toEqual({ tools: [computer, bash], ...choice })
  expect(left('custom', 'computer', 'bash')).toEqual({})
})

test('a tool is forced only where the model can be forced, and the tool is there', () => {
  const left = (choice: object, forcedToolChoice = true) =>
    after(toolChoice, { tools: [{ name: 'a' }, { name: 'b' }], tool_choice: choice }, { forcedToolChoice })?.params[
      'tool_choice'
    ]
  const auto = { type: 'auto', disable_parallel_tool_use: true }
  expect(left({ ...auto, type: 'tool', name: 'b' })).toBeUndefined()
  expect(left({ ...auto, type: 'tool', name: 'gone' })).toEqual(auto)
  expect(left({ ...auto, type: 'tool', name: 'b' }, false)).toEqual(auto)
  expect(left({ ...auto, type: 'any' })).toBeUndefined()
  expect(left({ ...auto, type: 'any' }, false)).toEqual(auto)
  expect([left(auto, false), left({ type: 'none' }, false)]).toEqual([undefined, undefined])
})

test('what belongs to one model stays with it', () => {
  const params = { speed: 'fast', fallbacks: [], fallback_credit_token: 't', temperature: 1, top_p: 1, top_k: 1 }
  expect(Object.keys(after(ownOptions, params)?.params ?? {})).toEqual(['temperature', 'top_p', 'top_k'])
  expect(after(sampling, params, { sampling: true })).toBeUndefined()
  expect(Object.keys(after(sampling, params, { sampling: false })?.params ?? {})).toEqual(
    Object.keys(params).slice(0, 3),
  )
  const [binding, other] = ['thinking-binding-controls-2026-08-01', 'not-context-1m-2025-08-07']
  const own = ['context-1m', 'output-128k', 'fast-mode', 'server-side-fallback', 'fallback-credit']
  const given = [...own.map((name) => `${name}-2025-08-07`), binding, other]
  expect(after(betas, {}, { preservedThinking: true }, given)?.betas).toEqual([binding, other])
  expect(after(betas, {}, { preservedThinking: false }, given)?.betas).toEqual([other])
  expect(after(betas, {}, { preservedThinking: false }, [other])).toBeUndefined()
})

test('max_tokens is at most what the model gives', () => {
  const most = (asked?: number) => after(maxTokens, { max_tokens: asked }, { maxOutputTokens: 64_000 })?.params
  expect([most(), most(64_000), most(64_001)]).toEqual([undefined, undefined, { max_tokens: 64_000 }])
})
