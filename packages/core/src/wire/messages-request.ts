/**
 * A Messages API request as the interceptor needs it: what is conversation, what is envelope, and how both relate to
 * what is recorded.
 *
 * 1. What is sent is the caller's own bytes, unless they do not hold the whole recorded conversation as it was.
 * 2. A message thread (`thread: continue`, only the delta) is written out in full: the provider keeps a thread for
 *    minutes, the journal for ever, and a request that holds everything can be sent again to any endpoint.
 * 3. While calls are being run in this process, only a request that goes on from them or brings their results belongs
 *    to the conversation: a helper that asks about the same history must not undo them.
 * 4. A history that was replaced (compacted, trimmed) under the same system and tools is the same conversation, anew.
 */
import { z } from 'zod'
import { continuationOf, meansTheSame } from '../journal/continuation.ts'
import { messageSchema, type Envelope, type Message } from '../journal/journal.ts'
import { blocksOf } from '../journal/message.ts'
import { isRecord } from '../json.ts'
import { areMessages, isOneOf, isText } from '../journal/surely.ts'
import { lazily } from '../lazily.ts'
import type { SentBody } from './body-writer.ts'

/** The part of a request that every mount has: the SDK's middleware request and a gateway's alike. */
export interface WireRequest {
  url: string
  method?: string | undefined
  headers: Headers
  body?: unknown
  signal?: AbortSignal | null | undefined
}

/** What is recorded of the conversation so far. */
export interface Recorded {
  messages: readonly Message[]
  envelope: Envelope | undefined
  /** Calls of the last answer have no results yet. */
  lacksResults: boolean
  /** The mount knows that its requests are the conversation's, whatever their system and tools. */
  isSure: boolean
  /** Those of the calls without results that may be running in this process. */
  runningCalls: readonly string[]
  /** The number of messages up to and including the answer that the caller knows by this id. */
  messagesUpTo(messageId: string): number | undefined
}

/** What to record and to send for a request that belongs to the conversation. */
export interface ConversationRequest {
  streams: boolean
  envelope: Envelope
  /** Go back to this many recorded messages first. */
  rewindTo?: number
  /** What the caller added after the recorded messages. */
  added: Message[]
  /** The whole conversation, in the caller's own copy wherever that says the same. */
  messages: readonly Message[]
  /** What the caller sent; `isWhole` if it holds exactly these messages. */
  asSent: (SentBody & { readonly text: RequestBody; readonly isWhole: boolean }) | undefined
}

const bodySchema = lazily(() =>
  z.looseObject({
    model: z.string(),
    messages: z.array(messageSchema()),
    stream: z.boolean().nullish(),
    thread: z
      .discriminatedUnion('type', [
        z.looseObject({ type: z.literal('create') }),
        z.looseObject({ type: z.literal('continue'), previous_message_id: z.string() }),
      ])
      .nullish(),
  }),
)

export type MessagesBody = z.infer<ReturnType<typeof bodySchema>>

/** As a caller's client has written it. */
export type RequestBody = string | Uint8Array

export function isMessagesRequest({ url, method }: WireRequest): boolean {
  return method?.toUpperCase() === 'POST' && new URL(url, 'http://localhost').pathname.endsWith('/v1/messages')
}

/** Whether the request asks for text that is JSON of a schema. */
export function isStructured(body: Readonly<Record<string, unknown>> | undefined): boolean {
  const { output_config: config, output_format: format } = body ?? {}
  return isRecord(format) || (isRecord(config) && isRecord(config['format']))
}

/** Whether the API is to say of each call of the answer if it is dangerous: a client runs none without that by itself. */
export const wantsVerdicts = (body: Readonly<Record<string, unknown>> | undefined): boolean =>
  body?.['safeguards'] != null

/** The request, joined to the conversation; undefined when it is about something else. */
export function joinConversation(
  request: WireRequest,
  parsed: MessagesBody,
  recorded: Recorded,
): ConversationRequest | undefined {
  const { thread, messages: sent, stream, ...rest } = parsed
  const continued = thread?.type === 'continue'
  const before = continued ? recorded.messagesUpTo(thread.previous_message_id) : 0
  if (before === undefined) return undefined // a thread of somebody else
  const spoken = [...recorded.messages.slice(0, before), ...sent.filter((message) => !isEmptyAnswer(message))]
  const body: Envelope['body'] = continued && recorded.envelope ? { ...recorded.envelope.body, ...rest } : rest
  const joined = joinedAt(recorded, spoken, body)
  if (!joined) return undefined

  const { kept, resolved, exact } = joined
  const isWhole = exact && !thread && spoken.length === sent.length
  return {
    streams: stream === true,
    envelope: envelopeOf(request.headers, body),
    ...(kept < recorded.messages.length && { rewindTo: kept }),
    added: resolved.slice(kept),
    messages: resolved,
    asSent: { text: request.body as RequestBody, body: parsed, isWhole },
  }
}

