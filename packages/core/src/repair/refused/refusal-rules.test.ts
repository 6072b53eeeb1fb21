import { describe, expect, test } from 'vitest'
import { meaningOfCode, meaningOfStatus, meaningOfType } from '../../faults/error-codes.ts'
import { errorPatterns } from '../../faults/error-patterns.ts'
import { cardOf } from '../../ladder/built-in-cards.ts'
import type { Block } from '../../journal/journal.ts'
import { refusedCases } from './refused-cases.fixture.ts'
import {
  contextOf,
  dropping,
  olderCard,
  plainRequest,
  requestOf,
  strictCard,
  withThinking,
} from '../request/request-case.fixture.ts'
import { png } from '../request/images.fixture.ts'
import { bindingBeta } from '../request/kept-signatures.ts'
import { applicableRepairs, applyRefusalRule, reachOf, refusalRules } from './refusal-rules.ts'
import { requestRules } from '../request/rules.ts'

test('every rule has a case', () => {
  expect(new Set(refusedCases.map(({ rule }) => rule))).toEqual(new Set(refusalRules.map(({ name }) => name)))
})

test('every repair that a fault can name is a rule', () => {
  const meanings = [...meaningOfCode.values(), ...meaningOfType.values(), ...meaningOfStatus.values(), ...errorPatterns]
  const known = new Set([...refusalRules, ...requestRules].map(({ name }) => name))
  expect(meanings.flatMap(({ repairs = [] }) => repairs).filter((name) => !known.has(name))).toEqual([])
})

describe.each(refusedCases)('$rule: $claim', (each) => {
  const given = requestOf(each.in)
  const context = contextOf(each)
  const repaired = applyRefusalRule(each.rule, given, context)

  test('holds', () => {
    expect(repaired?.outgoing).toEqual({ ...given, ...each.out })
    const [own, ...more] = repaired?.repairs.map(({ rule }) => rule) ?? []
    expect(own).toBe(each.as ?? each.rule)
    // What an edit in the middle needs stands by its own name.
    expect(more).toEqual(each.out.betas?.includes(bindingBeta) && own !== 'drop-block' ? ['drop-block'] : [])
  })

  test('the name of the repair does the same again without the refusal', () => {
    const { fault: _refusal, ...blind } = context
    expect(applyRefusalRule(each.as ?? each.rule, given, blind)?.outgoing).toEqual(repaired?.outgoing)
  })

  test('messages that are not changed stay the same objects', () => {
    const copied = given.messages.filter((message, at) => {
      const now = repaired?.outgoing.messages[at]
      return now !== message && JSON.stringify(now) === JSON.stringify(message)
    })
    expect(copied).toEqual([])
  })

  test('what stands is done once', () => {
    if (each.as === undefined || reachOf(each.as) !== 'model') return
    expect(applyRefusalRule(each.as, repaired!.outgoing, context)).toBeUndefined()
  })
})

const one = { card: strictCard }
test.each(
  refusalRules.map(({ name }) => name).filter((name) => !['nudge', 'raise-max-tokens', 'drop-block'].includes(name)),
)('%s has nothing to do with a plain request', (rule) => {
  expect(applyRefusalRule(rule, plainRequest, one)).toBeUndefined()
})

test.each<[string, string, Parameters<typeof requestOf>[0], Parameters<typeof contextOf>[0]['card']?]>([
  ['an unknown rule', 'sharpen', {}],
  [
    'max_tokens at the limit of the model',
    'raise-max-tokens',
    { params: { ...plainRequest.params, max_tokens: 128_000 } },
  ],
  ['a nudge after a nudge', 'nudge', { messages: [{ role: 'user', content: 'Please continue.' }] }],
  ['another container than the one that was lost', 'drop-container:old', { params: { container: 'new' } }],
  ['thinking that cannot be turned off', 'thinking-off', { params: { thinking: { type: 'adaptive' } } }],
  ['drop-block where thinking is off', 'drop-block', { params: { thinking: { type: 'disabled' } } }],
  ['drop-block on a model without adaptive thinking', 'drop-block', {}, olderCard],
])('does not apply: %s', (_claim, rule, given, card) => {
  expect(applyRefusalRule(rule, requestOf(given), { card: { ...strictCard, ...card } })).toBeUndefined()
})

