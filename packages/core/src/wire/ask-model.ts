/**
 * Asks the Models API along the path of a rung's requests, with the headers of the caller's own request.
 */
import type { RequestRung } from './rungs.ts'
import type { WireRequest } from './messages-request.ts'
import { ownHeaders } from './own-question.ts'

/** The body of `GET /v1/models/<id>` for the rung's model; rejects when there is none. */
export async function askModel<R extends WireRequest>(
  sent: R,
  { endpoint, model, next }: RequestRung<R>,
  signal: AbortSignal,
): Promise<unknown> {
  const headers = ownHeaders(sent.headers)
  for (const name of ['content-type', 'content-length']) headers.delete(name)
  const url = `${endpoint}/v1/models/${encodeURIComponent(model)}`
  const { body: _none, ...rest } = sent
  const response = await next({ ...rest, url, method: 'GET', headers, signal } as R)
  if (!response.ok) throw new Error(`the Models API answered ${response.status}`)
  return response.json()
}
