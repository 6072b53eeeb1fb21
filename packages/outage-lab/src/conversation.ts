/**
 * The transcript of one request, in one shape however the client wrote it.
 * 1. String content is a list with one text block.
 * 2. Consecutive messages of one role are one message, as the real API merges them.
 * 3. Every block knows its place in the request, for error texts.
 */
import { objectsOf, stringOf, type JsonObject } from './json.ts'

export interface Block {
  readonly type: string
  readonly [field: string]: unknown
}

export type Role = 'user' | 'assistant' | 'system'

export interface Message {
  readonly role: Role
  readonly content: readonly Block[]
}

/** What a model function gets: the whole transcript, threads expanded, messages merged. */
export interface Conversation {
  readonly model: string
  readonly system: readonly Block[]
  readonly tools: readonly JsonObject[]
  readonly messages: readonly Message[]
  /** The request body as it was received. */
  readonly request: JsonObject
}

/** A block and its place in the request: `messages.<message>.content.<index>`. */
export interface PlacedBlock {
  readonly block: Block
  readonly message: number
  readonly index: number
}

export interface Turn {
  readonly role: Role
  /** Index in the request of the first message of the turn. */
  readonly message: number
  readonly blocks: readonly PlacedBlock[]
}

function blocksOf(content: unknown): readonly Block[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  return objectsOf(content).map((block) => ({ ...block, type: stringOf(block['type']) }))
}

export function turnsOf(messages: readonly JsonObject[]): readonly Turn[] {
  const turns: (Turn & { blocks: PlacedBlock[] })[] = []
  messages.forEach((message, at) => {
    const role = roleOf(message['role'])
    // A final assistant message may be the empty string; it says nothing.
    const content = message['content'] === '' ? [] : blocksOf(message['content'])
    const blocks = content.map((block, index) => ({ block, message: at, index }))
    const last = turns.at(-1)
    if (last?.role === role) last.blocks.push(...blocks)
    else turns.push({ role, message: at, blocks })
  })
  return turns
}

export function conversationOf(request: JsonObject, model: string, turns: readonly Turn[]): Conversation {
  return {
    model,
    system: request['system'] === undefined ? [] : blocksOf(request['system']).filter((block) => !isBilling(block)),
    tools: objectsOf(request['tools']),
    messages: turns.map((turn) => ({ role: turn.role, content: turn.blocks.map((placed) => placed.block) })),
    request,
  }
}

/** A billing line that some clients put first in `system`: it changes, and is no part of the prompt. */
function isBilling(block: Block): boolean {
  return stringOf(block['text']).startsWith('x-anthropic-billing-header')
}

export function isThinking(block: Block): boolean {
  return block.type === 'thinking' || block.type === 'redacted_thinking'
}

function roleOf(role: unknown): Role {
  return role === 'assistant' || role === 'system' ? role : 'user'
}

export function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  return objectsOf(content)
    .map((block) => (block['type'] === 'text' ? stringOf(block['text']) : ''))
    .join('')
}
