/** Requests for one model, translated for another: the lab decides what each of them accepts. */
import { cardOf } from '../packages/core/src/ladder/built-in-cards.ts'
import { chooseRung } from '../packages/core/src/ladder/ladder.ts'
import { estimateTokens } from '../packages/core/src/ladder/token-need.ts'
import { translate } from '../packages/core/src/ladder/translate.ts'
import type { Message } from '@lastgood/core'
import { reply, text, thinking, toolUse, type Reply } from '@lastgood/outage-lab'
import { expect, test } from 'vitest'
import { openModelLab, resultsFor, startConversation } from './support/model-lab.ts'

const bindingBeta = 'thinking-binding-controls-2026-08-01'
const tool = { name: 'read', description: 'Reads a file', input_schema: { type: 'object' } }

const effortBeta = 'mid-conversation-output-config-2026-07-01'
const setsEffort = (message: Message): Message => ({ ...message, output_config: { effort: 'low' } })

const system = { role: 'system', content: 'It is night now.' }
const question = { role: 'user', content: 'Fix it.' }

interface Case {
  name: string
  from: string
  to: string
  params?: Record<string, unknown>
  betas?: string[]
  /** What `from` has answered, each followed by results or by a question. */
  answers?: Reply[]
  /** More messages at the end. */
  added?: Message[]
  /** The lab's rule that the request breaks at `to` as it is; absent where the lab would let it pass. */
  refusedBy?: string
  expected: { params?: Record<string, unknown>; betas?: string[]; messages?: unknown; notes: string[] }
}

const thought = reply([thinking('Hm.'), text('Looking.'), toolUse('read', { path: 'a' })])

