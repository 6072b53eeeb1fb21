/**
 * The demo's agent: an ordinary one, with the SDK's client and its own tools. Nothing in it knows of outages.
 */
import { Anthropic } from '@anthropic-ai/sdk'
import { defineAgent, ladder, type AgentTool, type CodingAgent } from '@lastgood/anthropic'
import { systemClock } from '@lastgood/core'
import type { Env } from '../context.ts'
import type { DemoFolder } from './folder.ts'
import { labClient } from './lab-client.ts'
import { demoModels, type Pace } from './outages.ts'
import { refereed } from './tools/effects-log.ts'
import { fileTools } from './tools/file-tools.ts'
import { runTool } from './tools/run-tool.ts'

export interface DemoAgentOptions {
  folder: DemoFolder
  env: Env
  /** The real API instead of the scripted one. */
  live: boolean
  pace: Pace
  /** What a redeploy changes. */
  runTool: { description: string; hasTimeLimit: boolean }
}

export const demoAgentName = 'coder'

const system = `You are a careful engineer who works alone in the repository at hand.

- Look before you change something, and change no more than what was asked for.
- Say in a sentence or two what you are about to do, then do it with your tools.
- Independent reads may go in one answer, as several tool calls.
- Follow the README, above all where it says how often something may run.
- A tool call of unknown outcome may have happened. Look at its effect in the repository first; repeat it only if the
  effect is not there.
- When you are done, say in one or two sentences what is different now.`

export function demoAgent(options: DemoAgentOptions): CodingAgent {
  const { env, live, pace } = options
  return defineAgent({
    name: demoAgentName,
    client: live ? new Anthropic() : labClient(env, pace),
    model: ladder(...demoModels),
    system,
    maxTokens: 8_000,
    params: { thinking: { type: 'adaptive' } },
    tools: demoTools(options),
  })
}

export function demoTools({ folder, env, runTool: shell }: DemoAgentOptions): AgentTool[] {
  const root = folder.repository
  const tools = [...fileTools(root), runTool({ root, env, ...shell })]
  return tools.map((one) => refereed(one, folder.effects, systemClock))
}