/** Where the request goes on: after `kept` recorded messages; undefined when it is about something else. */
function joinedAt(
  { messages, envelope, lacksResults, runningCalls, isSure }: Recorded,
  incoming: readonly Message[],
  body: Body,
): { kept: number; resolved: readonly Message[]; exact: boolean } | undefined {
  const { kept, resolved, exact } = continuationOf(messages, incoming)
  const recordedBody = envelope?.body ?? {}
  if (kept === messages.length) {
    const answersNothing = lacksResults && incoming.length === kept
    return answersNothing || (!isSure && losesTools(recordedBody, body)) ? undefined : { kept, resolved, exact }
  }
  // The request goes back. While calls are being run, only with their results: a helper must not undo them.
  if (!bringsResults(incoming.slice(kept), runningCalls)) return undefined
  const isAnew = kept === 0
  const isOurs =
    isAnew && !beginsWithSumOf(messages, incoming)
      ? isSameTask(recordedBody, body, messages)
      : !isHelper(recordedBody, body)
  return isSure || isOurs ? { kept, resolved, exact } : undefined
}

/** Whether the server's sum of recorded messages comes first. */
function beginsWithSumOf(recorded: readonly Message[], incoming: readonly Message[]): boolean {
  const [first] = incoming.slice(0, 1).flatMap(blocksOf)
  return first?.type === 'compaction' && recorded.flatMap(blocksOf).some((block) => meansTheSame(block, first))
}

type Body = Readonly<Record<string, unknown>>

const hasTools = ({ tools }: Body) => Array.isArray(tools) && tools.length > 0
const sameSystem = (a: Body, b: Body) => promptOf(a) === promptOf(b)

function promptOf({ system = null }: Body): string {
  return JSON.stringify(Array.isArray(system) ? system.filter((block) => !isForAccounts(block)) : system)
}

/** A line that Claude Code puts first: it changes with the first words of a history, and is not part of the prompt. */
function isForAccounts(block: unknown): boolean {
  return isRecord(block) && String(block['text']).startsWith('x-anthropic-billing-header:')
}

/** A title, a summary: an agent does not go on without its tools. */
const losesTools = (recorded: Body, incoming: Body) => hasTools(recorded) && !hasTools(incoming)

/** Nor does a chat go back to its beginning with another system prompt. */
function isHelper(recorded: Body, incoming: Body): boolean {
  return losesTools(recorded, incoming) || (!hasTools(incoming) && !sameSystem(recorded, incoming))
}

/**
 * Whether a history that has nothing in common with the recorded one is of the same task: it has the same system and
 * tools, where there are any; or it has tools, and all that is recorded is one question without (a title, asked first).
 */
function isSameTask(recorded: Body, incoming: Body, messages: readonly Message[]): boolean {
  if (hasTools(incoming) && !hasTools(recorded)) return messages.length <= 2
  const hasTask = hasTools(incoming) || incoming['system'] != null
  const sameTools = JSON.stringify(recorded['tools'] ?? []) === JSON.stringify(incoming['tools'] ?? [])
  return hasTask && sameTools && sameSystem(recorded, incoming)
}

function bringsResults(messages: readonly Message[], calls: readonly string[]): boolean {
  const results = messages.flatMap(blocksOf)
  return calls.every((id) => results.some((block) => block['tool_use_id'] === id))
}

function envelopeOf(headers: Headers, body: Envelope['body']): Envelope {
  const apiVersion = headers.get('anthropic-version')
  return { body, ...(apiVersion !== null && { apiVersion }), betas: betasOf(headers) }
}

export function betasOf(headers: Headers): string[] {
  const betas = (headers.get('anthropic-beta') ?? '').split(',').map((beta) => beta.trim())
  return betas.filter(Boolean)
}

/** The API refuses answers without content in a history; nothing was said in them. */
function isEmptyAnswer({ role, content }: Message): boolean {
  return role === 'assistant' && content.length === 0
}

/** False for what the API will refuse: that is passed on, so that the API's own error comes back. */
export function isMessagesBody(value: unknown): value is MessagesBody {
  return isSurelyBody(value) || bodySchema().safeParse(value).success
}

const isFlag = isOneOf(undefined, null, true, false)

/** See `surely.ts`. */
function isSurelyBody(value: unknown): boolean {
  if (!isRecord(value)) return false
  const { model, messages, stream, thread } = value
  return isText(model) && areMessages(messages) && isFlag(stream) && thread === undefined
}
