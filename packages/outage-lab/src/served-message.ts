/**
 * From a reply to the message that the API would send.
 * 1. Tool ids come from the seed and the position in the conversation, and never equal one in the transcript: the same
 *    request gets the same ids, from any lab. With `fresh` ids each attempt has its own, as from the real API.
 * 2. Message ids are new on every request.
 * 3. Blocks have the fields that this API version adds (`citations: null`, `caller`), for clients to cope with.
 */
import type { Measurement } from './cache.ts'
import type { Block } from './conversation.ts'
import { digest, makeId } from './digest.ts'
import { isObject, stringOf } from './json.ts'
import { assistantCount } from './queries.ts'
import type { ServedMessage, Usage } from './record.ts'
import type { Reply } from './reply.ts'
import type { Container } from './server-objects.ts'
import { bindBlock, signBlock, signCompaction } from './signature.ts'
import { tokensOf } from './tokens.ts'
import { place, type Transcript } from './transcript.ts'

export type ToolIds = 'stable' | 'fresh'

export interface MessageMaking {
  readonly seed: number
  /** Number of the request. */
  readonly n: number
  readonly toolIds: ToolIds
  readonly measurement: Measurement
  readonly container: Container | undefined
}

export function makeMessage(reply: Reply, transcript: Transcript, making: MessageMaking): ServedMessage {
  const { conversation, card, modern } = transcript
  const { stop_sequences: sequences } = conversation.request
  // Any of them: what the model says is not searched.
  const [sequence = null] =
    reply.stopReason === 'stop_sequence' && Array.isArray(sequences) ? sequences.map(stringOf) : []
  const content = sign(blocksToServe(reply, transcript, making), transcript)
  const usage: Usage = {
    ...making.measurement.usage,
    output_tokens: Math.max(
      1,
      content.reduce((sum, block) => sum + tokensOf(block), 0),
    ),
  }
  const dropped = droppedThinking(transcript)
  return {
    id: makeId('msg', making.seed, making.n, digest(JSON.stringify(conversation.messages))),
    type: 'message',
    role: 'assistant',
    model: card.id,
    content,
    stop_reason: reply.stopReason,
    stop_sequence: sequence,
    ...(modern && { stop_details: null, container: null, diagnostics: null }),
    ...(making.container && { container: making.container }),
    ...(dropped.length > 0 && { input_transformations: dropped }),
    ...(conversation.request['safeguards'] !== undefined && { safeguard_results: verdictsOn(content) }),
    usage: {
      ...usage,
      ...(modern && {
        server_tool_use: null,
        service_tier: 'standard',
        inference_geo: null,
        speed: null,
        output_tokens_details: null,
      }),
    },
  }
}

function blocksToServe(
  reply: Reply,
  { conversation, modern, thinkingOff }: Transcript,
  { seed, n, toolIds }: MessageMaking,
): readonly Block[] {
  const used = new Set(conversation.messages.flatMap((message) => message.content.map((block) => block['id'])))
  const position = assistantCount(conversation)
  // Calls that wait for their results are in the assistant's last message.
  const turn = [...(conversation.messages.findLast((message) => message.role === 'assistant')?.content ?? [])]
  const request = conversation.request
  const hidden = isObject(request['thinking']) && request['thinking']['display'] === 'omitted'
  return reply.blocks
    .filter((block) => !(thinkingOff && isObject(request['thinking']) && block.type.endsWith('thinking')))
    .map((block, index): Block => {
      if (block.type === 'text') return { ...(modern && { citations: null }), ...block }
      if (block.type === 'thinking') return { ...block, ...(hidden && { thinking: '' }) }
      if (block.type === 'server_tool_use' && block['id'] === undefined) {
        const id = makeId('srvtoolu', seed, position, index, turn.length)
        turn.push({ ...block, id })
        return { ...block, id, ...(modern && { caller: { type: 'direct' } }) }
      }
      if (block.type.endsWith('_tool_result') && block['tool_use_id'] === undefined) {
        const result = { ...block, tool_use_id: openCall(turn, block.type) }
        turn.push(result)
        return result
      }
      if (block.type !== 'tool_use') return block
      const id = stringOf(block['id']) || freeId(used, seed, position, index, toolIds === 'fresh' ? n : 0)
      used.add(id)
      return {
        type: 'tool_use',
        id,
        name: block['name'],
        input: block['input'] ?? {},
        ...(modern && { caller: { type: 'direct' } }),
      }
    })
}

/** The id of the last open call of the server tool whose results have this type. */
function openCall(turn: readonly Block[], type: string): string {
  const answered = new Set(turn.map((block) => block['tool_use_id']))
  const call = turn.findLast(
    (block) =>
      block.type === 'server_tool_use' &&
      !answered.has(block['id']) &&
      stringOf(block['name']).startsWith(type.replace(/_tool_result$/, '')),
  )
  return stringOf(call?.['id'])
}

function freeId(used: ReadonlySet<unknown>, ...parts: readonly number[]): string {
  let salt = 0
  let id = makeId('toolu', ...parts)
  while (used.has(id)) id = makeId('toolu', ...parts, ++salt)
  return id
}

function sign(blocks: readonly Block[], { binding, card }: Transcript): readonly Block[] {
  let at = binding
  return blocks.map((block) => {
    if (block.type === 'compaction' && block['signature'] === undefined && block['encrypted_content'] === undefined) {
      const signed = signCompaction(stringOf(block['content']))
      at = bindBlock(at, 'assistant', signed)
      return signed
    }
    const unsigned =
      block.type === 'thinking'
        ? block['signature'] === undefined
        : block.type === 'redacted_thinking' && block['data'] === undefined
    const served = unsigned ? signBlock(at, card.id, block) : block
    at = bindBlock(at, 'assistant', served)
    return served
  })
}

/** On each call: nothing is found dangerous here. */
function verdictsOn(content: readonly Block[]): readonly unknown[] {
  const calls = content.filter(({ type }) => type === 'tool_use')
  const verdicts = calls.map(({ id }) => [id, { type: 'evaluated', outcome: 'not_flagged' }] as const)
  return [{ type: 'dangerous_tool_use', status: { type: 'available', tool_uses: Object.fromEntries(verdicts) } }]
}

function droppedThinking({
  findings,
}: Transcript): readonly { readonly type: string; readonly path: string; readonly reason: string }[] {
  return findings.map(({ placed, fault }) => ({
    type: 'thinking_dropped',
    path: place(placed),
    reason: fault === 'model' ? 'model_binding_mismatch' : 'prefix_binding_mismatch',
  }))
}
