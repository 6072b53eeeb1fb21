/**
 * Reads an answer as a client does that shares no code with lastgood, and says at once what is wrong with its form: a
 * second beginning, blocks out of order, an end that nobody announced.
 */
import type { Block } from '@lastgood/core'

export interface Answer {
  kind: 'answer'
  id: string
  content: Block[]
  stopReason: string | null
  usage: Readonly<Record<string, unknown>>
}

/** `told`: with an error event, or with words that are not JSON; `broken`: the connection is gone. */
export type Outcome = Answer | { kind: 'told' } | { kind: 'broken' }

interface Said {
  type: string
  index?: number
  message?: { id: string; usage: object }
  content_block?: Block
  delta?: Record<string, unknown>
  usage?: object
}

/** `next` gives the pieces of a stream, undefined at its end, and rejects where it breaks. */
export async function readStream(
  next: () => Promise<Uint8Array | undefined>,
  find: (promise: string, what: string) => void,
): Promise<Outcome> {
  const decoder = new TextDecoder()
  const blocks = new Map<number, { block: Block; json: string }>()
  let [text, open, last] = ['', -1, -1]
  let usage = {}
  let id: string | undefined
  let stopReason: string | null = null
  let isStopped = false

  const take = (said: Said): void => {
    const { type, index = -1, delta = {} } = said
    if (type === 'ping') return
    if (isStopped) find('P4', `${type} after the end of an answer`)
    if (type === 'message_start') {
      if (id !== undefined) find('P4', 'an answer begins twice')
      id = said.message?.id ?? ''
      usage = { ...said.message?.usage }
    } else if (id === undefined) find('P4', `${type} before an answer begins`)
    if (type === 'content_block_start') {
      if (index <= last) find('P4', `block ${index} begins after block ${last}`)
      last = open = index
      blocks.set(index, { block: { ...said.content_block! }, json: '' })
    }
    if (type === 'content_block_delta' || type === 'content_block_stop') {
      if (index !== open) find('P4', `${type} of block ${index}, while block ${open} is open`)
    }
    const at = blocks.get(index)
    if (type === 'content_block_delta' && at) {
      for (const field of ['text', 'thinking', 'signature'])
        if (typeof delta[field] === 'string')
          at.block[field] = `${(at.block[field] as string | undefined) ?? ''}${delta[field]}`
      if (typeof delta['partial_json'] === 'string') at.json += delta['partial_json']
    }
    if (type === 'content_block_stop' && at) {
      open = -1
      if (at.json !== '') at.block['input'] = JSON.parse(at.json)
    }
    if (type === 'message_delta') {
      stopReason = (delta['stop_reason'] as string | null | undefined) ?? stopReason
      usage = { ...usage, ...said.usage }
    }
    if (type === 'message_stop') isStopped = true
  }

  try {
    for (let piece = await next(); piece; piece = await next()) {
      text += decoder.decode(piece, { stream: true })
      const parts = text.split('\n\n')
      text = parts.pop() ?? ''
      for (const part of parts) {
        const said = JSON.parse(/^data: (.*)$/m.exec(part)?.[1] ?? '{"type":"ping"}') as Said
        if (said.type === 'error') return { kind: 'told' }
        take(said)
      }
    }
  } catch {
    return { kind: 'broken' }
  }
  if (!isStopped) {
    find('P1', 'a stream ended as if it were whole')
    return { kind: 'broken' }
  }
  return { kind: 'answer', id: id ?? '', content: [...blocks.values()].map(({ block }) => block), stopReason, usage }
}

/** The same for an answer in one piece. */
export async function readWhole(next: () => Promise<Uint8Array | undefined>): Promise<Outcome> {
  const decoder = new TextDecoder()
  let text = ''
  try {
    for (let piece = await next(); piece; piece = await next()) text += decoder.decode(piece, { stream: true })
  } catch {
    return { kind: 'broken' }
  }
  try {
    const { stop_reason: stopReason, ...rest } = JSON.parse(text) as Answer & { stop_reason: string | null }
    return { ...rest, kind: 'answer', stopReason }
  } catch {
    return { kind: 'told' }
  }
}
