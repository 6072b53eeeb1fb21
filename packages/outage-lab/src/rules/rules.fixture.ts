/** Building blocks of the rules' cases: messages, blocks, and turns as a lab would serve them. */
import { createCache } from '../cache.ts'
import type { Block } from '../conversation.ts'
import { makeMessage } from '../served-message.ts'
import type { JsonObject } from '../json.ts'
import { findModel, modelCard, MODELS } from '../models.ts'
import { reply, text, thinking, toolUse } from '../reply.ts'
import { signCompaction } from '../signature.ts'
import { readTranscript, type Pause, type Transcript } from '../transcript.ts'

export interface Asked {
  readonly version?: string
  readonly betas?: readonly string[]
  readonly pauseOf?: (content: readonly Block[]) => Pause
}

/** A request with one field added or changed. */
export type Case = readonly [request: JsonObject, asked?: Asked]

const tiny = modelCard('tiny', { maxInputTokens: 100, maxTokens: 100 })

export function read(
  request: JsonObject,
  { version = '2023-06-01', betas = [], pauseOf = () => undefined }: Asked = {},
): Transcript {
  const card = findModel([...MODELS, tiny], String(request['model'])) ?? tiny
  return readTranscript(request, { card, version, betas, pauseOf })
}

export const user = (...content: readonly unknown[]): JsonObject => ({
  role: 'user',
  content: content.map((part) => (typeof part === 'string' ? text(part) : part)),
})
export const assistant = (...content: readonly unknown[]): JsonObject => ({ ...user(...content), role: 'assistant' })
export const call = (id: string): JsonObject => ({ type: 'tool_use', id, name: 'read', input: {} })
export const result = (id: string): JsonObject => ({ type: 'tool_result', tool_use_id: id, content: 'x' })
export const marked = (ttl?: string): JsonObject => ({
  type: 'text',
  text: 'm',
  cache_control: { type: 'ephemeral', ...(ttl !== undefined && { ttl }) },
})
export const tool = (name: string): JsonObject => ({ name, input_schema: { type: 'object' } })
/** The tools of an MCP server; the set has no name. */
export const toolset = (server: string): JsonObject => ({ type: 'mcp_toolset', mcp_server_name: server })
export const NEW = { model: 'claude-opus-5-5', max_tokens: 100, messages: [user('hi')] }
export const OLD = { ...NEW, model: 'claude-sonnet-4-5' }
export const talk = (...messages: readonly JsonObject[]): JsonObject => ({ ...NEW, messages })
export const search: JsonObject = { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: {} }
export const found: JsonObject = { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [] }

export const reference: JsonObject = { type: 'tool_reference', tool_name: 'grep' }
export const searchTool: JsonObject = { type: 'web_search_20260318', name: 'web_search' }
export const summary = { ...signCompaction('So far: a.') }
export const fallback: JsonObject = { type: 'fallback', from: { model: 'a' }, to: { model: 'b' } }
export const summarize: JsonObject = { compaction: { type: 'summarize' } }

/** The assistant's turn as a lab would serve it, signed. */
function served(request: JsonObject, ...blocks: readonly Block[]): readonly JsonObject[] {
  const transcript = read(request)
  const measurement = createCache({ now: () => 0, minCacheTokens: 0 }).measure(transcript.conversation)
  return makeMessage(reply(blocks), transcript, { seed: 1, n: 1, toolIds: 'stable', measurement, container: undefined })
    .content
}

export const thought = served(NEW, thinking('why'), thinking('how'), toolUse('read', {}, 't1'))
export const thoughtOld = served(OLD, thinking('why'), toolUse('read', {}, 't1'))
export const answered = [assistant(...thought), user(result('t1'))]

export function png(width: number): JsonObject {
  const bytes = Buffer.alloc(24)
  bytes.write('\x89PNG\r\n\x1a\n', 'latin1')
  bytes.writeUInt32BE(width, 16)
  bytes.writeUInt32BE(10, 20)
  return image(bytes.toString('base64'))
}

export function image(data: string): JsonObject {
  return { type: 'image', source: { type: 'base64', media_type: 'image/png', data } }
}

export const manyImages = Array.from({ length: 20 }, () => png(100))
