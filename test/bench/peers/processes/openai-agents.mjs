/**
 * OpenAI Agents: one run with a model that answers at once, and its session interface implemented on a Redis list,
 * because its package has only one in memory and one in the cloud.
 */
import { Agent, run, setTracingDisabled, tool, Usage } from '@openai/agents'
import { Redis } from 'ioredis'
import { z } from 'zod'
import { job, work } from './work.mjs'

setTracingDisabled(true)

await work(() => {
  const client = new Redis(job.url)
  const itemsOf = async (id) => (await client.lrange(`items:${id}`, 0, -1)).map((text) => JSON.parse(text))
  const sessionOf = (id) => ({
    getSessionId: async () => id,
    getItems: () => itemsOf(id),
    async addItems(items) {
      if (items.length > 0) await client.rpush(`items:${id}`, ...items.map((item) => JSON.stringify(item)))
    },
    popItem: async () => JSON.parse((await client.rpop(`items:${id}`)) ?? 'null') ?? undefined,
    clearSession: async () => void (await client.del(`items:${id}`)),
  })
  return {
    async run(id, next) {
      let step = (await itemsOf(id)).filter(({ type }) => type === 'function_call_result').length
      const results = new Map()
      const answer = async () => {
        const content = next(step)
        step += 1
        if (!content) return response([text('Done.')])
        const [{ content: said }, { content: found }] = content.messages
        results.set(said[1].id, found[0].content)
        return response([text(said[0].text), callOf(said[1])])
      }
      const execute = (_, __, details) => results.get(details.toolCall.callId)
      const parameters = z.object({ path: z.string(), text: z.string() })
      const edit = tool({ name: 'edit', description: 'Edits a file', parameters, execute })
      const agent = new Agent({ name: 'coder', model: { getResponse: answer }, tools: [edit] })
      await run(agent, 'Make the tests green.', { session: sessionOf(id), maxTurns: 1e6 })
    },
    read: async (id) => messagesOf(await itemsOf(id)),
  }
})

function response(output) {
  return { usage: new Usage(), output }
}

function text(words) {
  const content = [{ type: 'output_text', text: words }]
  return { type: 'message', role: 'assistant', status: 'completed', content }
}

function callOf({ id, name, input }) {
  return { type: 'function_call', callId: id, name, status: 'completed', arguments: JSON.stringify(input) }
}

function messagesOf(items) {
  const messages = []
  for (const [at, item] of items.entries()) {
    if (item.type === 'function_call') {
      const said = { type: 'text', text: items[at - 1].content[0].text }
      const call = { type: 'tool_use', id: item.callId, name: item.name, input: JSON.parse(item.arguments) }
      messages.push({ role: 'assistant', content: [said, call] })
    } else if (item.type === 'function_call_result') {
      const result = { type: 'tool_result', tool_use_id: item.callId, content: item.output.text ?? item.output }
      messages.push({ role: 'user', content: [result] })
    }
  }
  return messages
}
