/**
 * The gateway: a function from request to response, in front of the Messages API, for clients that cannot be changed.
 *
 * Until something fails it is transparent: other requests pass as they are, and in a Messages request nothing is
 * changed but what recovery has to change.
 */
import { betasOf, BodyReader, isMessagesRequest, readPieces, systemClock } from '@lastgood/core'
import { Admission, metricsPath } from './admission.ts'
import { apiErrorOf, errorResponse } from './api-error.ts'
import { bodyOf, bodyStreamOf, replaceBody } from './bodies.ts'
import { fromCloud } from './cloud-forms.ts'
import { bytesOf, deliver } from './delivery.ts'
import { Metrics } from './metrics.ts'
import { resolveGatewayOptions, type GatewayOptions } from './options.ts'
import { idInHeaders, isClaudeCode, isProbe } from './session-name.ts'
import { Sessions } from './sessions.ts'
import { atMost } from './silence.ts'
import { Upstream } from './upstream.ts'

export interface Gateway {
  /** Where requests go. */
  readonly upstream: string
  /**
   * For any server that speaks web standards. `body` is the body of the request, from a server that has it in pieces of
   * its own; `request.body` is then not read.
   */
  fetch(request: Request, body?: AsyncIterable<Uint8Array>): Promise<Response>
  /** Admits no more requests, waits `drainMs` for those in hand to be answered and read, and releases the sessions. */
  close(): Promise<void>
}

/** A reader of the metrics is no client. */
const isScrape = (request: Request): boolean => new URL(request.url).pathname === metricsPath

/**
 * A page of this machine whose SDK runs in the browser can read nothing without this header, which the API's own
 * answers have. Pages of other sites have already been refused.
 */
function forPages({ headers: asked }: Request, response: Response): Response {
  const { headers } = response
  const isNeeded = asked.has('anthropic-dangerous-direct-browser-access') && !headers.has('access-control-allow-origin')
  if (isNeeded) headers.set('access-control-allow-origin', '*')
  return response
}

/** Errors: `bad-option`. */
export function createGateway(options: GatewayOptions = {}): Gateway {
  const metrics = new Metrics(options.clock ?? systemClock)
  const resolved = resolveGatewayOptions({ ...options, telemetry: [metrics, options.telemetry ?? []].flat() })
  const id = resolved.clock.newId()
  const admission = new Admission(resolved, id)
  const upstream = new Upstream(resolved, id)
  const bodies = new BodyReader()
  const sessions = new Sessions(resolved, upstream, { onRest: metrics.rests, onIdle: (id) => bodies.forget(id) })

  /** A client that has gone gets nothing, so its response is not counted. */
  function answered({ signal }: Request, response: Response): Response {
    if (!signal.aborted) metrics.answered(response.status)
    return response
  }

  async function handle(request: Request, pieces?: AsyncIterable<Uint8Array>): Promise<Response> {
    const refusal = admission.refusalOf(request)
    if (refusal) return refusal
    if (isScrape(request)) return metrics.page({ waiting: admission.inside })
    const leave = admission.enter()
    if (leave instanceof Response) return leave
    try {
      return await pass(request, pieces, leave)
    } catch (error) {
      leave()
      throw error
    }
  }

  async function pass(
    request: Request,
    pieces: AsyncIterable<Uint8Array> | undefined,
    leave: () => void,
  ): Promise<Response> {
    const { method } = request
    const own = upstream.urlOf(request)
    const inForm = fromCloud(own, method)
    const wire = {
      ...(inForm && { form: inForm.form, betas: betasOf(request.headers) }),
      url: inForm?.url ?? own,
      method,
      headers: upstream.headersOf(request),
    }
    const whole = () => bodyOf(request, pieces, resolved)
    if (!isMessagesRequest(wire)) {
      // A signature is for all of a body.
      const body = resolved.aws ? await whole() : bodyStreamOf(request, pieces, resolved.clock)
      return passOn(request, body, leave)
    }
    const sent = await whole()
    const bytes = inForm && sent ? inForm.bodyOf(sent) : sent
    const body = bytes && bodies.read(idInHeaders(request.headers) ?? '', bytes)
    const named = new Headers(request.headers)
    const renews = resolved.hasClientsLogin && body !== undefined && isClaudeCode(named, body)
    const { signal } = request
    const asked = body && { request: { ...wire, body: bytes }, body, named, renews, signal, onLeft: leave }
    const found = asked && !isProbe(named, asked.body) && (await sessions.answerTo(asked))
    if (!found) return passOn(request, sent, leave)
    const { attached, sessionId } = found
    const { stream, thread, model } = asked.body
    const waiting = { streams: stream === true, model: thread ? undefined : model, renews, signal }
    const response = await deliver(attached, waiting, resolved)
    response.headers.set('x-lastgood-session', sessionId)
    return forPages(request, inForm?.answer(response) ?? response)
  }

  async function passOn(
    request: Request,
    body: Uint8Array | ReadableStream<Uint8Array> | undefined,
    leave: () => void,
  ): Promise<Response> {
    const response = await upstream.pass(request, body)
    request.signal.addEventListener('abort', leave, { once: true })
    if (!response.body) leave()
    const pieces = response.body && readPieces(response.body)
    return replaceBody(response, pieces && bytesOf(pieces, leave))
  }

  return {
    upstream: resolved.upstream,
    async fetch(request, body) {
      try {
        const response = await resolved.watchers.reduce<() => Promise<Response>>(
          (run, watcher) => () => watcher.serving?.(request.headers, run) ?? run(),
          () => handle(request, body),
        )()
        if (!isScrape(request)) answered(request, response)
        return response
      } catch (error) {
        return answered(request, forPages(request, errorResponse(apiErrorOf(error, resolved.wayOn))))
      }
    },
    async close() {
      const left = admission.close()
      // A session is released as soon as its own answer has ended, even if clients are still reading.
      await Promise.all([sessions.close(), atMost(resolved.drainMs, resolved.clock, left)])
    },
  }
}
