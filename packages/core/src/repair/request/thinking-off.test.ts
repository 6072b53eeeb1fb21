import { expect, test } from 'vitest'
import type { ModelCard } from '../../ladder/model-card.ts'
import { olderCard, strictCard } from './request-case.fixture.ts'
import { thinkingTurnedOff } from './thinking-off.ts'

const [adaptive, enabled, disabled] = [
  { type: 'adaptive' },
  { type: 'enabled', budget_tokens: 2_000 },
  { type: 'disabled' },
]
const clearing = { context_management: { edits: [{ type: 'clear_thinking_20251015' }] } }
const byDefault: ModelCard = { ...olderCard, thinksByDefault: true }
const always: ModelCard = { ...strictCard, thinking: ['adaptive', 'enabled'] }

test.each<[claim: string, asked: object | undefined, card: ModelCard, off: object | undefined]>([
  ['off where the model can be told so', enabled, olderCard, { thinking: disabled }],
  ['off where the model thinks by default', undefined, byDefault, { thinking: disabled }],
  ['off already', disabled, byDefault, undefined],
  ['off by default', undefined, olderCard, undefined],
  ['never off', adaptive, always, undefined],
  ['never off, by default', undefined, always, undefined],
])('thinking is %s', (_claim, asked, card, off) => {
  const params = { max_tokens: 4_000, ...(asked && { thinking: asked }), ...clearing }
  expect(thinkingTurnedOff(params, card)).toEqual(off && { max_tokens: 4_000, ...off })
})

test('a model that always thinks is no longer told how, and goes on clearing', () => {
  const params = { max_tokens: 4_000, thinking: enabled, ...clearing }
  expect(thinkingTurnedOff(params, always)).toEqual({ max_tokens: 4_000, ...clearing })
  expect(thinkingTurnedOff(params, { ...always, thinksByDefault: false })).toEqual({ max_tokens: 4_000 })
})
