/**
 * The paths that the lab answers.
 * 1. Every request is recorded before anything else happens to it.
 * 2. A missing key is a 401 on every API path; any key is right.
 * 3. An outage of an endpoint comes before its checks. On endpoints other than messages only faults in front of the API
 *    happen; a fault inside an answer does not.
 */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'
import { invalid, modelMissing, statusOfType, type ApiError } from './api-error.ts'
import { answerPage, breakBefore } from './break-before.ts'
import { tooLarge } from './check.ts'
import { makeId } from './digest.ts'
import { errorPage, htmlPage } from './error-page.ts'
import type { Exchange, Incoming } from './exchange.ts'
import { stringOf, type JsonObject } from './json.ts'
import { answerMessage } from './message-endpoint.ts'
import { cardBody, findModel, pageOf, type ModelCard } from './models.ts'
import type { Endpoint } from './outage.ts'
import { prepare } from './prepare.ts'
import type { OpenRecord } from './record.ts'
import { parseBody } from './request-body.ts'
import type { LabState } from './state.ts'
import { isStatusPath, statusBody } from './status-page.ts'

const MESSAGES = '/v1/messages'
const COUNT = '/v1/messages/count_tokens'
const MODELS = '/v1/models'
const FILES = '/v1/files'
const HEALTH = ['/', '/api/hello']

/** A request on its way through the lab. */
interface Visit {
  readonly state: LabState
  readonly exchange: Exchange
  readonly record: OpenRecord
  readonly headers: OutgoingHttpHeaders
  readonly reject: (error: ApiError) => Promise<void>
  readonly json: (body: JsonObject) => Promise<void>
}

export async function handle(state: LabState, incoming: Incoming, exchange: Exchange): Promise<void> {
  const { options } = state
  const { method, headers } = incoming
  const { pathname: path, searchParams } = new URL(incoming.path, 'http://lab')
  const raw = await incoming.body(options.maxBodyBytes)
  const parsed = raw ? parseBody(raw) : undefined
  const endpoint = endpointOf(method, path)
  const visit = open(state, exchange, {
    n: endpoint === 'messages' ? state.nextNumber(endpoint) : 0,
    at: options.now(),
    method,
    path: incoming.path,
    headers,
    body: parsed && 'body' in parsed ? parsed.body : undefined,
    raw: raw ?? '',
    requestId: makeId('req', options.seed, state.requests.length + 1, options.now()),
  })
  const { record, reject, json } = visit

  if (HEALTH.includes(path) && (method === 'HEAD' || method === 'GET')) return json({ message: 'hello' })
  if (isStatusPath(path) && method === 'GET') return answerStatus(visit, path)
  if (raw === undefined) return reject(tooLarge())
  const unauthorized = keyError(headers)
  if (unauthorized) return reject(unauthorized)
  if (method === 'POST' && path === FILES) return json(newFile(visit))
  if (!endpoint) return reject({ status: 404, type: 'not_found_error', message: 'Not found' })
  if (endpoint === 'models') return answerModels(visit, decoded(path.slice(MODELS.length + 1)), searchParams)
  const prepared =
    parsed === undefined
      ? invalid('The request body is not valid JSON: input is a zero-length, empty document: line 1 column 1 (char 0)')
      : 'error' in parsed
        ? parsed.error
        : prepare(state, parsed.body, headers, endpoint === 'messages')
  const problem = 'status' in prepared ? prepared : prepared.violation
  if (problem) record.violation = problem
  if (endpoint === 'messages')
    return answerMessage(state, exchange, { record, headers: visit.headers, prepared, reject })
  if (await fails(visit, endpoint, stringOf(record.body?.model))) return
  if ('status' in prepared) return reject(prepared)
  if (prepared.violation) return reject(prepared.violation)
  const { usage } = state.cache.measure(prepared.transcript.conversation)
  return json({
    input_tokens: usage.input_tokens + usage.cache_creation_input_tokens + usage.cache_read_input_tokens,
    context_management: null,
  })
}

function endpointOf(method: string, path: string): Endpoint | undefined {
  if (method === 'GET' && (path === MODELS || path.startsWith(`${MODELS}/`))) return 'models'
  if (method !== 'POST') return undefined
  return path === MESSAGES ? 'messages' : path === COUNT ? 'count_tokens' : undefined
}

