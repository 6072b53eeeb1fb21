/**
 * The server-sent events of one answer, in the order and shape of the real API.
 * 1. Joined, the frames are the whole body; a cut point is a byte position in it.
 * 2. Deltas of one block, joined, are the block; a delta never splits a character.
 */
import type { Block } from './conversation.ts'
import type { JsonObject } from './json.ts'
import { stringOf } from './json.ts'
import type { ServedMessage, Usage } from './record.ts'

export interface Frame {
  readonly event: string
  readonly bytes: Buffer
  readonly blockIndex?: number
  /** For a delta that carries content: the type of its block. */
  readonly deltaOf?: string
}

/** In bytes, joined. */
export const lengthOf = (frames: readonly Frame[]): number => frames.reduce((sum, { bytes }) => sum + bytes.length, 0)

const MIN_PIECE = 8
const MAX_PIECES = 24

export function frame(event: string, data: JsonObject, extra: Pick<Frame, 'blockIndex' | 'deltaOf'> = {}): Frame {
  return { event, bytes: Buffer.from(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`), ...extra }
}

export const PING = frame('ping', { type: 'ping' })

/** `partialInput`: the arguments of the last block as far as they are streamed, if a limit cut them. */
export function framesOf(message: ServedMessage, partialInput?: string): readonly Frame[] {
  const { content, usage, stop_reason, stop_sequence, stop_details, container, safeguard_results, ...rest } = message
  const opening = {
    ...rest,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    ...(stop_details !== undefined && { stop_details: null }),
    ...(container !== undefined && { container: null }),
  }
  const started = { ...usage, output_tokens: Math.min(1, usage.output_tokens) }
  const delta = {
    stop_reason,
    stop_sequence,
    ...(stop_details !== undefined && { stop_details }),
    ...(container !== undefined && { container }),
    ...(safeguard_results !== undefined && { safeguard_results }),
  }
  const framesOfBlock = (block: Block, index: number): readonly Frame[] =>
    blockFrames(block, index, index === content.length - 1 ? partialInput : undefined)
  return [
    frame('message_start', { type: 'message_start', message: { ...opening, usage: started } }),
    ...(content.length === 0 ? [PING] : content.flatMap(framesOfBlock)),
    frame('message_delta', { type: 'message_delta', delta, usage: deltaUsage(usage) }),
    frame('message_stop', { type: 'message_stop' }),
  ]
}

function blockFrames(block: Block, index: number, partialInput: string | undefined): readonly Frame[] {
  const start = frame(
    'content_block_start',
    { type: 'content_block_start', index, content_block: emptied(block) },
    { blockIndex: index },
  )
  const deltas = deltasOf(block, partialInput).map((delta) =>
    frame(
      'content_block_delta',
      { type: 'content_block_delta', index, delta },
      { blockIndex: index, ...(carries(delta) && { deltaOf: block.type }) },
    ),
  )
  const stop = frame('content_block_stop', { type: 'content_block_stop', index }, { blockIndex: index })
  return index === 0 ? [start, PING, ...deltas, stop] : [start, ...deltas, stop]
}

function emptied(block: Block): JsonObject {
  if (block.type === 'text') return { ...block, text: '' }
  if (block.type === 'thinking') return { ...block, thinking: '', signature: '' }
  if (block.type === 'compaction') return { ...block, content: null }
  if (streamsInput(block)) return { ...block, input: {} }
  return block
}

function deltasOf(block: Block, partialInput: string | undefined): readonly JsonObject[] {
  if (block.type === 'text') return pieces(stringOf(block['text'])).map((text) => ({ type: 'text_delta', text }))
  if (block.type === 'thinking') {
    const words = pieces(stringOf(block['thinking'])).map((thinking) => ({ type: 'thinking_delta', thinking }))
    return [...words, { type: 'signature_delta', signature: stringOf(block['signature']) }]
  }
  if (block.type === 'compaction') {
    const { content, encrypted_content = null } = block
    return [{ type: 'compaction_delta', content, encrypted_content }]
  }
  if (!streamsInput(block)) return []
  const json = partialInput ?? JSON.stringify(block['input'] ?? {})
  // A call without arguments has one empty delta and nothing else.
  const parts = json === '{}' ? [''] : ['', ...pieces(json)]
  return parts.map((partial_json) => ({ type: 'input_json_delta', partial_json }))
}

function streamsInput(block: Block): boolean {
  return block.type === 'tool_use' || block.type === 'server_tool_use'
}

function carries(delta: JsonObject): boolean {
  return delta['type'] !== 'signature_delta' && delta['partial_json'] !== ''
}

function pieces(text: string): readonly string[] {
  const characters = Array.from(text)
  const size = Math.max(MIN_PIECE, Math.ceil(characters.length / MAX_PIECES))
  const list: string[] = []
  for (let at = 0; at < characters.length; at += size) list.push(characters.slice(at, at + size).join(''))
  return list
}

function deltaUsage(usage: Usage): JsonObject {
  const { input_tokens, cache_creation_input_tokens, cache_read_input_tokens, output_tokens } = usage
  return { input_tokens, cache_creation_input_tokens, cache_read_input_tokens, output_tokens }
}
