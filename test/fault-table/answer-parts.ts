/** Parts of answers that break off: unfinished blocks, and a finished call. */
import { callBlock, event, started, textBlock } from '../support/scripted-api.ts'

export const openText = (index: number, text: string) =>
  event('content_block_start', { index, content_block: { type: 'text', text: '' } }) +
  event('content_block_delta', { index, delta: { type: 'text_delta', text } })
export const openCall = (index: number, json: string) =>
  event('content_block_start', {
    index,
    content_block: { type: 'tool_use', id: 'toolu_half', name: 'count', input: {} },
  }) + event('content_block_delta', { index, delta: { type: 'input_json_delta', partial_json: json } })
export const openThought = (index: number) =>
  event('content_block_start', { index, content_block: { type: 'thinking', thinking: '', signature: '' } }) +
  event('content_block_delta', { index, delta: { type: 'thinking_delta', thinking: 'Half a thought' } })
export const thought = (index: number) =>
  event('content_block_start', { index, content_block: { type: 'thinking', thinking: '', signature: '' } }) +
  event('content_block_delta', { index, delta: { type: 'thinking_delta', thinking: 'A thought' } }) +
  event('content_block_delta', { index, delta: { type: 'signature_delta', signature: 'c2ln' } }) +
  event('content_block_stop', { index })
export const serverCall = (index: number) =>
  event('content_block_start', {
    index,
    content_block: { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: {} },
  }) + event('content_block_stop', { index })

export const aCall = { type: 'tool_use', id: 'toolu_1', input: { n: 1 } }
export const textAndCall = [started(), textBlock(0, 'I count.'), callBlock(1, '{"n":1}')]
export const keptCalls = {
  caller: { says: 'I count.', stop: 'tool_use', calls: [aCall] },
  recorded: { stop_reason: 'tool_use', content: [{ type: 'text' }, aCall] },
} as const
