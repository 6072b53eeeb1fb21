/**
 * Message threads: conversations that the server holds, so that a request sends only what is new.
 * 1. A stored reply can be continued once; its thread dies after 5 minutes without a request.
 * 2. `expand` returns the request as it would be sent without threads: the rest of the lab does not know them.
 * 3. A reply is stored only after the whole of it was handed over.
 */
import { invalid, type ApiError } from './api-error.ts'
import { isObject, objectsOf, stringOf, type JsonObject } from './json.ts'

const THREADS_BETA = 'message-threads-2026-08-12'
const TTL_MS = 5 * 60_000

export type ThreadsMode = 'on' | 'lost' | 'unsupported' | 'ignored'

interface Stored {
  readonly request: JsonObject
  readonly expiresAt: number
  continued: boolean
}

export interface Threads {
  expand(request: JsonObject, betas: readonly string[]): { readonly request: JsonObject } | { readonly error: ApiError }
  /** `request` is the expanded one. */
  store(request: JsonObject, reply: { readonly id: string; readonly content: readonly JsonObject[] }): void
}

export function createThreads(mode: ThreadsMode, now: () => number): Threads {
  const stored = new Map<string, Stored>()
  return {
    expand(request, betas) {
      const thread = request['thread']
      if (!isObject(thread) || mode === 'ignored') return { request }
      if (!betas.includes(THREADS_BETA)) return { error: invalid('thread: Extra inputs are not permitted') }
      if (mode === 'unsupported')
        return {
          error: refuse('thread_unsupported_request', 'This request cannot use a thread.', {
            unsupported: ['inference_hooks'],
          }),
        }
      if (thread['type'] !== 'continue') return { request }
      const id = stringOf(thread['previous_message_id'])
      const base = mode === 'lost' ? undefined : stored.get(id)
      if (!base || base.expiresAt <= now()) {
        return {
          error: {
            ...refuse('thread_not_found', `thread: no thread was found for previous_message_id ${id}`),
            status: 404,
            type: 'not_found_error',
          },
        }
      }
      const repeated = ['system', 'tools'].find((field) => request[field] !== undefined)
      if (repeated !== undefined) return { error: invalid(`${repeated}: cannot be set when a thread is continued`) }
      if (base.continued) return { error: refuse('thread_already_continued', `thread: ${id} was already continued`) }
      const { system, tools, messages } = base.request
      const kept = { ...(system !== undefined && { system }), ...(tools !== undefined && { tools }) }
      return { request: { ...request, ...kept, messages: [...objectsOf(messages), ...objectsOf(request['messages'])] } }
    },
    store(request, { id, content }) {
      const thread = request['thread']
      if (!isObject(thread)) return
      const previous = stored.get(stringOf(thread['previous_message_id']))
      if (previous) previous.continued = true
      const messages = [...objectsOf(request['messages']), { role: 'assistant', content }]
      stored.set(id, { request: { ...request, messages }, expiresAt: now() + TTL_MS, continued: false })
    },
  }
}

function refuse(errorCode: string, message: string, details: JsonObject = {}): ApiError {
  return invalid(message, { details: { error_code: errorCode, ...details } })
}
