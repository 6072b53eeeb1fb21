/**
 * Level 1: the caller's own loop, with the line added, and another line that shows outages. It continues where it was.
 *
 *     node loop.mjs <session> <what to do>…
 *
 * `HISTORY`: a file of messages to start from, recorded elsewhere.
 */
import { appendFileSync, readFileSync } from 'node:fs'
import { openSession, recoverable } from '@lastgood/anthropic'
import { showOutages } from 'lastgood'
import { client as plain } from './agent.mjs'
import { policy } from './policy.mjs'

const { HISTORY } = process.env
const [id, ...prompts] = process.argv.slice(2)
const session = await openSession(id, { policy })
const client = recoverable(plain(), session)
const hide = showOutages(session)
const tools = [
  {
    name: 'shell',
    input_schema: { type: 'object', properties: { command: { type: 'string' } }, required: ['command'] },
  },
]

for (const prompt of prompts.slice(session.lastGoodTurn)) console.log(await turn(prompt))
hide()
await session.close()

async function turn(prompt) {
  const isNew = session.turn === 0 && HISTORY !== undefined
  const messages = isNew ? JSON.parse(readFileSync(HISTORY, 'utf8')) : session.messages()
  if (!session.hasOpenTurn) messages.push({ role: 'user', content: prompt })
  for (;;) {
    const request = { model: 'claude-opus-5-5', max_tokens: 1024, tools, messages }
    const answer = await client.messages.stream(request).finalMessage()
    messages.push({ role: 'assistant', content: answer.content })
    const calls = answer.content.filter(({ type }) => type === 'tool_use')
    if (calls.length === 0) return answer.content.map(({ text }) => text).join('')
    messages.push({ role: 'user', content: calls.map(run) })
  }
}

function run({ id: tool_use_id, input }) {
  appendFileSync('ran.log', `shell ${input.command}\n`)
  return { type: 'tool_result', tool_use_id, content: `ok: ${input.command}` }
}
