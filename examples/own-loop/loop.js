// @ts-check
/** The usual agent loop. Nothing in it knows about lastgood. */

/**
 * @typedef {import('@anthropic-ai/sdk').Anthropic} Anthropic
 * @typedef {import('@anthropic-ai/sdk').Anthropic.MessageParam} MessageParam
 * @typedef {import('@anthropic-ai/sdk').Anthropic.ToolResultBlockParam} ToolResult
 */

/** How often each tool call ran. */
export const runs = /** @type {number[]} */ ([])

/** @type {import('@anthropic-ai/sdk').Anthropic.Tool} */
const count = {
  name: 'count',
  description: 'Counts one step.',
  input_schema: { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] },
}

/**
 * @param {Anthropic} client
 * @param {MessageParam[]} messages
 */
export async function loop(client, messages) {
  for (;;) {
    const request = { model: 'claude-opus-5-5', max_tokens: 1024, tools: [count], messages }
    const answer = await client.messages.stream(request).finalMessage()
    messages.push({ role: 'assistant', content: answer.content })
    const calls = answer.content.filter((block) => block.type === 'tool_use')
    if (calls.length === 0) return answer
    messages.push({ role: 'user', content: calls.map(runCall) })
  }
}

/**
 * @param {import('@anthropic-ai/sdk').Anthropic.ToolUseBlock} call
 * @returns {ToolResult}
 */
function runCall(call) {
  const { n } = /** @type {{ n: number }} */ (call.input)
  runs.push(n)
  return { type: 'tool_result', tool_use_id: call.id, content: `counted ${n}` }
}
