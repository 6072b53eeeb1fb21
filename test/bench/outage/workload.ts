/**
 * What each session does: steps of one model request of some seconds and one tool of some seconds.
 *
 * A turn has ten steps, the last of them an answer without a tool call. Each turn begins a new conversation under the
 * same system prompt and tools, as a compaction does, so that histories stay short and the simulation fast: `bench
 * overhead` measures what a long history costs.
 */
import { seededRandom } from '@lastgood/core/testing'

export const stepsPerTurn = 10
/** The mean of a step: request and tool. */
export const meanStepMs = 12_000

export const model = 'claude-opus-5-5'
/** The next rung of the ladder, and Claude Code's fallback model, if an outage takes the first model away. */
export const secondModel = 'claude-sonnet-5-5'

export const url = 'https://api.anthropic.com/v1/messages'
export const headers = {
  'content-type': 'application/json',
  'anthropic-version': '2023-06-01',
  'x-api-key': 'simulated',
} as const

interface Message {
  readonly role: string
  readonly content: unknown
}

const tools = [
  {
    name: 'shell',
    description: 'Runs a command.',
    input_schema: { type: 'object', properties: { command: { type: 'string' } } },
  },
]

/** The body of a request, byte for byte the same for the same messages. */
export function bodyOf(messages: readonly Message[]): string {
  return JSON.stringify({ model, max_tokens: 1024, stream: true, system: 'You are a coder.', tools, messages })
}

export const firstMessage = (turn: number): Message => ({
  role: 'user',
  content: `Task ${turn}: make the tests green.`,
})

export const resultMessage = (toolUseId: string): Message => ({
  role: 'user',
  content: [{ type: 'tool_result', tool_use_id: toolUseId, content: '3 passed, 1 failed' }],
})

export const isFirstOfTurn = (step: number): boolean => step % stepsPerTurn === 0
export const isLastOfTurn = (step: number): boolean => step % stepsPerTurn === stepsPerTurn - 1

/** A session's own pace, the same for every client. */
export function paceOf(session: number, seed: number) {
  const random = seededRandom(seed * 1_000_003 + session)
  const between = (low: number, high: number) => Math.round(low + random() * (high - low))
  return {
    /** Sessions do not begin together. */
    firstMs: between(0, meanStepMs),
    toolMs: () => between(1000, 7000),
  }
}
