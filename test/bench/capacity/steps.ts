/** Steps whose texts are source code of this repository, so that they compress like real ones. */
import { readFileSync } from 'node:fs'
import type { EntryBody } from '@lastgood/core'

const sources = [
  'session/session',
  'faults/classify',
  'journal/transcript',
  'session/tool-ledger',
  'machine/machine',
].map((name) => readFileSync(new URL(`../src/${name}.ts`, import.meta.resolve('@lastgood/core')), 'utf8'))
const source = sources.join('\n')

/** `length` characters, different for each `at`. */
function sourceText(at: number, length: number): string {
  const from = (at * 997) % (source.length - length)
  return source.slice(from, from + length)
}

export function startOf(): EntryBody[] {
  return [
    { type: 'turn-started', turn: 1, agent: 'coder', messages: [{ role: 'user', content: 'Make the tests green.' }] },
    { type: 'request-sent', model: 'claude-opus-5-5', attempt: 1 },
  ]
}

/** An answer of some 1.5 KB with a tool call, and the call's result of some 6 KB. */
export function stepOf(at: number): EntryBody[] {
  const toolUseId = `toolu_${String(at).padStart(20, '0')}`
  const call = {
    type: 'tool_use',
    id: toolUseId,
    name: 'edit',
    input: { path: `src/${at}.ts`, text: sourceText(at, 1_100) },
  }
  const message = {
    id: `msg_${String(at).padStart(20, '0')}`,
    role: 'assistant' as const,
    model: 'claude-opus-5-5',
    content: [{ type: 'text', text: `Part ${at} fails for want of a case; I add it.` }, call],
    stop_reason: 'tool_use',
    usage: { input_tokens: 1000, output_tokens: 300 },
  }
  const result = { type: 'tool_result', tool_use_id: toolUseId, content: sourceText(at + 7, 5_600) }
  return [
    { type: 'response-received', message, requestId: `req_${at}` },
    { type: 'tool-started', toolUseId, name: 'edit', inDoubt: 'report' },
    { type: 'tool-finished', toolUseId, result, outcome: 'ran' },
    { type: 'request-sent', model: message.model, attempt: 1 },
  ]
}
