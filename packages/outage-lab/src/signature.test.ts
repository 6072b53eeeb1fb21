import type Anthropic from '@anthropic-ai/sdk'
import { describe, expect, test } from 'vitest'
import { openLab, send, TOOLS } from './lab.fixture.ts'
import { reply, text, thinking, toolResults, toolUse, type Conversation, type Lab, type Reply } from './index.ts'
import { isObject } from './json.ts'

type Body = Omit<Anthropic.MessageCreateParamsNonStreaming, 'messages'> & { messages: Anthropic.MessageParam[] }

/** Thinks and calls a tool on each of three steps. */
function model(conversation: Conversation): Reply {
  const done = toolResults(conversation).length
  return done < 3
    ? reply([thinking(`step ${done}`), text(`Now ${done}.`), toolUse('read', { b: done, a: 1 })])
    : reply([thinking('enough'), text('Done.')])
}

async function transcript(lab: Lab, steps: number, modelId = 'claude-opus-5-5'): Promise<Body> {
  const body: Body = {
    model: modelId,
    max_tokens: 100,
    system: 'Be brief.',
    tools: TOOLS,
    messages: [{ role: 'user', content: 'Fix it.' }],
  }
  for (let at = 0; at < steps; at++) await step(lab, body)
  return body
}

async function step(lab: Lab, body: Body): Promise<void> {
  const received = await send(lab, body)
  const message: Anthropic.Message = JSON.parse(received.body.toString())
  expect(message).toMatchObject({ type: 'message' })
  const results = message.content.flatMap((block) =>
    block.type === 'tool_use' ? [{ type: 'tool_result' as const, tool_use_id: block.id, content: 'ok' }] : [],
  )
  body.messages.push(
    { role: 'assistant', content: message.content },
    { role: 'user', content: results.length ? results : 'more' },
  )
}

async function answer(lab: Lab, body: unknown, headers = {}): Promise<unknown> {
  const received = await send(lab, body, { headers })
  const parsed: unknown = JSON.parse(received.body.toString())
  return isObject(parsed) && isObject(parsed['error']) ? parsed['error']['message'] : parsed
}

function edited(body: Body, edit: (copy: Body) => void): Body {
  const copy = structuredClone(body)
  edit(copy)
  return copy
}

function blocks(body: Body, at: number): Anthropic.ContentBlockParam[] {
  const content = body.messages[at]?.content
  return Array.isArray(content) ? content : []
}

const BOUND =
  /^messages\.\d+\.content\.0: Invalid `signature` in `thinking` block\. The block is bound to a different conversation/
const OK = expect.objectContaining({ type: 'message' })

