/**
 * Sessions of the SDK, each with its own back-off, shared with no other: exponential with full jitter, from 2 s up to
 * 60 s, never giving up: node comeback-alone.js <api> <from> <to>. It runs until it is killed.
 */
import Anthropic from '@anthropic-ai/sdk'
import { pause } from './pause.ts'

const [api = '', from = '', to = ''] = process.argv.slice(2)
const client = new Anthropic({ baseURL: api, apiKey: 'test', logLevel: 'off', maxRetries: 0 })
const tools: Anthropic.Tool[] = [
  { name: 'wait', input_schema: { type: 'object', properties: { n: { type: 'number' } } } },
]

async function run(session: string): Promise<never> {
  const messages: Anthropic.MessageParam[] = [{ role: 'user', content: `Session ${session}: go on.` }]
  for (let failures = 0; ;) {
    try {
      const request = { model: 'claude-opus-5-5', max_tokens: 1024, system: 'You work step by step.', tools, messages }
      const { content } = await client.messages.stream(request).finalMessage()
      failures = 0
      await pause()
      const results = content.flatMap((block) =>
        block.type === 'tool_use' ? [{ type: 'tool_result' as const, tool_use_id: block.id, content: 'done' }] : [],
      )
      messages.push({ role: 'assistant', content }, { role: 'user', content: results })
    } catch {
      const bound = Math.min(60_000, 2000 * 2 ** failures)
      failures += 1
      await new Promise((resolve) => setTimeout(resolve, bound * Math.random()))
    }
  }
}

for (let at = Number(from); at < Number(to); at++) void run(`s-${at}`)
