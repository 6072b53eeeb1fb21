/**
 * Steps as a coding agent has them: an answer of some 1.5 KB with a tool call, the call's intent, its result of some 6 KB,
 * and the request that carries it. One checkpoint takes all four, so that a step is one append, as with the floors. The
 * text is source code of this repository: some stores compress, and should not gain more from it than with a real agent.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { memoryStore, openSession, type Entry, type EntryBody, type Head } from '@lastgood/core'

export const entriesPerStep = 4

/** A checkpoint as a store takes it. */
export interface Step {
  readonly afterSeq: number
  readonly entries: readonly Entry[]
  readonly head: Head
}

/** Before the first step: a turn, and its request. */
export const beginning: readonly EntryBody[] = [
  { type: 'turn-started', turn: 1, agent: 'coder', messages: [{ role: 'user', content: 'Make the tests green.' }] },
  { type: 'request-sent', model: 'claude-opus-5-5', attempt: 1 },
]

export type Size = 'usual' | 'small'

export function bodiesOf(step: number, size: Size = 'usual'): EntryBody[] {
  const { message, toolUseId, result } = contentOf(step, size)
  return [
    { type: 'response-received', message, requestId: `req_${step}` },
    { type: 'tool-started', toolUseId, name: 'edit', inDoubt: 'report' },
    { type: 'tool-finished', toolUseId, result, outcome: 'ran' },
    { type: 'request-sent', model: message.model, attempt: 1 },
  ]
}

/** Bytes of the two messages that a step adds, as JSON: the least that has to be stored. */
export function contentBytes(step: number, size: Size = 'usual'): number {
  return Buffer.byteLength(JSON.stringify(messagesOf(step, size)))
}

/** What a step adds to the conversation. */
export function messagesOf(step: number, size: Size = 'usual') {
  const { message, result } = contentOf(step, size)
  return [
    { role: 'assistant', content: message.content },
    { role: 'user', content: [result] },
  ]
}

function contentOf(step: number, size: Size) {
  const toolUseId = `toolu_${String(step).padStart(20, '0')}`
  const text = { type: 'text', text: `Part ${step} fails for want of a case; I add it.` }
  const from = step * 7_001
  const edit = size === 'usual' ? sourceText(from, 1_150) : `x${step}`
  const call = { type: 'tool_use', id: toolUseId, name: 'edit', input: { path: `src/part-${step}.ts`, text: edit } }
  const content = size === 'usual' ? sourceText(from + 1_150, 5_850) : 'ok'
  const message = {
    id: `msg_${String(step).padStart(20, '0')}`,
    role: 'assistant' as const,
    model: 'claude-opus-5-5',
    content: [text, call],
    stop_reason: 'tool_use',
    usage: { input_tokens: 1000, output_tokens: 300 },
  }
  return { message, toolUseId, result: { type: 'tool_result', tool_use_id: toolUseId, content } }
}

const src = fileURLToPath(new URL('../src', import.meta.resolve('@lastgood/core')))

const source = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
  .sort()
  .map((file) => readFileSync(join(src, file), 'utf8'))
  .join('\n')

/** From the beginning again after the end, but at other places. */
function sourceText(from: number, length: number): string {
  return source.slice(from % (source.length - length)).slice(0, length)
}

/** The head that a session has in such a turn. */
export async function usualHead(): Promise<Head> {
  const store = memoryStore()
  const session = await openSession('usual', { store, cwd: '/home/ann/project' })
  await session.record([...beginning, ...bodiesOf(0)])
  const summary = await store.summary('usual')
  await session.close()
  return (summary as { head: Head }).head
}

/** Step `step` for `store.append`, under a lease with this fence. */
export function stepOf(step: number, sessionId: string, fence: number, head: Head): Step {
  const [afterSeq, at] = [step * entriesPerStep, Date.now()]
  const entries = bodiesOf(step).map((body, i): Entry => ({
    ...body,
    v: head.v,
    at,
    fence,
    lane: 'main',
    seq: afterSeq + 1 + i,
  }))
  return { afterSeq, entries, head: { ...head, sessionId, seq: afterSeq + entriesPerStep, updatedAt: at } }
}
