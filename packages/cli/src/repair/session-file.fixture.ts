/**
 * Session files as Claude Code 2.1.330 writes them, and what it sends of one: each block of an answer is a line,
 * results of parallel calls hang on their calls, and lines between them are not part of the conversation.
 */
import { signThinking } from '@lastgood/outage-lab'
import type { Block, Message } from '@lastgood/core'

const model = 'claude-opus-5-5'
const tools = [{ name: 'Bash', description: 'Runs a command', input_schema: { type: 'object' } }]

export type LineValue = Record<string, unknown> & {
  message?: { id?: string; model?: string; role: string; content: string | Block[] }
}

export const text = (said: string): Block => ({ type: 'text', text: said })
export const thinking: Block = { type: 'thinking', thinking: '', signature: '' }
export const call = (id: string): Block => ({ type: 'tool_use', id, name: 'Bash', input: { command: `echo ${id}` } })
export const result = (id: string): Block => ({
  type: 'tool_result',
  tool_use_id: id,
  content: `${id} done`,
  is_error: false,
})
export const user = (content: Message['content']): Message => ({ role: 'user', content })
export const assistant = (...content: Block[]): Message => ({ role: 'assistant', content })

/** Two turns, the first with two parallel calls. */
export const twoTurns: readonly Message[] = [
  user('Do the steps.'),
  assistant(thinking, text('Step one.'), call('toolu_1')),
  user([result('toolu_1')]),
  assistant(thinking, text('Step two.'), call('toolu_2'), call('toolu_3')),
  user([result('toolu_2'), result('toolu_3')]),
  assistant(thinking, text('All done.')),
  user('Again please.'),
  assistant(thinking, text('Once more.'), call('toolu_4')),
  user([result('toolu_4')]),
  assistant(thinking, text('Done again.')),
]

/** The lines of a conversation, in the order of writing. */
export function linesFor(messages: readonly Message[]): LineValue[] {
  // Not a structured clone: that keeps a block that occurs twice as one object, which would be signed once.
  const signed = signThinking({
    model,
    max_tokens: 1000,
    tools,
    messages: JSON.parse(JSON.stringify(messages)) as Message[],
  }).messages
  const lines: LineValue[] = [
    { type: 'queue-operation', operation: 'enqueue', sessionId: 's', content: 'Do the steps.' },
  ]
  let tip: string | null = null
  let count = 0
  const callLine = new Map<string, string>()
  const add = (value: LineValue, parent = tip): string => {
    count += 1
    const uuid = `00000000-0000-4000-8000-${String(count).padStart(12, '0')}`
    const at = { timestamp: new Date(1_795_900_000_000 + count * 1000).toISOString() }
    const where = { userType: 'external', cwd: '/work', sessionId: 's', version: '2.1.330', gitBranch: 'main' }
    lines.push({ parentUuid: parent, isSidechain: false, ...value, uuid, ...at, ...where })
    tip = uuid
    return uuid
  }
  signed.forEach(({ role, content }, at) => {
    if (role === 'assistant') {
      for (const block of content as Block[]) {
        const uuid = add({ type: 'assistant', message: { id: `msg_${at}`, role, content: [block], model } })
        if (block.type === 'tool_use') callLine.set(String(block['id']), uuid)
      }
      // It looks like a message, but is a note of what was sent.
      lines.push({ type: 'api-request-blob', sessionId: 's', message: { role: 'user', content: [text('')] } })
      return
    }
    if (typeof content === 'string') {
      add({ type: 'user', message: { role, content } })
      if (at === 0) add({ type: 'attachment', attachment: { type: 'date', date: '2026-11-29' } })
      return
    }
    for (const block of content) {
      const parent = callLine.get(String(block['tool_use_id'])) ?? tip
      add({ type: 'user', message: { role, content: [block] }, toolUseResult: { stdout: '' } }, parent)
    }
  })
  lines.push({ type: 'last-prompt', leafUuid: tip, sessionId: 's' })
  return lines
}

export const fileOf = (lines: readonly LineValue[]): Buffer =>
  Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))

export const valuesIn = (file: Buffer): LineValue[] =>
  file
    .toString()
    .split('\n')
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as LineValue]
      } catch {
        return []
      }
    })

/** What a client sends of a file without branches: an answer's lines as one message, and the user's likewise. */
export function sentOf(file: Buffer): Message[] {
  const messages: (Message & { id?: string | undefined })[] = []
  for (const { type, isSidechain, message } of valuesIn(file)) {
    if (!message || isSidechain === true || (type !== 'user' && type !== 'assistant')) continue
    const { role, id, content } = message
    const blocks = typeof content === 'string' ? [text(content)] : content
    const last = messages.at(-1)
    const home = last?.role === 'user' && role === 'assistant' && isQuick(last) ? messages.at(-2) : last
    if (home?.role === role && (role === 'user' || (id !== undefined && home.id === id)))
      (home.content as Block[]).push(...blocks)
    else messages.push({ role, id, content: [...blocks] })
  }
  return messages.map(({ role, content }) => ({ role, content }))
}

const isQuick = ({ content }: Message): boolean => (content as Block[]).every(({ type }) => type === 'tool_result')

/**
 * The request as if every answer had been thought where it now stands: the effect of an edit on signatures, which only
 * the API can check, is disregarded.
 */
export function resigned<Request extends object>(request: Request): Request {
  const bare = JSON.stringify(request, (name, value: unknown) => (name === 'signature' && value ? '' : value))
  return signThinking(JSON.parse(bare) as Request)
}

/** Adds what a person says next. */
export function requestOf(file: Buffer): object {
  return { model, max_tokens: 1000, tools, messages: [...sentOf(file), user('Go on.')] }
}