const cases: Case[] = [
  {
    name: 'an effort that it lacks becomes the nearest one, the lesser of two',
    from: 'claude-opus-5-5',
    to: 'claude-opus-4-6',
    params: { output_config: { effort: 'xhigh', format: { type: 'text' } } },
    expected: {
      params: { output_config: { effort: 'high', format: { type: 'text' } }, thinking: { type: 'adaptive' } },
      notes: ['fallback-effort', 'fallback-thinking'],
    },
  },
  {
    name: "an effort that was not named is the first model's default where the defaults differ",
    from: 'claude-opus-5-5',
    to: 'claude-opus-5',
    expected: { params: { output_config: { effort: 'medium' } }, notes: ['fallback-effort'] },
  },
  {
    name: 'an effort is left out for a model without',
    from: 'claude-opus-5',
    to: 'claude-haiku-4-5',
    params: { output_config: { effort: 'high' }, thinking: { type: 'disabled' } },
    expected: { params: { output_config: undefined, thinking: { type: 'disabled' } }, notes: ['fallback-effort'] },
  },
  {
    name: 'extended thinking becomes adaptive',
    from: 'claude-opus-4-5',
    to: 'claude-opus-5-5',
    params: { thinking: { type: 'enabled', budget_tokens: 1_024, display: 'summarized' } },
    refusedBy: 'thinking-type',
    expected: {
      params: { thinking: { type: 'adaptive', display: 'summarized' }, output_config: { effort: 'high' } },
      notes: ['fallback-effort', 'fallback-thinking'],
    },
  },
  {
    name: 'adaptive thinking becomes extended, with room for the answer',
    from: 'claude-sonnet-5',
    to: 'claude-sonnet-4-5',
    params: { thinking: { type: 'adaptive' }, max_tokens: 8_000 },
    refusedBy: 'thinking-adaptive',
    expected: { params: { thinking: { type: 'enabled', budget_tokens: 4_000 } }, notes: ['fallback-thinking'] },
  },
  {
    name: 'thinking by default is asked for where it is not the default',
    from: 'claude-opus-5',
    to: 'claude-opus-4-8',
    expected: { params: { thinking: { type: 'adaptive' } }, notes: ['fallback-thinking'] },
  },
  {
    name: 'thinking that is off stays off in the words of the other model',
    from: 'claude-haiku-5-5',
    to: 'claude-sonnet-5-5',
    params: { thinking: { type: 'disabled' }, output_config: { effort: 'low' } },
    refusedBy: 'thinking-type',
    expected: { params: { thinking: { type: 'between_tools' } }, notes: ['fallback-thinking'] },
  },
  {
    name: 'thinking cannot be off in a model that always thinks',
    from: 'claude-haiku-5-5',
    to: 'claude-opus-5-5',
    params: { thinking: { type: 'disabled' } },
    refusedBy: 'thinking-type',
    expected: { params: { thinking: undefined }, notes: ['fallback-thinking'] },
  },
  {
    name: 'thinking is not turned off above effort high',
    from: 'claude-opus-4-8',
    to: 'claude-opus-5',
    params: { output_config: { effort: 'max' } },
    expected: { params: { thinking: undefined, output_config: { effort: 'max' } }, notes: [] },
  },
  {
    name: 'inside a tool loop, extended thinking waits for the next turn',
    from: 'claude-opus-5',
    to: 'claude-opus-4-5',
    params: { thinking: { type: 'adaptive' } },
    answers: [thought],
    refusedBy: 'thinking-adaptive',
    expected: { params: { thinking: undefined }, notes: ['fallback-foreign-thinking', 'fallback-thinking'] },
  },
  {
    name: 'nothing is left of the clearing of thinking where thinking is off',
    from: 'claude-opus-5',
    to: 'claude-haiku-4-5',
    params: {
      max_tokens: 1_000,
      context_management: { edits: [{ type: 'clear_thinking_20251015' }, { type: 'clear_tool_uses_20250919' }] },
    },
    expected: {
      params: { context_management: { edits: [{ type: 'clear_tool_uses_20250919' }] } },
      notes: ['fallback-thinking'],
    },
  },
  {
    name: 'max_tokens is what the model gives at most, and the budget below it',
    from: 'claude-opus-4-6',
    to: 'claude-opus-4-5',
    params: { max_tokens: 100_000, thinking: { type: 'enabled', budget_tokens: 90_000 } },
    refusedBy: 'max-tokens',
    expected: {
      params: { max_tokens: 64_000, thinking: { type: 'enabled', budget_tokens: 32_000 } },
      notes: ['fallback-max-tokens', 'fallback-thinking'],
    },
  },
  {
    name: 'a forced tool is left to the model',
    from: 'claude-opus-5',
    to: 'claude-sonnet-5-5',
    params: { tool_choice: { type: 'tool', name: 'read', disable_parallel_tool_use: true } },
    refusedBy: 'forced-tool',
    expected: {
      params: { tool_choice: { type: 'auto', disable_parallel_tool_use: true } },
      notes: ['fallback-tool-choice'],
    },
  },
  {
    name: 'an answer to go on with is quoted',
    from: 'claude-haiku-4-5',
    to: 'claude-opus-5',
    added: [{ role: 'assistant', content: '{"path": "a' }],
    refusedBy: 'prefill',
    expected: {
      messages: expect.arrayContaining([
        {
          role: 'user',
          content:
            'Your previous response was interrupted and ended with "{"path": "a". Continue from where you left off.',
        },
      ]),
      notes: ['fallback-prefill', 'fallback-thinking'],
    },
  },
  {
    name: 'sampling is left out',
    from: 'claude-opus-4-6',
    to: 'claude-opus-4-8',
    params: { temperature: 0.2, top_p: 0.9, top_k: 5 },
    refusedBy: 'sampling',
    expected: {
      params: { temperature: undefined, top_p: undefined, top_k: undefined },
      notes: ['fallback-sampling'],
    },
  },
  {
    name: 'system messages become notes',
    from: 'claude-opus-5',
    to: 'claude-sonnet-5',
    added: [system],
    refusedBy: 'system-role',
    expected: {
      messages: expect.arrayContaining([
        { role: 'user', content: [{ type: 'text', text: '<system-note>\nIt is night now.\n</system-note>' }] },
      ]),
      notes: ['fallback-system-notes'],
    },
  },
  {
    name: 'the effort that messages set is left out, and what they say stays',
    from: 'claude-opus-5',
    to: 'claude-opus-4-8',
    added: [setsEffort(system), setsEffort({ role: 'system', content: [] })],
    betas: [effortBeta],
    refusedBy: 'message-effort',
    expected: { messages: [question, system], notes: ['fallback-message-effort', 'fallback-thinking'] },
  },
  {
    name: 'a system message that becomes a note sets no effort',
    from: 'claude-opus-5',
    to: 'claude-sonnet-5',
    added: [setsEffort(system)],
    betas: [effortBeta],
    refusedBy: 'system-role',
    expected: {
      messages: [
        question,
        { role: 'user', content: [{ type: 'text', text: '<system-note>\nIt is night now.\n</system-note>' }] },
      ],
      notes: ['fallback-message-effort', 'fallback-system-notes'],
    },
  },
  {
    name: 'thinking of another model is left out for one that refuses it',
    from: 'claude-opus-5-5',
    to: 'claude-opus-5',
    params: { output_config: { effort: 'high' } },
    answers: [thought, reply(thinking('Only a thought.'))],
    refusedBy: 'thinking-signature',
    expected: { notes: ['fallback-foreign-thinking'] },
  },
  {
    name: 'thinking of another model stays where the API leaves it out itself',
    from: 'claude-opus-5',
    to: 'claude-sonnet-5-5',
    answers: [thought],
    expected: { notes: [] },
  },
  {
    name: 'tools, options and betas that are bound to a model are left out',
    from: 'claude-opus-5',
    to: 'claude-opus-5-5',
    params: {
      tools: [tool, { type: 'computer_20251124', name: 'computer' }],
      tool_choice: { type: 'auto' },
      output_config: { effort: 'high' },
      speed: 'fast',
      fallbacks: [{ model: 'claude-opus-4-8' }],
    },
    betas: ['context-1m-2025-08-07', 'fast-mode-2026-02-01', 'files-api-2025-04-14'],
    expected: {
      params: { tools: [tool], tool_choice: { type: 'auto' }, speed: undefined, fallbacks: undefined },
      betas: ['files-api-2025-04-14'],
      notes: ['fallback-tools', 'fallback-own-options', 'fallback-betas'],
    },
  },
  {
    name: 'what to do with unfit thinking is asked only of models that check the place',
    from: 'claude-opus-5-5',
    to: 'claude-opus-5',
    params: {
      thinking: { type: 'adaptive', block_binding: { prefix_mismatch_behavior: 'drop_block' } },
      output_config: { effort: 'low' },
    },
    betas: [bindingBeta],
    expected: { params: { thinking: { type: 'adaptive' } }, betas: [], notes: ['fallback-thinking', 'fallback-betas'] },
  },
]