function open(state: LabState, exchange: Exchange, start: Parameters<LabState['open']>[0]): Visit {
  const record = state.open(start)
  const headers = responseHeaders(record.requestId)
  return {
    state,
    exchange,
    record,
    headers,
    async reject(error) {
      record.outcome = { kind: 'rejected', status: error.status, error }
      const page = errorPage(error, headers)
      record.completed = await exchange.answer(page.status, page.headers, page.body)
    },
    async json(body) {
      record.outcome = { kind: 'other', status: 200 }
      const type = { 'content-type': 'application/json' }
      record.completed = await exchange.answer(200, { ...headers, ...type }, JSON.stringify(body))
    },
  }
}

/** True if an outage has answered in place of the endpoint, or never will. */
async function fails(visit: Visit, endpoint: 'models' | 'count_tokens', model: string): Promise<boolean> {
  const { state, exchange, record, headers } = visit
  const outage = state.outageFor({ endpoint, n: state.nextNumber(endpoint), model, raw: record.raw })
  if (!outage) return false
  const { fault } = outage
  if (fault.kind === 'error-event') {
    await answerPage(exchange, record, outage, errorPage({ ...fault, status: statusOfType(fault.type) }, headers))
    return true
  }
  if (fault.kind === 'withdrawn' && endpoint === 'models') return false
  return breakBefore(exchange, outage, { model, record, headers, streaming: false })
}

/** The Models API: a page of them, or the one with this id. A withdrawn model is retired. */
async function answerModels(visit: Visit, id: string, query: URLSearchParams): Promise<void> {
  const { state, record, reject, json } = visit
  if (await fails(visit, 'models', id)) return
  const current = (card: ModelCard): ModelCard => {
    const request = { endpoint: 'models', n: 0, model: card.id, raw: record.raw } as const
    return state.outageFor(request)?.fault.kind === 'withdrawn' ? { ...card, lifecycle: 'retired' } : card
  }
  if (id !== '') {
    const card = findModel(state.options.models, id)
    return card ? json(cardBody(current(card))) : reject(modelMissing(id))
  }
  const page = pageOf(
    state.options.models.map(current).filter((card) => card.lifecycle !== 'retired'),
    query,
  )
  return 'error' in page ? reject(page.error) : json(page.body)
}

/** What is no text stays as it came: no model has such an id. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

async function answerStatus({ state, exchange, record, json }: Visit, path: string): Promise<void> {
  const { statusPage, now } = state.options
  if (statusPage.blockedWith === undefined)
    return json(statusBody(path, statusPage, { outages: state.outages, startedAt: state.startedAt, at: now() }))
  record.outcome = { kind: 'other' }
  if (statusPage.blockedWith === 'unreachable') return exchange.reset()
  const page = htmlPage(statusPage.blockedWith === 405 ? 405 : 200, { server: 'CloudFront' })
  record.outcome = { kind: 'other', status: page.status }
  await exchange.answer(page.status, page.headers, page.body)
}

/** What an upload gives back; the file itself is not kept. */
function newFile({ state, record }: Visit): JsonObject {
  const id = makeId('file', record.requestId)
  state.objects.addFile(id)
  const created_at = new Date(record.at).toISOString()
  return { type: 'file', id, filename: 'file', mime_type: 'application/octet-stream', size_bytes: 0, created_at }
}

function keyError({ authorization, 'x-api-key': key }: IncomingHttpHeaders): ApiError | undefined {
  const bearer = /^Bearer \S/.test(authorization ?? '')
  if (bearer || (typeof key === 'string' && key !== '')) return undefined
  return {
    status: 401,
    type: 'authentication_error',
    message: authorization === undefined && key === undefined ? 'x-api-key header is required' : 'invalid x-api-key',
  }
}

function responseHeaders(requestId: string): OutgoingHttpHeaders {
  const limits = ['requests', 'tokens', 'input-tokens', 'output-tokens'].flatMap((kind) => [
    [`anthropic-ratelimit-${kind}-limit`, '4000000'],
    [`anthropic-ratelimit-${kind}-remaining`, '3999000'],
    [`anthropic-ratelimit-${kind}-reset`, '2026-11-22T00:00:00Z'],
  ])
  return {
    'request-id': requestId,
    'anthropic-organization-id': '00000000-0000-4000-8000-000000000001',
    ...Object.fromEntries(limits),
  }
}
