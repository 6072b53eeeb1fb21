/**
 * The fallback ladder for the Anthropic SDK: models, or the same by another client (another base URL, Bedrock, Vertex).
 */
import type { Anthropic } from '@anthropic-ai/sdk'
import { LastgoodError, textOfBody, type LadderRung, type WireRequest } from '@lastgood/core'
import { assertClient, type Middleware, type RungClient } from './client.ts'
import { isRecovery } from './recovery.ts'

/** A model by the client in use, or by another client. */
export type RungOption = string | { readonly model: string; readonly client?: RungClient }

/** The rungs in the order in which they take over; the first is the one normally asked. */
export type Ladder = readonly LadderRung[]

/**
 * `ladder('claude-opus-5-5', 'claude-sonnet-5-5', { model: 'claude-opus-5-5', client: elsewhere })`: if the first rung
 * cannot be reached, the next one takes the turn; once the first answers again, the next turn begins with it. Errors:
 * `bad-option`.
 */
export function ladder(...rungs: readonly RungOption[]): Ladder {
  return rungs.map((rung) => {
    if (typeof rung === 'string') return { model: rung }
    const { model, client } = rung
    if (!client) return { model }
    assertClient(client)
    return { model, endpoint: client.baseURL, send: (request) => sendBy(client, request) }
  })
}

/** Sends a request that another client made by this one, with this one's address, credentials and shape. */
async function sendBy(client: RungClient, request: WireRequest): Promise<Response> {
  let answer: Response | undefined
  const passing: Middleware = async (built, next) => {
    answer = await next({ ...built, headers: withVersions(built.headers, request.headers) })
    // The SDK must not read the answer: the caller does, including errors and broken streams.
    return new Response('{}', { headers: { 'content-type': 'application/json' } })
  }
  // One owner of retries: the ladder that the client is a rung of.
  const middleware = [...client.middleware.filter((one) => !isRecovery(one)), passing]
  const own = client.withOptions({ maxRetries: 0, middleware } as never) as Pick<Anthropic, 'get' | 'post'>
  const { pathname } = new URL(request.url)
  const path = pathname.slice(pathname.lastIndexOf('/v1/'))
  const options = request.signal ? { signal: request.signal } : {}
  const body = textOfBody(request.body)
  if (body === undefined) await own.get(path, options)
  else await own.post(path, { ...options, body: JSON.parse(body) as Record<string, unknown> })
  if (!answer) {
    throw new LastgoodError('bad-option', `the client for ${client.baseURL} answered without sending the request`, {
      hint: 'its middleware must call next()',
    })
  }
  return answer
}

/** The client's own headers, with those that belong to the request rather than to its sender. */
function withVersions(own: Headers, asked: Headers): Headers {
  const headers = new Headers(own)
  for (const name of ['anthropic-version', 'anthropic-beta']) {
    const value = asked.get(name)
    if (value === null) headers.delete(name)
    else headers.set(name, value)
  }
  return headers
}
