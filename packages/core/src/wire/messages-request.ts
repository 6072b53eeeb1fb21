/**
 * A Messages API request as the interceptor needs it: what is conversation, what is envelope, and how both relate to
 * what is recorded.
 *
 * 1. What is sent is the caller's own bytes, unless they do not hold the whole recorded conversation as it was.
 * 2. A message thread (`thread: continue`, only the delta) is written out in full: the provider keeps a thread for
 *    minutes, the journal for ever, and a request that holds everything can be sent again to anybody.
 * 3. While calls are being run in this process, only a request that goes on from them belongs to the conversation: a helper
 *    that asks about the same history must not take them away.
 * 4. A history that was replaced (compacted, trimmed) under the same system and tools is the same conversation, anew.
 */
import { z } from 'zod'
import { continuationOf } from '../continuation.ts'
import { messageSchema, type Envelope, type Message } from '../journal.ts'

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
  /** They may be running in this process. */
  runsCalls: boolean
  /** How many messages end with the answer that the caller knows by this id. */
  messagesUpTo(messageId: string): number | undefined
}

/** What to record and to send for a request that belongs to the conversation. */
export interface ConversationRequest {
  streams: boolean
  model: string
  envelope: Envelope
  /** Go back to so many recorded messages first. */
  rewindTo?: number
  /** What the caller added after the recorded messages. */
  added: Message[]
  /** The body to send. */
  body: string
}

const bodySchema = z.looseObject({
  model: z.string(),
  messages: z.array(messageSchema),
  stream: z.boolean().nullish(),
  thread: z
    .discriminatedUnion('type', [
      z.looseObject({ type: z.literal('create') }),
      z.looseObject({ type: z.literal('continue'), previous_message_id: z.string() }),
    ])
    .nullish(),
})

export function isMessagesRequest({ url, method }: WireRequest): boolean {
  return method?.toUpperCase() === 'POST' && new URL(url, 'http://localhost').pathname.endsWith('/v1/messages')
}

/** Whether the request asks for a stream. */
export function streams({ body }: WireRequest): boolean {
  return parseBody(body)?.stream === true
}

/** The request, joined to the conversation; undefined when it is about something else. */
export function readConversationRequest(request: WireRequest, recorded: Recorded): ConversationRequest | undefined {
  const parsed = parseBody(request.body)
  // What the API will refuse is passed on, so that its own error reaches the caller.
  if (!parsed) return undefined
  const { thread, messages: sent, stream, ...rest } = parsed
  const continued = thread?.type === 'continue'
  const before = continued ? recorded.messagesUpTo(thread.previous_message_id) : 0
  if (before === undefined) return undefined // a thread of somebody else
  const spoken = [...recorded.messages.slice(0, before), ...sent.filter((message) => !isEmptyAnswer(message))]
  const body: Envelope['body'] = continued && recorded.envelope ? { ...recorded.envelope.body, ...rest } : rest
  const { kept, added, exact } = joinedAt(recorded, spoken, body) ?? {}
  if (kept === undefined || !added) return undefined

  const asSent = exact && !thread && spoken.length === sent.length
  const messages = [...recorded.messages.slice(0, kept), ...added]
  return {
    streams: stream === true,
    model: parsed.model,
    envelope: envelopeOf(request.headers, body),
    ...(kept < recorded.messages.length && { rewindTo: kept }),
    added,
    body: asSent ? String(request.body) : JSON.stringify({ ...body, messages, ...(stream === true && { stream }) }),
  }
}

/** Where the request goes on: after so many recorded messages, with these; undefined when it is about something else. */
function joinedAt(
  { messages, envelope, lacksResults, runsCalls }: Recorded,
  incoming: readonly Message[],
  body: Record<string, unknown>,
): { kept: number; added: Message[]; exact: boolean } | undefined {
  const continuation = continuationOf(messages, incoming)
  switch (continuation.kind) {
    case 'extends': {
      const answersNothing = lacksResults && continuation.added.length === 0
      return answersNothing ? undefined : { ...continuation, kept: messages.length }
    }
    case 'rewinds':
      return runsCalls ? undefined : continuation
    case 'unrelated':
      return !runsCalls && isSameTask(envelope?.body ?? {}, body)
        ? { kept: 0, added: [...incoming], exact: true }
        : undefined
  }
}

/**
 * Same system and tools, where there are any; or the first request with tools after one without: an agent that asked
 * for a title first is still the agent.
 */
function isSameTask(recorded: Record<string, unknown>, incoming: Record<string, unknown>): boolean {
  const task = ({ system, tools }: Record<string, unknown>) => JSON.stringify([system ?? null, tools ?? []])
  const hasTools = ({ tools }: Record<string, unknown>) => Array.isArray(tools) && tools.length > 0
  if (hasTools(incoming) && !hasTools(recorded)) return true
  return (hasTools(incoming) || incoming['system'] != null) && task(recorded) === task(incoming)
}

function envelopeOf(headers: Headers, body: Envelope['body']): Envelope {
  const apiVersion = headers.get('anthropic-version')
  const betas = (headers.get('anthropic-beta') ?? '').split(',').map((beta) => beta.trim())
  return { body, ...(apiVersion !== null && { apiVersion }), betas: betas.filter(Boolean) }
}

/** The API refuses answers without content in a history; nothing was said in them. */
function isEmptyAnswer({ role, content }: Message): boolean {
  return role === 'assistant' && content.length === 0
}

/** The body with its keys in the order they were sent, which zod's own output does not keep. */
function parseBody(body: unknown): z.infer<typeof bodySchema> | undefined {
  if (typeof body !== 'string') return undefined
  try {
    const value = JSON.parse(body) as z.infer<typeof bodySchema>
    return bodySchema.safeParse(value).success ? value : undefined
  } catch {
    return undefined
  }
}
