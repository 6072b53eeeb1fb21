import { expect, test } from 'vitest'
import { cardOf } from '../../ladder/built-in-cards.ts'
import type { Block, Message } from '../../journal/journal.ts'
import { assistant, call, result, text, user } from './cases.fixture.ts'
import { mendedBy } from './mended.fixture.ts'
import { signedThinking, thinkingFirst } from './thinking.ts'

const [hi, go] = [user('hi'), user('go')]
const whole: Block = { type: 'thinking', thinking: 'x', signature: 's' }
const hidden: Block = { type: 'redacted_thinking', data: 'd' }
const cut: Block = { type: 'thinking', thinking: 'x', signature: '' }

test('thinking that is hidden is signed by its data', () => {
  expect(mendedBy(signedThinking, [hi, assistant(hidden, whole, text('ok')), go])).toMatchObject({ isSame: true })
  const broken = [hi, assistant(whole, text('a')), go, assistant({ ...hidden, data: '' }, text('b')), go]
  const mended = mendedBy(signedThinking, broken)
  expect(mended.messages).toEqual([hi, assistant(text('a')), go, assistant(text('b')), go])
  expect(mended.places).toEqual([3])
})

test('answers are restored from the record all or none', () => {
  const broken = [hi, assistant(cut, text('a')), go, assistant(cut, text('b')), go]
  const whose = (known: Readonly<Record<number, Message>>) =>
    mendedBy(signedThinking, broken, {}, { recorded: broken.map((message, at) => known[at] ?? message) })
  const [first, second] = [assistant(whole, text('a')), assistant(whole, text('b'))]
  expect(whose({ 1: first, 3: second })).toMatchObject({ messages: [hi, first, go, second, go], places: [1, 3] })
  const bare = [hi, assistant(text('a')), go, assistant(text('b')), go]
  for (const known of [{ 1: first }, { 3: second }, { 1: first, 3: assistant(cut) }, { 1: first, 3: user('no') }]) {
    expect(whose(known).messages).toEqual(bare)
  }
})

test('thinking is off only where it was to be on and the open turn does not begin with it', () => {
  const params = { max_tokens: 4_000, thinking: { type: 'enabled', budget_tokens: 2_000 } }
  const turn = (...content: Block[]) => [hi, assistant(...content), user([result('a')])]
  const context = { card: cardOf('claude-sonnet-4-5') }
  expect(mendedBy(thinkingFirst, turn(call('a')), params, context).params['thinking']).toEqual({ type: 'disabled' })
  expect(mendedBy(thinkingFirst, turn(whole, call('a')), params, context)).toMatchObject({ isSame: true })
  for (const thinking of [undefined, { type: 'adaptive' }, { type: 'disabled' }]) {
    expect(mendedBy(thinkingFirst, turn(call('a')), { ...params, thinking }, context)).toMatchObject({ isSame: true })
  }
})