test.each(['nudge', 'placeholder-last-results'])('%s stays in its place while the conversation grows', (rule) => {
  const result = (id: string) => ({ type: 'tool_result', tool_use_id: id, content: 'x'.repeat(500) })
  const asked = [...withThinking(), { role: 'user', content: [result('a')] }]
  const first = applyRefusalRule(rule, requestOf({ messages: asked }), one)!
  const said = [withThinking()[1]!, { role: 'user', content: [result('b')] }]
  const again = applyRefusalRule(first.repairs[0]!.rule, requestOf({ messages: [...asked, ...said] }), one)!
  expect(again.outgoing.messages).toEqual([...first.outgoing.messages, ...said])
})

test.each([
  ['another call: the results behind it would have none', { type: 'tool_use', id: 'other', name: 'read', input: {} }],
  [
    'the call of a server tool that was left out',
    { type: 'server_tool_use', id: 'srv', name: 'web_search', input: {} },
  ],
  ['a text that was left out', { type: 'text', text: '' }],
])('an answer is not restored with %s', (_claim, block) => {
  const recorded = withThinking().with(1, {
    role: 'assistant',
    content: [...(withThinking()[1]!.content as Block[]), block],
  })
  const sent = requestOf({ messages: withThinking() })
  expect(applyRefusalRule('restore-thinking', sent, { ...one, recorded })).toBeUndefined()
})

const stripped = applyRefusalRule('strip-thinking', requestOf({ messages: withThinking() }), one)!.outgoing
const bound = requestOf({ params: { ...plainRequest.params, thinking: dropping }, betas: [bindingBeta] })
test.each([
  ['strip-thinking', 'restore-thinking:3', stripped],
  ['drop-block', `drop-newest-beta:${bindingBeta}`, bound],
])('what %s did is not undone by %s', (tried, repair, request) => {
  const fault = { kind: 'transcript-invalid' as const, repairs: [repair.split(':')[0] ?? ''] }
  const context = { ...one, fault, recorded: withThinking() }
  expect(applicableRepairs(request, context)).toEqual([repair])
  expect(applicableRepairs(request, context, [tried])).toEqual([])
})

test('P6: thinking that is refused as it was recorded, too, is left out; a length that is too much, shortened', () => {
  const fault = { kind: 'transcript-invalid' as const, repairs: ['restore-thinking', 'strip-thinking'] }
  const context = { ...one, fault, recorded: withThinking() }
  const restored = requestOf({ messages: withThinking() })
  expect(applicableRepairs(restored, context, ['restore-thinking:3'])).toEqual(['strip-thinking'])

  const raised = requestOf({ params: { ...plainRequest.params, max_tokens: 128_000 } })
  const tooLong = {
    kind: 'params-incompatible' as const,
    message: 'max_tokens: 128000 > 64000, which is the maximum allowed number of output tokens for x',
    repairs: ['clamp-max-tokens'],
  }
  const clamped = applicableRepairs(raised, { ...one, fault: tooLong }, ['raise-max-tokens:128000'])
  expect(clamped).toEqual(['clamp-max-tokens:64000'])
})

test('an answer that was cut is asked for again with as much room as the API has said that there is', () => {
  const fault = { kind: 'output-cut' as const, repairs: ['raise-max-tokens'] }
  const request = requestOf({ params: { ...plainRequest.params, max_tokens: 1_000 } })
  const named = ['clamp-max-tokens:64000']
  expect(applicableRepairs(request, { ...one, fault }, named)).toEqual(['raise-max-tokens:64000'])
  const full = requestOf({ params: { ...plainRequest.params, max_tokens: 64_000 } })
  expect(applicableRepairs(full, { ...one, fault }, named)).toEqual([])
})

