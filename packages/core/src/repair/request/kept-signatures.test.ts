import { expect, test } from 'vitest'
import { bindingBeta, droppingBlocks, keepingSignatures, withoutBinding } from './kept-signatures.ts'
import {
  assistant,
  call,
  dropping,
  olderCard,
  requestOf,
  result,
  strictCard,
  text,
  thought,
  user,
} from './request-case.fixture.ts'

const messages = [user(text('a')), assistant(thought(), call()), user(result('b'))]
const before = requestOf({ messages })
const edited = (at: number) => ({ ...before, messages: messages.with(at, { ...messages[at]! }) })
const keep = (at: number, params = {}, card = strictCard) => {
  const outgoing = { ...edited(at), params: { ...before.params, ...params } }
  return { outgoing, kept: keepingSignatures(before, { outgoing, repairs: [] }, card) }
}

test('an edit before thinking asks the API to leave out what does not fit', () => {
  const { kept } = keep(0)
  expect(kept.outgoing).toMatchObject({ params: { thinking: dropping }, betas: [bindingBeta] })
  expect(kept.repairs).toMatchObject([{ rule: 'drop-block' }])
})

test('an edit behind all thinking needs nothing', () => {
  const { outgoing, kept } = keep(2)
  expect(kept).toEqual({ outgoing, repairs: [] })
  expect(kept.outgoing).toBe(outgoing)
})

test('nor does any edit where thinking is not bound to its place', () => {
  const { outgoing, kept } = keep(0, {}, olderCard)
  expect(kept.outgoing).toBe(outgoing)
})

test('where the setting cannot be made, all thinking is left out', () => {
  const { kept } = keep(0, { thinking: { type: 'between_tools' } })
  expect(kept.repairs).toMatchObject([{ rule: 'strip-thinking' }])
  expect(JSON.stringify(kept.outgoing.messages)).not.toContain('"thinking"')
})

test('and the edit stays listed before it', () => {
  const note = { rule: 'results', row: 1, what: 'x' }
  const of = (thinking: object) => {
    const outgoing = { ...edited(0), params: { ...before.params, thinking } }
    return keepingSignatures(before, { outgoing, repairs: [note] }, strictCard).repairs.map(({ rule }) => rule)
  }
  expect(of({ type: 'adaptive' })).toEqual(['results', 'drop-block'])
  expect(of({ type: 'between_tools' })).toEqual(['results', 'strip-thinking'])
})

test('the setting is added to those of thinking that are there, and its beta to the others', () => {
  const asked = (thinking: unknown, betas: string[] = [], card = strictCard) =>
    droppingBlocks(requestOf({ params: { ...before.params, thinking }, betas }), card)
  const binding = { prefix_mismatch_behavior: 'drop_block' }
  const enabled = { type: 'enabled', budget_tokens: 2_000 }
  expect(asked({ ...enabled, block_binding: { other: 1 } }, ['b'])).toMatchObject({
    params: { thinking: { ...enabled, block_binding: { other: 1, ...binding } } },
    betas: ['b', bindingBeta],
  })
  // One without the other says nothing.
  expect(asked(enabled, [bindingBeta])?.betas).toEqual([bindingBeta])
  expect(asked({ ...enabled, block_binding: binding })?.betas).toEqual([bindingBeta])
  expect(asked({ ...enabled, block_binding: binding }, [bindingBeta])).toBeUndefined()
  expect(asked(undefined)?.params['thinking']).toEqual({ type: 'adaptive', block_binding: binding })
  expect(asked(undefined, [], { ...strictCard, thinksByDefault: false })).toBeUndefined()
  expect(asked(undefined, [], { ...strictCard, thinking: ['enabled'] })).toBeUndefined()
  expect(asked({ type: 'adaptive' }, [], { ...strictCard, thinksByDefault: false })).toBeDefined()
})

test('a request that loses the beta loses the setting', () => {
  expect(withoutBinding({ thinking: dropping, max_tokens: 1 })).toEqual({
    thinking: { type: 'adaptive' },
    max_tokens: 1,
  })
  for (const params of [{}, { thinking: { type: 'adaptive' } }]) expect(withoutBinding(params)).toBe(params)
})

test('it is done once', () => {
  const { kept } = keep(0)
  expect(keepingSignatures(before, kept, strictCard)).toBe(kept)
})
