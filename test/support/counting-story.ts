/**
 * A small conversation with countable side effects: the model calls `count` four times, two of them in parallel, after
 * thinking, and expects each result exactly once and in order.
 */
import { defineAgent, tool, type AgentOptions, type ToolOutput } from '@lastgood/anthropic'
import type { InDoubt, ToolContext } from '@lastgood/core'
import { reply, story, text, thinking, toolResults, toolUse, type Conversation } from '@lastgood/outage-lab'
import { z } from 'zod'

export const task = 'Count to four with the tool, then say done.'

const counted = (conversation: Conversation, upTo: number) => {
  const seen = toolResults(conversation).map((result) => result.text)
  const wanted = Array.from({ length: upTo }, (_, i) => `counted ${i + 1}`)
  if (JSON.stringify(seen) !== JSON.stringify(wanted))
    throw new Error(`story: expected ${wanted.join()}, got ${seen.join()}`)
}

export const countingStory = story([
  reply([thinking('I count first.'), text('Starting now.'), toolUse('count', { n: 1 })]),
  (conversation) => {
    counted(conversation, 1)
    return reply([text('Two at once.'), toolUse('count', { n: 2 }), toolUse('count', { n: 3 })])
  },
  (conversation) => {
    counted(conversation, 3)
    return reply([thinking('Nearly there.'), toolUse('count', { n: 4 })])
  },
  (conversation) => {
    counted(conversation, 4)
    return reply(text('done'))
  },
])

/** Side effects by input, to see that each happened once. */
export class Effects {
  readonly runs: number[] = []
  count(input: unknown): string {
    const { n } = input as { n: number }
    this.runs.push(n)
    return `counted ${n}`
  }
}

export const countTool = {
  name: 'count',
  description: 'Counts one step.',
  input_schema: { type: 'object' as const, properties: { n: { type: 'number' } }, required: ['n'] },
}

/** An agent that counts. */
export function countingAgent(
  effects: { count(input: unknown, context: ToolContext): ToolOutput | Promise<ToolOutput> },
  client: AgentOptions['client'],
  { inDoubt, ...more }: Partial<Omit<AgentOptions, 'inDoubt'>> & { inDoubt?: InDoubt } = {},
) {
  const count = tool({
    name: 'count',
    description: 'Counts one step.',
    input: z.object({ n: z.number() }),
    ...(inDoubt && { inDoubt }),
    run: (input, context) => effects.count(input, context),
  })
  return defineAgent({ name: 'counter', client, model: 'claude-opus-5-5', tools: [count], maxTokens: 1024, ...more })
}