test('a paused answer stays the last message', () => {
  const messages = [...plainRequest.messages, { role: 'assistant', content: [{ type: 'text', text: 'Wait.' }] }]
  const request = requestOf({ messages })
  expect(applyRefusalRule('continue-after-prefill', request, { ...one, stopReason: 'pause_turn' })).toBeUndefined()
  expect(applyRefusalRule('continue-after-prefill', request, { ...one, stopReason: 'end_turn' })).toBeDefined()
})

test.each([
  'model',
  'system',
  'tools',
  'messages.1.role',
  'messages.1.content.0.text.type',
  'messages.1.content.0.text',
  'messages.1.content.0.text.text',
  'messages.2.content.0.tool_result.tool_use_id',
])('no refusal takes away what a request cannot be without: %s', (path) => {
  const fault = { kind: 'request-rejected' as const, message: `${path}: Extra inputs are not permitted`, paths: [path] }
  const request = requestOf({ params: { ...plainRequest.params, system: 'Be careful.', tools: [{ name: 'edit' }] } })
  expect(applyRefusalRule('drop-field', request, { ...one, fault })).toBeUndefined()
  expect(applyRefusalRule(`drop-field:${path}`, request, one)).toBeUndefined()
  expect(applyRefusalRule(`drop-params:${path}`, request, one)).toBeUndefined()
})

test.each([
  ['`temperature` may only be set to 1 when thinking is enabled.', 'temperature'],
  ['When thinking is enabled, `temperature` must be 1.', 'temperature'],
  ['thinking: Extra inputs are not permitted', 'thinking'],
])('what a setting is refused beside stays: %s', (message, name) => {
  const management = { edits: [{ type: 'clear_thinking_20251015' }] }
  const params = {
    ...plainRequest.params,
    temperature: 0.5,
    thinking: { type: 'enabled', budget_tokens: 2_000 },
    context_management: management,
  }
  const fault = { kind: 'params-incompatible', message } as const
  // Of a model that does not think by itself.
  const card = cardOf('claude-sonnet-4-5')
  const repaired = applyRefusalRule('drop-params', requestOf({ params }), { ...one, card, fault })
  const { [name]: _dropped, context_management: _clearing, ...left } = params as Record<string, unknown>
  // What clears thinking goes with it.
  const expected = name === 'thinking' ? left : { ...left, context_management: management }
  expect(repaired?.outgoing.params).toEqual(expected)
  expect(repaired?.repairs[0]?.rule).toBe(`drop-params:${name}`)
})

test('where too little room is left for an answer, max_tokens is not the cure', () => {
  const message = 'input length and `max_tokens` exceed context limit: 199500 + 20000 > 200000'
  const fault = { kind: 'context-overflow', message } as const
  const request = requestOf({ params: { ...plainRequest.params, max_tokens: 20_000 } })
  expect(applyRefusalRule('clamp-max-tokens', request, { ...one, fault })).toBeUndefined()
})

test('a rule for every request can be called for by the API', () => {
  const params = { ...plainRequest.params, tools: [{ name: 'a' }, { name: 'a' }] }
  expect(applyRefusalRule('tool-names', requestOf({ params }), one)?.outgoing.params['tools']).toEqual([{ name: 'a' }])
})

test('images go by halves until none is left', () => {
  let request = requestOf({ messages: [{ role: 'user', content: Array.from({ length: 8 }, () => png(9, 9)) }] })
  const left: number[] = []
  for (let round = 0; round < 10; round++) {
    const repaired = applyRefusalRule('shrink-images', request, one)
    if (!repaired) break
    request = repaired.outgoing
    left.push((JSON.stringify(request).match(/"type":"image"/g) ?? []).length)
  }
  expect(left).toEqual([4, 2, 1, 0])
})

test('what is left out of messages is named in `removed`', () => {
  const [image] = [png(9, 9)]
  const repaired = applyRefusalRule('shrink-images', requestOf({ messages: [{ role: 'user', content: [image] }] }), one)
  expect(repaired?.repairs[0]?.removed).toEqual([image])
})
