import Anthropic from '@anthropic-ai/sdk'
import { describe, expect, onTestFinished, test } from 'vitest'
import { reply, startLab, story, text, thinking, toolUse, type Lab, type LabOptions } from './index.ts'

const TOOLS = [{ name: 'read', description: 'Reads a file', input_schema: { type: 'object' as const } }]

async function open(options: Partial<LabOptions> = {}): Promise<{ lab: Lab; client: Anthropic }> {
  const lab = await startLab({ model: story([reply([thinking('Hm, let me look at it.'), text('Looking at the file.'), toolUse('read', { path: 'a.txt' })]), reply(text('Done.'))]), ...options })
  onTestFinished(() => lab.close())
  return { lab, client: new Anthropic({ baseURL: lab.url, apiKey: 'sk-test', maxRetries: 0 }) }
}

const ask = { model: 'claude-opus-5-5', max_tokens: 1000, tools: TOOLS, messages: [{ role: 'user' as const, content: 'Fix it.' }] }

describe('a healthy lab', () => {
  test('streams the same message that it records', async () => {
    const { lab, client } = await open()
    const message = await client.messages.stream(ask).finalMessage()
    expect(message.stop_reason).toBe('tool_use')
    expect(message.content).toEqual(lab.requests[0]?.outcome.message?.content)
    expect(message.usage.output_tokens).toBe(lab.requests[0]?.outcome.usage?.output_tokens)
    expect(lab.requests[0]).toMatchObject({ n: 1, completed: true, outcome: { kind: 'ok' } })
  })

  test('gives the same answer without streaming, and the tool loop goes on to the end', async () => {
    const { client } = await open()
    const first = await client.messages.create(ask)
    const call = first.content.find((block) => block.type === 'tool_use')
    const results = [{ type: 'tool_result' as const, tool_use_id: call?.id ?? '', content: 'hello' }]
    const second = await client.messages.create({ ...ask, messages: [...ask.messages, { role: 'assistant', content: first.content }, { role: 'user', content: results }] })
    expect(second.content).toEqual([{ type: 'text', text: 'Done.', citations: null }])
  })

  test('refuses a call without its result', async () => {
    const { lab, client } = await open()
    const first = await client.messages.create(ask)
    const second = client.messages.create({ ...ask, messages: [...ask.messages, { role: 'assistant', content: first.content }, { role: 'user', content: 'go on' }] })
    await expect(second).rejects.toThrow(/ids were found without `tool_result` blocks immediately after: toolu_/)
    expect(lab.requests[1]?.outcome).toMatchObject({ kind: 'rejected', status: 400, error: { row: 1 } })
  })
})
