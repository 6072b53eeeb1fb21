/**
 * The paths that the lab answers.
 * 1. Every request is recorded before anything else happens to it.
 * 2. A missing key is a 401 on every API path; any key is right.
 */
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import { invalid, type ApiError } from './api-error.ts'
import { tooLarge } from './check.ts'
import { makeId } from './digest.ts'
import { errorPage } from './error-page.ts'
import type { Exchange } from './exchange.ts'
import type { JsonObject } from './json.ts'
import { answerMessage } from './message-endpoint.ts'
import { cardBody, findModel } from './models.ts'
import { prepare } from './prepare.ts'
import { parseBody, readBody } from './request-body.ts'
import type { LabState } from './state.ts'

const MESSAGES = '/v1/messages'
const COUNT = '/v1/messages/count_tokens'
const MODELS = '/v1/models'
const HEALTH = ['/', '/api/hello']

export async function handle(state: LabState, request: IncomingMessage, exchange: Exchange): Promise<void> {
  const { options } = state
  const path = new URL(request.url ?? '/', 'http://lab').pathname
  const method = request.method ?? 'GET'
  const raw = await readBody(request, options.maxBodyBytes)
  const parsed = raw ? parseBody(raw) : undefined
  const counted = method === 'POST' && path === MESSAGES
  const serial = state.requests.length + 1
  const record = state.open({
    n: counted ? state.nextNumber() : 0,
    at: options.now(),
    method,
    path: request.url ?? path,
    headers: request.headers,
    body: parsed && 'body' in parsed ? parsed.body : undefined,
    raw: raw ?? '',
    requestId: makeId('req', options.seed, serial, options.now()),
  })
  const headers = responseHeaders(record.requestId)
  const reject = async (error: ApiError): Promise<void> => {
    record.outcome = { kind: 'rejected', status: error.status, error }
    const page = errorPage(error, headers)
    record.completed = await exchange.answer(page.status, page.headers, page.body)
  }
  const json = async (body: JsonObject): Promise<void> => {
    record.outcome = { kind: 'other', status: 200 }
    record.completed = await exchange.answer(
      200,
      { ...headers, 'content-type': 'application/json' },
      JSON.stringify(body),
    )
  }

  if (HEALTH.includes(path) && (method === 'HEAD' || method === 'GET')) return json({ message: 'hello' })
  if (raw === undefined) return reject(tooLarge())
  const unauthorized = keyError(request)
  if (unauthorized) return reject(unauthorized)
  if (method === 'GET' && path === MODELS) {
    const data = options.models.filter((card) => card.lifecycle !== 'retired').map(cardBody)
    return json({ data, has_more: false, first_id: data[0]?.['id'] ?? null, last_id: data.at(-1)?.['id'] ?? null })
  }
  if (method === 'GET' && path.startsWith(`${MODELS}/`)) {
    const id = decodeURIComponent(path.slice(MODELS.length + 1))
    const card = findModel(options.models, id)
    return card ? json(cardBody(card)) : reject({ status: 404, type: 'not_found_error', message: `model: ${id}` })
  }
  if (!counted && !(method === 'POST' && path === COUNT))
    return reject({ status: 404, type: 'not_found_error', message: 'Not found' })
  const prepared =
    parsed === undefined
      ? invalid('The request body is not valid JSON: input is a zero-length, empty document: line 1 column 1 (char 0)')
      : 'error' in parsed
        ? parsed.error
        : prepare(state, parsed.body, request.headers, counted)
  const problem = 'status' in prepared ? prepared : prepared.violation
  if (problem) record.violation = problem
  if (counted)
    return answerMessage(state, exchange, {
      record,
      headers,
      prepared: 'status' in prepared ? undefined : prepared,
      problem,
      reject,
    })
  if ('status' in prepared || prepared.violation) return reject(problem ?? invalid('Invalid request'))
  const { usage } = state.cache.measure(prepared.transcript.conversation)
  return json({
    input_tokens: usage.input_tokens + usage.cache_creation_input_tokens + usage.cache_read_input_tokens,
    context_management: null,
  })
}

function keyError(request: IncomingMessage): ApiError | undefined {
  const { authorization, 'x-api-key': key } = request.headers
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
