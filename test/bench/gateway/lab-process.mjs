/**
 * The API of the gateway bench, in a process of its own: answers at once, as it was told to, and reads a request
 * without parsing it. Told by messages of its parent:
 *
 *     { kind: 'whole' }                          a JSON message
 *     { kind: 'stream', deltas, everyMs, call }  `deltas` pieces of text, then a tool call if `call`
 *     { kind: 'held' }                           the beginning of a stream, whose end waits for { kind: 'release' }
 *
 * 1. Each piece of text begins with the instant at which it was written: `@<ns>`, by the monotonic clock of this host.
 * 2. No id comes twice.
 */
import { createServer } from 'node:http'

const model = 'claude-opus-5-5'
const usage = { input_tokens: 1000, output_tokens: 100 }

let plan = { kind: 'whole' }
let answers = 0
let held = []

const event = (type, data) => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`
const piece = () => {
  const text = `@${process.hrtime.bigint()} so many words, `
  return event('content_block_delta', { index: 0, delta: { type: 'text_delta', text } })
}

function begin(response, id) {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'request-id': `req_${id}` })
  const message = { id: `msg_${id}`, type: 'message', role: 'assistant', model, content: [], stop_reason: null, usage }
  response.write(event('message_start', { message }))
  response.write(event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }))
}

function end(response, id, call) {
  response.write(event('content_block_stop', { index: 0 }))
  if (call) {
    const block = { type: 'tool_use', id: `toolu_${String(id).padStart(20, '0')}`, name: 'Read', input: {} }
    const json = JSON.stringify({ file_path: `/home/ann/project/src/part-${id}.ts` })
    response.write(event('content_block_start', { index: 1, content_block: block }))
    for (const partial of [json.slice(0, 20), json.slice(20)]) {
      response.write(
        event('content_block_delta', { index: 1, delta: { type: 'input_json_delta', partial_json: partial } }),
      )
    }
    response.write(event('content_block_stop', { index: 1 }))
  }
  const delta = { stop_reason: call ? 'tool_use' : 'end_turn', stop_sequence: null }
  response.write(event('message_delta', { delta, usage: { output_tokens: 100 } }))
  response.end(event('message_stop', {}))
}

async function stream(response, id, { deltas, everyMs, call }) {
  begin(response, id)
  for (let at = 0; at < deltas; at += 1) {
    // Each in its own packet, as from a model.
    await new Promise((resolve) => (everyMs > 0 ? setTimeout(resolve, everyMs) : setImmediate(resolve)))
    response.write(piece())
  }
  end(response, id, call)
}

function whole(response, id) {
  const content = [{ type: 'text', text: `Answer ${id}.` }]
  const message = {
    id: `msg_${id}`,
    type: 'message',
    role: 'assistant',
    model,
    content,
    stop_reason: 'end_turn',
    usage,
  }
  response.writeHead(200, { 'content-type': 'application/json', 'request-id': `req_${id}` })
  response.end(JSON.stringify(message))
}

function answer(response) {
  answers += 1
  const id = answers
  if (plan.kind === 'whole') return whole(response, id)
  if (plan.kind === 'stream') return void stream(response, id, plan)
  begin(response, id)
  response.write(piece())
  held.push(() => end(response, id, false))
}

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  request.resume().on('end', () => answer(response))
})
server.listen(0, '127.0.0.1', () => process.send(`http://127.0.0.1:${server.address().port}`))

process.on('message', (told) => {
  if (told.kind === 'release') {
    for (const one of held) one()
    held = []
  } else plan = told
  process.send('done')
})
process.on('disconnect', () => process.exit())