describe('a signature', () => {
  test('survives another key order, cache markers and the other spelling of text', async () => {
    const { lab } = await openLab({ model })
    const body = await transcript(lab, 2)
    const respelled = edited(body, (copy) => {
      copy.system = [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }]
      copy.messages[0] = { content: [{ text: 'Fix it.', type: 'text' }], role: 'user' }
      const call = blocks(copy, 1)[2]
      if (call?.type === 'tool_use') call.input = { a: 1, b: 0 }
      const result = blocks(copy, 2)[0]
      if (result?.type === 'tool_result')
        result.content = [{ type: 'text', text: 'ok', cache_control: { type: 'ephemeral' } }]
    })
    expect(await answer(lab, respelled)).toEqual(OK)
  })

  test('is accepted by another lab', async () => {
    const [one, two] = [await openLab({ model }), await openLab({ model, seed: 99 })]
    expect(await answer(two.lab, await transcript(one.lab, 2))).toEqual(OK)
  })

  test.each<[string, (copy: Body) => void]>([
    ['the system text', (copy) => void (copy.system = 'Be very brief.')],
    ['a tool', (copy) => void (copy.tools = TOOLS.map((tool) => ({ ...tool, description: 'Other' })))],
    ['an earlier message', (copy) => void (copy.messages[0] = { role: 'user', content: 'Fix that.' })],
    [
      'an earlier tool result',
      (copy) =>
        void (copy.messages[2] = {
          role: 'user',
          content: blocks(copy, 2).map((block) =>
            block.type === 'tool_result' ? { ...block, content: '[cleared]' } : block,
          ),
        }),
    ],
  ])('breaks when %s changes', async (_, edit) => {
    const { lab } = await openLab({ model })
    expect(await answer(lab, edited(await transcript(lab, 2), edit))).toMatch(BOUND)
  })

  test('lets thinking go from the start and lets all of it go, but not from the middle', async () => {
    const { lab } = await openLab({ model })
    const body = await transcript(lab, 3)
    const without = (...turns: readonly number[]): Body =>
      edited(body, (copy) => turns.forEach((at) => blocks(copy, at).shift()))
    expect(await answer(lab, without(1))).toEqual(OK)
    expect(await answer(lab, without(1, 3))).toEqual(OK)
    expect(await answer(lab, without(1, 3, 5))).toEqual(OK)
    expect(await answer(lab, without(5))).toEqual(OK)
    expect(await answer(lab, without(3))).toMatch(BOUND)
  })

  test('names changed thinking in the latest turn, and an invalid signature in an earlier one', async () => {
    const { lab } = await openLab({ model })
    const body = await transcript(lab, 2)
    const changed = (at: number): Body =>
      edited(body, (copy) => void Object.assign(blocks(copy, at)[0] ?? {}, { thinking: 'other' }))
    expect(await answer(lab, changed(3))).toBe(
      'messages.3.content.0: `thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified. These blocks must remain as they were in the original response.',
    )
    expect(await answer(lab, changed(1))).toBe('messages.1.content.0: Invalid `signature` in `thinking` block')
  })

  test('cut off in the middle is invalid', async () => {
    const { lab } = await openLab({ model })
    const body = await transcript(lab, 1)
    const cut = edited(body, (copy) => {
      const block = blocks(copy, 1)[0]
      if (block?.type === 'thinking') block.signature = block.signature.slice(0, 60)
    })
    expect(await answer(lab, cut)).toBe('messages.1.content.0: Invalid `signature` in `thinking` block')
  })

  test('two assistant messages merged into one break the second', async () => {
    const { lab } = await openLab({ model: () => reply([thinking('a'), text('b')]) })
    const body = await transcript(lab, 1)
    const twice = edited(body, (copy) => void copy.messages.splice(2, 0, ...copy.messages.slice(1, 2)))
    expect(await answer(lab, twice)).toMatch(/latest assistant message cannot be modified/)
  })

  test('with drop_block the bound blocks go, the answer says which, and they are not billed', async () => {
    const { lab } = await openLab({ model })
    const body = edited(await transcript(lab, 2), (copy) => void (copy.system = 'Other.'))
    const dropping = {
      ...body,
      thinking: { type: 'adaptive', block_binding: { prefix_mismatch_behavior: 'drop_block' } },
    }
    expect(await answer(lab, dropping)).toBe('thinking.adaptive.block_binding: Extra inputs are not permitted')
    const allowed = await answer(lab, dropping, { 'anthropic-beta': 'thinking-binding-controls-2026-08-01' })
    expect(allowed).toMatchObject({
      input_transformations: [
        { type: 'thinking_dropped', path: 'messages.1.content.0', reason: 'prefix_binding_mismatch' },
        { type: 'thinking_dropped', path: 'messages.3.content.0' },
      ],
    })
    const stripped = edited(body, (copy) => [1, 3].forEach((at) => blocks(copy, at).shift()))
    expect(await answer(lab, stripped)).toMatchObject({
      usage: { input_tokens: isObject(allowed) && isObject(allowed['usage']) ? allowed['usage']['input_tokens'] : 0 },
    })
  })
})

describe('another model', () => {
  test('drops thinking that it cannot read, and the first model reads its own again afterwards', async () => {
    const { lab } = await openLab({ model })
    const body = await transcript(lab, 1)
    body.model = 'claude-sonnet-5-5'
    await step(lab, body)
    expect(lab.requests[1]?.outcome.message).toMatchObject({
      input_transformations: [{ path: 'messages.1.content.0', reason: 'model_binding_mismatch' }],
    })
    body.model = 'claude-opus-5-5'
    await step(lab, body)
    expect(lab.requests[2]?.outcome.message).toMatchObject({
      input_transformations: [{ path: 'messages.3.content.0', reason: 'model_binding_mismatch' }],
    })
    expect(await answer(lab, body)).toEqual(OK)
  })

  test('of the fourth generation refuses it', async () => {
    const { lab } = await openLab({ model })
    const body = await transcript(lab, 1)
    expect(await answer(lab, { ...body, model: 'claude-opus-4-6' })).toBe(
      'messages.1.content.0: Invalid `signature` in `thinking` block',
    )
  })

  test('before preserved thinking does not mind an edited prefix', async () => {
    const { lab } = await openLab({ model })
    const body = await transcript(lab, 2, 'claude-opus-4-6')
    expect(await answer(lab, { ...body, system: 'Other.' })).toEqual(OK)
  })
})
