/**
 * Which requests are served: those that call the gateway by one of its own names, do not come from a page of another
 * site, carry the token if there is one, and have not passed this gateway before; and only so many at once.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { errorResponse } from './api-error.ts'
import type { ResolvedGatewayOptions } from './options.ts'

/** Lists the gateways that a request has passed, so that it passes none twice. */
export const hopHeader = 'x-lastgood-hop'

/** The path that Prometheus reads. */
export const metricsPath = '/metrics'

const loopback = ['127.0.0.1', 'localhost', '[::1]']

export class Admission {
  readonly #hosts: ReadonlySet<string>
  readonly #token: string | undefined
  readonly #maxRequests: number
  readonly #id: string
  #inside = 0
  #isClosed = false
  #tellEmpty: () => void = () => {}

  constructor({ hosts, token, maxRequests }: ResolvedGatewayOptions, id: string) {
    this.#hosts = new Set([...loopback, ...hosts.map((name) => name.toLowerCase())])
    this.#token = token
    this.#maxRequests = maxRequests
    this.#id = id
  }

  /** Requests that are being read or answered. */
  get inside(): number {
    return this.#inside
  }

  /** Admits no more requests. Resolves when all that are inside have left. */
  close(): Promise<void> {
    this.#isClosed = true
    return new Promise((resolve) => {
      this.#tellEmpty = resolve
      if (this.#inside === 0) resolve()
    })
  }

  /** The answer to a request that is not served; undefined for any other. */
  refusalOf({ headers, url }: Request): Response | undefined {
    const { host: called, pathname } = new URL(url)
    const host = nameIn(headers.get('host') ?? called)
    if (!this.#hosts.has(host)) return refused(403, 'permission_error', `this gateway does not serve the host ${host}`)
    if (headers.get('sec-fetch-site') === 'cross-site') {
      return refused(403, 'permission_error', 'this gateway does not serve pages of other sites')
    }
    if (this.#token !== undefined && !hasToken(headers, pathname, this.#token)) {
      return refused(401, 'authentication_error', 'this gateway requires its token in the header x-lastgood-token')
    }
    if ((headers.get(hopHeader) ?? '').split(', ').includes(this.#id)) {
      const what = 'a request came back to the gateway that sent it: its upstream points back here'
      return refused(508, 'invalid_request_error', what)
    }
    return this.#isClosed ? refused(503, 'api_error', 'the gateway is being stopped', true) : undefined
  }

  /** Admits a request and returns the function that lets it leave; or the answer if there is no room. */
  enter(): (() => void) | Response {
    if (this.#inside >= this.#maxRequests) {
      return refused(
        503,
        'api_error',
        `${this.#inside} requests are being read or answered, the most allowed (maxRequests)`,
        true,
      )
    }
    this.#inside += 1
    let isLeft = false
    return () => {
      if (!isLeft) this.#inside -= 1
      isLeft = true
      if (this.#inside === 0) this.#tellEmpty()
    }
  }
}

/** The token may come as a bearer only where nothing is passed on: for the API a bearer is the client's own key. */
function hasToken(headers: Headers, pathname: string, token: string): boolean {
  const bearer = pathname === metricsPath ? /^Bearer (.+)$/.exec(headers.get('authorization') ?? '')?.[1] : undefined
  const said = headers.get('x-lastgood-token') ?? bearer
  return said !== undefined && timingSafeEqual(digest(said), digest(token))
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** The host name without the port. */
const nameIn = (host: string): string => host.replace(/:\d+$/, '').toLowerCase()

function refused(status: number, type: string, message: string, retry = false): Response {
  return errorResponse({ status, type, message: `lastgood: ${message}`, retry })
}
