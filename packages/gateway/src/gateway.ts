/**
 * The gateway: a function from request to response, in front of the Messages API, for clients that nobody can change.
 *
 * 1. Until something fails it is not there: what is no Messages request passes as it is, and of one that is nothing is
 *    changed but what recovery has to.
 * 2. Only who calls it by a name of this machine is served, and no page of another site in a browser, under whatever name.
 */
import { readMessagesBody, type MessagesBody, type WireRequest } from '@lastgood/core'
import { apiErrorOf, errorResponse } from './api-error.ts'
import { bodyOf } from './bodies.ts'
import { deliver } from './delivery.ts'
import { resolveGatewayOptions, type GatewayOptions } from './options.ts'
import { Sessions } from './sessions.ts'
import { Upstream } from './upstream.ts'

export interface Gateway {
  /** Where requests go. */
  readonly upstream: string
  /** For any server that speaks web standards. */
  fetch(request: Request): Promise<Response>
  /** Takes no more requests, waits `drainMs` for the answers in hand, and gives the sessions back. */
  close(): Promise<void>
}

/** Errors: `bad-option`. */
export function createGateway(options: GatewayOptions = {}): Gateway {
  const resolved = resolveGatewayOptions(options)
  const upstream = new Upstream(resolved)
  const sessions = new Sessions(resolved, upstream)
  const hosts = new Set([...loopback, ...resolved.hosts])
  let isClosing = false
  let waiting = 0

  async function handle(request: Request): Promise<Response> {
    const host = request.headers.get('host') ?? new URL(request.url).host
    if (!hosts.has(nameIn(host)))
      return refused(403, 'permission_error', `this gateway does not answer to ${nameIn(host)}`)
    if (request.headers.get('sec-fetch-site') === 'cross-site') {
      return refused(403, 'permission_error', 'this gateway does not answer to pages of other sites')
    }
    if (isClosing) return refused(503, 'api_error', 'the gateway is being stopped', true)
    const bytes = await bodyOf(request, resolved.maxBodyBytes)
    const wire = {
      url: upstream.urlOf(request),
      method: request.method,
      headers: upstream.headersOf(request),
      ...(bytes && { body: new TextDecoder().decode(bytes) }),
    }
    const body = readMessagesBody(wire)
    if (!body) return upstream.pass(request, bytes?.buffer)
    if (waiting >= resolved.maxRequests) {
      return refused(503, 'api_error', `${waiting} clients are waiting for answers, and no more may`, true)
    }
    waiting += 1
    let isOver = false
    const onLeft = () => {
      if (!isOver) waiting -= 1
      isOver = true
    }
    try {
      return await answered(request, wire, body, onLeft)
    } catch (error) {
      onLeft()
      throw error
    }
  }

  async function answered(
    request: Request,
    wire: WireRequest,
    body: MessagesBody,
    onLeft: () => void,
  ): Promise<Response> {
    const named = new Headers(request.headers)
    const { attached, sessionId } = await sessions.answerTo({ request: wire, body, named, onLeft })
    const response = await deliver(attached, { streams: body.stream === true, signal: request.signal }, resolved)
    response.headers.set('x-lastgood-session', sessionId)
    return response
  }

  return {
    upstream: resolved.upstream,
    async fetch(request) {
      try {
        return await handle(request)
      } catch (error) {
        return errorResponse(apiErrorOf(error))
      }
    },
    async close() {
      isClosing = true
      await sessions.close()
    },
  }
}

const loopback = ['127.0.0.1', 'localhost', '[::1]']

/** Without the port. */
const nameIn = (host: string): string => host.replace(/:\d+$/, '').toLowerCase()

function refused(status: number, type: string, message: string, retry = false): Response {
  return errorResponse({ status, type, message: `lastgood: ${message}`, retry })
}
