import { describe, expect, test } from 'vitest'
import { text } from '../reply.ts'
import { firstViolation, RULES } from './rules.ts'
import { CASES } from './rules-cases.fixture.ts'
import { read, user, assistant, call, marked, tool, NEW, OLD, talk } from './rules.fixture.ts'

describe('each rule', () => {
  test.each(Object.entries(CASES))(
    '%s refuses its own fault with its text, and nothing that is nearly one',
    (name, [bad, good, message]) => {
      expect(firstViolation(read(...bad))).toMatchObject({
        status: 400,
        type: 'invalid_request_error',
        rule: name,
        message,
      })
      expect(firstViolation(read(...good))).toBeUndefined()
    },
  )

  test('has a case', () => {
    expect(Object.keys(CASES).toSorted()).toEqual(RULES.map(({ name }) => name).toSorted())
  })
})

describe('the rules', () => {
  test('take more thinking than max_tokens where it is interleaved with tools, as qwen-code sends it', () => {
    const asked = { ...OLD, tools: [tool('a')], thinking: { type: 'enabled', budget_tokens: 32_000 } }
    const betas = ['interleaved-thinking-2025-05-14']
    expect(firstViolation(read(asked, { betas }))).toBeUndefined()
    expect(firstViolation(read(asked))?.rule).toBe('thinking-budget')
    expect(firstViolation(read({ ...asked, tools: [] }, { betas }))?.rule).toBe('thinking-budget')
  })

  test('lets a system message set the effort without content anywhere, where the request says that some may', () => {
    const low = { role: 'system', content: [], output_config: { effort: 'low' } }
    const asked = talk(user('a'), assistant('b'), low, user('c'))
    expect(firstViolation(read(asked))?.rule).toBe('message-effort')
    const betas = ['mid-conversation-output-config-2026-07-01']
    expect(firstViolation(read(asked, { betas }))).toBeUndefined()
    expect(firstViolation(read({ ...asked, model: 'claude-opus-4-8' }, { betas }))?.rule).toBe('message-effort')
    expect(firstViolation(read(talk(user('a'), { ...low, output_config: undefined }), { betas }))?.rule).toBe(
      'message-empty',
    )
  })

  test('take what Claude Code sends', () => {
    const system = [text('x-anthropic-billing-header: cch=1'), marked('1h')]
    const messages = [user('a', marked()), { role: 'system', content: 'note' }]
    const request = {
      ...NEW,
      system,
      messages,
      metadata: { user_id: '{}' },
      output_config: { effort: 'high' },
      thinking: { type: 'adaptive', display: 'omitted' },
      context_management: { edits: [] },
      stream: true,
      tools: [tool('a')],
    }
    expect(firstViolation(read(request))).toBeUndefined()
  })

  test('take safeguards under their beta alone', () => {
    const asked = { ...NEW, safeguards: [{ type: 'dangerous_tool_use' }] }
    expect(firstViolation(read(asked, { betas: ['dangerous-tool-use-2026-09-03'] }))).toBeUndefined()
    expect(firstViolation(read(asked))?.message).toBe('safeguards: Extra inputs are not permitted')
  })

  test('never throw, whatever the request is', () => {
    for (const junk of [
      null,
      1,
      'x',
      [],
      {},
      [null],
      [1],
      [{ type: 'text' }],
      [{ role: 'user', content: [null, {}] }],
    ]) {
      for (const field of ['messages', 'system', 'tools', 'thinking', 'tool_choice', 'cache_control'])
        expect(() => firstViolation(read({ ...NEW, [field]: junk }))).not.toThrow()
    }
  })

  test('count the original places of merged messages', () => {
    const request = talk(user('a'), user('b'), assistant('c'), assistant('d', call('t')), user('e'))
    expect(firstViolation(read(request))?.message).toMatch(/^messages\.3: /)
  })
})