test.each(cases)('$name: $from to $to', async ({ from, to, params, betas = [], answers = [], added = [], ...then }) => {
  const { stored, send, answer, madeBy } = startConversation(await openModelLab(), {
    params: { model: from, max_tokens: 2_000, tools: [tool], ...params },
    messages: [question],
    betas,
  })
  for (const each of answers) {
    expect(await answer(stored, each)).toBeUndefined()
    stored.messages.push(resultsFor(stored.messages.at(-1)) ?? question)
  }
  stored.messages.push(...added)
  expect(await send(stored)).toBeUndefined()
  expect(await send({ ...stored, params: { ...stored.params, model: to } })).toBe(then.refusedBy)

  const { outgoing, notes } = translate(stored, cardOf(from), cardOf(to), madeBy)
  expect(await send(outgoing)).toBeUndefined()
  expect(outgoing.params).toMatchObject({ model: to })
  for (const [name, value] of Object.entries(then.expected.params ?? {})) expect(outgoing.params[name]).toEqual(value)
  if (then.expected.betas) expect(outgoing.betas).toEqual(then.expected.betas)
  if (then.expected.messages) expect(outgoing.messages).toEqual(then.expected.messages)
  expect(notes.map(({ rule }) => rule)).toEqual(then.expected.notes)
})

test('what no translation makes fit is not sent down the ladder', async () => {
  const [from, small, large] = ['claude-sonnet-5', 'claude-haiku-4-5', 'claude-sonnet-5-5'] as const
  const { stored, send, madeBy } = startConversation(await openModelLab(), {
    params: { model: from, max_tokens: 2_000 },
    messages: [{ role: 'user', content: 'word '.repeat(170_000) }],
    betas: [],
  })
  expect(await send(translate(stored, cardOf(from), cardOf(small), madeBy).outgoing)).toBe('context-window')
  const rungs = [from, small, large].map((model) => ({ model }))
  const needsTokens = estimateTokens(stored)
  const rung = chooseRung({ rungs, current: 0, isDown: () => false, needsTokens, cardOf, scope: 'model' })
  expect(rung).toBe(2)
  expect(await send(translate(stored, cardOf(from), cardOf(large), madeBy).outgoing)).toBeUndefined()
})
