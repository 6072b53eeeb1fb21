/**
 * What a model function gives back, and the builders for it.
 * 1. A reply is data without ids and signatures; the lab adds them when it serves the reply.
 * 2. A block of any other type is served as it is.
 */
import type { Block } from './conversation.ts'
import type { JsonObject } from './json.ts'

export type StopReason =
  | 'end_turn'
  | 'tool_use'
  | 'max_tokens'
  | 'stop_sequence'
  | 'pause_turn'
  | 'refusal'
  | 'compaction'
  | 'model_context_window_exceeded'

export interface Reply {
  readonly blocks: readonly Block[]
  readonly stopReason: StopReason
}

export function text(value: string): Block {
  return { type: 'text', text: value }
}

/** A thinking block; its signature is made when it is served. */
export function thinking(value: string): Block {
  return { type: 'thinking', thinking: value }
}

/** A `redacted_thinking` block; its `data` is made when it is served. */
export function redactedThinking(): Block {
  return { type: 'redacted_thinking' }
}

/** A call of a client tool; its id is made when it is served, unless given. */
export function toolUse(name: string, input: JsonObject = {}, id?: string): Block {
  return { type: 'tool_use', name, input, ...(id !== undefined && { id }) }
}

/** A call of a tool that the server runs; its id is made when it is served. */
export function serverToolUse(name: string, input: JsonObject = {}): Block {
  return { type: 'server_tool_use', name, input }
}

/** The result of the last open call of that server tool. */
export function serverToolResult(name: string, content: unknown): Block {
  return { type: `${name}_tool_result`, content }
}

/** `stopReason` defaults to `tool_use` if a tool is called, else to `end_turn`. */
export function reply(blocks: readonly Block[] | Block, options: { readonly stopReason?: StopReason } = {}): Reply {
  const list: readonly Block[] = isList(blocks) ? blocks : [blocks]
  const calls = list.some((block) => block.type === 'tool_use')
  return { blocks: list, stopReason: options.stopReason ?? (calls ? 'tool_use' : 'end_turn') }
}

function isList(blocks: readonly Block[] | Block): blocks is readonly Block[] {
  return Array.isArray(blocks)
}
