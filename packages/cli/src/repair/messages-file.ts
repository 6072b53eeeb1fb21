/**
 * Repair of a transcript that is one JSON document: an array of messages, or a request body with `messages`.
 *
 * 1. Everything besides the messages stays, except request settings that the API would refuse.
 * 2. It keeps its indentation and its line break at the end.
 */
import { repairTranscript, type Message } from '@lastgood/core'
import type { MendedFile } from './claude-code-file.ts'
import { isMessage, isRecord } from './claude-code-lines.ts'

/** Undefined when the file is not of this form. */
export function mendMessagesFile(file: Buffer): (MendedFile & { form: 'messages' | 'request' }) | undefined {
  const document = documentIn(file)
  if (!document) return undefined
  const { text, messages, params } = document
  const isRequest = params !== undefined
  const mended = repairTranscript({ messages, ...(params && { params }), isRequest })
  const { messages: after, repairs, unrepairable } = mended
  const told = { form: isRequest ? ('request' as const) : ('messages' as const), before: messages, after, repairs }
  if (unrepairable) return { ...told, unrepairable: unrepairable.what }
  if (repairs.length === 0) return told
  const value = isRequest ? inPlace(JSON.parse(text) as object, mended) : after
  const indent = /^\s*[[{]\r?\n([ \t]+)/.exec(text)?.[1]
  const end = /\s*$/.exec(text)?.[0] ?? ''
  return { ...told, bytes: Buffer.from(JSON.stringify(value, undefined, indent) + end) }
}

function documentIn(
  file: Buffer,
): { text: string; messages: readonly Message[]; params?: Readonly<Record<string, unknown>> } | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(file)
    const value: unknown = JSON.parse(text)
    if (isMessages(value)) return { text, messages: value }
    if (!isRecord(value) || !isMessages(value['messages'])) return undefined
    const { messages, ...params } = value
    return { text, messages, params }
  } catch {
    return undefined
  }
}

function isMessages(value: unknown): value is readonly Message[] {
  return Array.isArray(value) && value.length > 0 && value.every(isMessage)
}

/** Keeps the fields in their original order. */
function inPlace(
  body: object,
  { messages, params }: { messages: readonly Message[]; params: Readonly<Record<string, unknown>> },
): object {
  const mended: Record<string, unknown> = { ...params, messages }
  const names = [...Object.keys(body).filter((name) => name in mended), ...Object.keys(mended)]
  return Object.fromEntries(names.map((name) => [name, mended[name]]))
}
