/**
 * lastgood for the Anthropic SDK.
 *
 *     const session = await openSession('fix-auth')
 *     const client = recoverable(new Anthropic(), session)     // level 1: your loop, one line
 *
 *     const agent = defineAgent({ name: 'coder', client: new Anthropic(), model: 'claude-opus-5-5', tools: [run] })
 *     await session.run(agent, 'Make the tests green')         // level 2: lastgood's loop, your tools
 */
export { type CodingAgent, type Reply, type RunOptions, defineAgent } from './agent.ts'
export { type AgentOptions } from './agent-options.ts'
export { type AgentClient, type Middleware, type RecoverableClient, type RungClient } from './client.ts'
export { type Ladder, type RungOption, ladder } from './ladder.ts'
export { recoverable, recovery } from './recovery.ts'
export { type AgentTool, type RunnableTool, type ToolOptions, type ToolOutput, tool } from './tool.ts'
export { openSession } from '@lastgood/core'
