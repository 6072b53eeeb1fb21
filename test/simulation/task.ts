/**
 * The tasks of the simulated agents, the tools for them, and the model that does them. The model does what the last task
 * says, and so remembers nothing: `do pay+look, search, note` is an answer with two calls, one that pauses while the API
 * searches and then has a call, one with a call, and a last one without.
 */
import type { Block, InDoubt } from '@lastgood/core'
import {
  reply,
  serverToolResult,
  serverToolUse,
  text,
  thinking,
  toolUse,
  type Conversation,
} from '@lastgood/outage-lab'
import type { World } from './world.ts'

export type Task = Block[]

/** Its rule for a call in doubt; `canTell`: it can tell what came of it. */
export const tools: Record<string, { rule: InDoubt; canTell?: true }> = {
  look: { rule: 'rerun' },
  pay: { rule: 'report' },
  note: { rule: 'report', canTell: true },
  wire: { rule: 'ask' },
}

/** The one that the API runs. */
export const search = { type: 'web_search_20250305' as const, name: 'web_search' as const }

/** One that the API refuses now and then, so that lastgood repairs the request. */
const picture = {
  type: 'image',
  source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB' },
}

/** What a user says: calls of tools, some at once, searches, and now and then a picture that the API may refuse. */
export function newTask(world: World): Task {
  const calls = () => Array.from({ length: 1 + world.below(2) }, () => world.pick(Object.keys(tools))).join('+')
  const item = () => (world.chance(0.15) ? 'search' : calls())
  const said = `do ${Array.from({ length: 1 + world.below(3) }, item).join(', ')}`
  return [...(world.chance(0.15) ? [picture] : []), { type: 'text', text: said }]
}

/** Some clients lose what the model thought. */
export function asRemembered<Said extends { readonly type: string }>({ chance }: World, content: Said[]): Said[] {
  const said = content.filter(({ type }) => type !== 'thinking')
  return said.length > 0 && chance(0.05) ? said : content
}

export function worker({ messages }: Conversation) {
  const taskOf = (at: number) => /"do ([^"]*)"/.exec(JSON.stringify(messages[at]?.content.at(-1)))?.[1]
  const taskAt = messages.findLastIndex((message, at) => message.role === 'user' && taskOf(at) !== undefined)
  const done = messages.slice(taskAt).filter(({ role }) => role === 'assistant').length
  const last = messages.at(-1)
  if (last?.role === 'assistant' && last.content.at(-1)?.type === 'server_tool_use')
    return reply([serverToolResult('web_search', []), text('Found.'), toolUse('look', { done })])
  const calls = taskOf(taskAt)?.split(', ')[done]
  if (calls === undefined) return reply([thinking('All of it is done.'), text(`Done, in ${done} steps.`)])
  if (calls === 'search')
    return reply([thinking('Where is it?'), text('Searching.'), serverToolUse('web_search', { query: 'it' })], {
      stopReason: 'pause_turn',
    })
  return reply([thinking('What is next?'), text('Next.'), ...calls.split('+').map((name) => toolUse(name, { done }))])
}
