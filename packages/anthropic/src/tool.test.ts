import type { ToolContext } from '@lastgood/core'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { fromRunnableTool, tool, type ToolOutput } from './tool.ts'

const context = (signal = new AbortController().signal): ToolContext => ({
  toolUseId: 'toolu_1',
  idempotencyKey: 'ses:toolu_1',
  signal,
})

/** What the model gets for what a tool returns. */
async function resultOf(output: unknown) {
  const returning = tool({ name: 't', description: 'd', input: z.object({}), run: () => output as ToolOutput })
  return returning.run({}, context())
}

describe('the schema that the model is given', () => {
  test('is the one of the input: a default is not required, and a transform is allowed', async () => {
    const seen: unknown[] = []
    const input = z.object({ a: z.number().default(1), b: z.string().transform(Number) })
    const made = tool({ name: 't', description: 'd', input, run: (value) => String(seen.push(value)) })
    expect(made.definition).toMatchObject({
      name: 't',
      description: 'd',
      input_schema: { type: 'object', properties: { a: { type: 'number' }, b: { type: 'string' } }, required: ['b'] },
    })
    await made.run({ b: '7' }, context())
    expect(seen).toEqual([{ a: 1, b: 7 }])
  })

  test('has the descriptions of its fields', () => {
    const input = z.object({ path: z.string().describe('Relative to the root.') })
    const { definition } = tool({ name: 't', description: 'd', input, run: () => '' })
    expect(definition['input_schema']).toMatchObject({ properties: { path: { description: 'Relative to the root.' } } })
  })

  test('carries no dialect, which the API would refuse', () => {
    const made = tool({ name: 't', description: 'd', input: z.object({}), run: () => '' })
    expect(made.definition['input_schema']).not.toHaveProperty('$schema')
  })
})

describe('the result that the model is given', () => {
  test.each([
    ['text', 'done', 'done'],
    ['nothing', undefined, ''],
    ['an object', { n: 1 }, '{"n":1}'],
    ['null', null, 'null'],
    ['a list that is no content', [1, 2], '[1,2]'],
    ['content blocks', [{ type: 'text', text: 'x' }], [{ type: 'text', text: 'x' }]],
    ['half a surrogate pair', 'a\ud800', 'a\ufffd'],
    ['half a surrogate pair in a block', [{ type: 'text', text: '\udc00' }], [{ type: 'text', text: '\ufffd' }]],
  ])('for %s is no error', async (_what, output, content) => {
    expect(await resultOf(output)).toEqual({ type: 'tool_result', tool_use_id: 'toolu_1', content })
  })

  test('for bad input says what is wrong, and nothing runs', async () => {
    const made = tool({
      name: 't',
      description: 'd',
      input: z.object({ n: z.number() }),
      run: () => expect.unreachable(),
    })
    expect(await made.run({ n: 'x' }, context())).toMatchObject({
      is_error: true,
      content: expect.stringMatching(/^Error: invalid input: .*expected number/),
    })
  })

  test('for a failure says its message', async () => {
    const run = () => {
      throw new Error('no such file')
    }
    const made = tool({ name: 't', description: 'd', input: z.object({}), run })
    expect(await made.run({}, context())).toMatchObject({ is_error: true, content: 'Error: no such file' })
  })

  const circle: { self?: unknown } = {}
  circle.self = circle
  test.each([
    ['a bigint', 1n],
    ['a circle', circle],
  ])('for %s says that the tool did run (P2)', async (_what, output) => {
    expect(await resultOf(output)).toMatchObject({
      is_error: true,
      content: expect.stringMatching(/^Error: the tool did run, but its output cannot be written as JSON: /),
    })
  })

  test.each([
    ['a list that is no content', [{ n: 1 }, null], '[{"n":1},null]'],
    ['blocks with what JSON leaves out', [{ type: 'text', text: 'x', f() {} }], [{ type: 'text', text: 'x' }]],
  ])('for an error with %s is what a tool that returns it gives', async (_what, content, given) => {
    const run = () => {
      throw Object.assign(new Error('x'), { content })
    }
    const made = tool({ name: 't', description: 'd', input: z.object({}), run })
    expect(await made.run({}, context())).toMatchObject({ is_error: true, content: given })
  })

  test('is none when the call was stopped: it stays in doubt (P2)', async () => {
    const stop = new AbortController()
    const run = () => {
      stop.abort(new Error('enough'))
      throw new Error('connection closed')
    }
    const made = tool({ name: 't', description: 'd', input: z.object({}), run })
    await expect(made.run({}, context(stop.signal))).rejects.toThrow('enough')
  })
})

test("the SDK's runnable tools get the call and the signal, and their own error content is kept", async () => {
  const seen: unknown[] = []
  const content = [{ type: 'text', text: 'look again' }]
  const made = fromRunnableTool(
    {
      name: 't',
      run(input: unknown, given?: object) {
        seen.push(input, given)
        throw Object.assign(new Error('x'), { content })
      },
    },
    'ask',
  )
  const given = context()
  expect(await made.run({ n: 1 }, given)).toMatchObject({ is_error: true, content })
  expect(seen).toMatchObject([{ n: 1 }, { toolUse: { id: 'toolu_1', name: 't' }, signal: given.signal }])
  expect(made.inDoubt).toBe('ask')
})
