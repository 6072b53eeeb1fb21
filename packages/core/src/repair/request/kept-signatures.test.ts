import { expect, test } from 'vitest'
import { bindingBeta, keepingSignatures } from './kept-signatures.ts'
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

test('it is done once', () => {
  const { kept } = keep(0)
  expect(keepingSignatures(before, kept, strictCard)).toBe(kept)
})
