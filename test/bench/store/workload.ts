/**
 * Steps as a coding agent has them: an answer of some 1.5 KB with a tool call, the call's intent, its result of some 6 KB,
 * and the request that carries it. One checkpoint takes all four, so that a step is one append, as with the floors.
 */
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
  const { message, result } = contentOf(step, size)
  const messages = [
    { role: 'assistant', content: message.content },
    { role: 'user', content: [result] },
  ]
  return Buffer.byteLength(JSON.stringify(messages))
}

function contentOf(step: number, size: Size) {
  const toolUseId = `toolu_${String(step).padStart(20, '0')}`
  const text = { type: 'text', text: `Part ${step} fails for want of a case; I add it.` }
  const edit = size === 'usual' ? sourceText(step, 1_200) : `x${step}`
  const call = { type: 'tool_use', id: toolUseId, name: 'edit', input: { path: `src/part-${step}.ts`, text: edit } }
  const content = size === 'usual' ? sourceText(step + 1, 5_750) : 'ok'
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

/** Source code with characters that JSON has to escape, different for each step. */
function sourceText(step: number, length: number): string {
  const line = `export const answer${step} = (question: string): number => question.length * ${step} // "quoted"\n`
  return line.repeat(Math.ceil(length / line.length)).slice(0, length)
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
