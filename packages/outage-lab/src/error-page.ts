/** Error bodies as clients really get them: JSON from the API, HTML from the proxy in front of it. */
import type { OutgoingHttpHeaders } from 'node:http'
import { errorBody, usualError, type ApiError } from './api-error.ts'
import type { Fault } from './outage.ts'

export interface Page {
  readonly status: number
  readonly headers: OutgoingHttpHeaders
  readonly body: string
}

const HTML_STATUSES = new Set([413, 502, 503, 520, 521, 522, 523, 524])
const TITLES: { readonly [status: number]: string } = {
  413: 'Payload Too Large',
  502: 'Bad gateway',
  503: 'Service Temporarily Unavailable',
  520: 'Web server is returning an unknown error',
  521: 'Web server is down',
  522: 'Connection timed out',
  523: 'Origin is unreachable',
  524: 'A timeout occurred',
}
const RETRY_AFTER_SECONDS = '1'

export function errorPage(error: ApiError, headers: OutgoingHttpHeaders): Page {
  const requestId = headers['request-id']
  return {
    status: error.status,
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(errorBody(error, typeof requestId === 'string' ? requestId : null)),
  }
}

export function htmlPage(status: number, headers: OutgoingHttpHeaders = {}): Page {
  const title = TITLES[status] ?? (status < 400 ? 'Just a moment...' : 'Error')
  const heading = status < 400 ? title : `${status} ${title}`
  return {
    status,
    headers: { server: 'cloudflare', 'content-type': 'text/html; charset=UTF-8', ...headers },
    body: `<!DOCTYPE html>\n<html>\n<head><title>${heading}</title></head>\n<body>\n<center><h1>${heading}</h1></center>\n<hr><center>cloudflare</center>\n</body>\n</html>\n`,
  }
}

/** What the fault `status` answers. A proxy's page has no request id. */
export function faultPage(fault: Extract<Fault, { kind: 'status' }>, headers: OutgoingHttpHeaders): Page {
  const { status } = fault
  const json = fault.type !== undefined || fault.message !== undefined || fault.errorCode !== undefined
  if (fault.html ?? (HTML_STATUSES.has(status) && !json)) return htmlPage(status, fault.headers)
  const usual = usualError(status, fault.errorCode)
  // A spend cap is a 429 as well, but waiting does not help: it has no retry-after.
  const waits = status === 429 && fault.errorCode === undefined
  return errorPage(
    {
      status,
      type: fault.type ?? usual.type,
      message: fault.message ?? usual.message,
      ...(fault.errorCode !== undefined && { details: { error_code: fault.errorCode } }),
    },
    { ...headers, ...(waits && { 'retry-after': RETRY_AFTER_SECONDS }), ...fault.headers },
  )
}
