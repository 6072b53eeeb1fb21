/**
 * A Messages API request as the interceptor needs it: what is conversation, what is envelope, and how both relate to
 * what is recorded.
 *
 * 1. What is sent is the caller's own bytes, unless they do not hold the whole recorded conversation.
 * 2. A message thread (`thread: continue`, only the delta) is written out in full: the provider keeps a thread for
 *    minutes, the journal for ever, and a request that holds everything can be sent again to anybody.
 */
import { continuationOf, type Leftovers } from '../continuation.ts'
import { LastgoodError } from '../errors.ts'
import { envelopeSchema, messageSchema, type Envelope, type Message } from '../journal.ts'
import { z } from 'zod'

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
  /** Messages up to and with each response, by message id; ids that only the caller saw are here too. */
  responses: ReadonlyMap<string, number>
  leftovers: Leftovers
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

/** The request, joined to the conversation; undefined when it is about something else. */
export function readConversationRequest(request: WireRequest, recorded: Recorded): ConversationRequest | undefined {
  if (typeof request.body !== 'string') return undefined
  const parsed = parseBody(request.body)
  // What the API will refuse is passed on, so that its own error reaches the caller.
  if (!parsed) return undefined
  const { thread, messages: sent, stream: _stream, ...rest } = parsed
  const continued = thread?.type === 'continue'
  const before = continued ? threadUpTo(thread.previous_message_id, recorded) : []
  const incoming = [...before, ...sent]
  const continuation = continuationOf(recorded.messages, incoming, recorded.leftovers)
  if (continuation.kind === 'unrelated') return undefined

  const envelope: Envelope = {
    body: continued && recorded.envelope ? { ...recorded.envelope.body, ...rest } : rest,
    ...(request.headers.has('anthropic-version') && { apiVersion: request.headers.get('anthropic-version') ?? '' }),
    betas: (request.headers.get('anthropic-beta') ?? '')
      .split(',')
      .map((beta) => beta.trim())
      .filter(Boolean),
  }
  const kept = continuation.kind === 'extends' ? recorded.messages : recorded.messages.slice(0, continuation.kept)
  const streams = parsed.stream === true
  const asSent = continuation.exact && !thread
  return {
    streams,
    model: parsed.model,
    envelope: envelopeSchema.parse(envelope),
    ...(continuation.kind === 'rewinds' && { rewindTo: continuation.kept }),
    added: continuation.added,
    body: asSent
      ? request.body
      : JSON.stringify({
          ...envelope.body,
          messages: [...kept, ...continuation.added],
          ...(streams && { stream: true }),
        }),
  }
}

function parseBody(text: string): z.infer<typeof bodySchema> | undefined {
  try {
    return bodySchema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

function threadUpTo(messageId: string, { messages, responses }: Recorded): readonly Message[] {
  const count = responses.get(messageId)
  if (count !== undefined) return messages.slice(0, count)
  throw new LastgoodError(
    'transcript-mismatch',
    `the thread to continue (after message ${messageId}) is not in this session`,
    {
      hint: 'start a new thread or tool runner with session.messages()',
    },
  )
}
