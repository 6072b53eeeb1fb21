/**
 * Who is served: who calls the gateway by a name of its own, from no page of another site, under whatever name, with the
 * token where there is one, and not by way of the gateway itself; and so many at once.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { errorResponse } from './api-error.ts'
import type { ResolvedGatewayOptions } from './options.ts'

/** The gateways that a request has passed, so that none is passed twice. */
export const hopHeader = 'x-lastgood-hop'

/** For Prometheus. */
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

  /** Lets nobody in any more. Resolves when all who are inside have left. */
  close(): Promise<void> {
    this.#isClosed = true
    return new Promise((resolve) => {
      this.#tellEmpty = resolve
      if (this.#inside === 0) resolve()
    })
  }

  /** The answer to who is not served; undefined for everybody else. */
  refusalOf({ headers, url }: Request): Response | undefined {
    const { host: called, pathname } = new URL(url)
    const host = nameIn(headers.get('host') ?? called)
    if (!this.#hosts.has(host)) return refused(403, 'permission_error', `this gateway does not answer to ${host}`)
    if (headers.get('sec-fetch-site') === 'cross-site') {
      return refused(403, 'permission_error', 'this gateway does not answer to pages of other sites')
    }
    if (this.#token !== undefined && !hasToken(headers, pathname, this.#token)) {
      return refused(401, 'authentication_error', 'this gateway wants its token in the header x-lastgood-token')
    }
    if ((headers.get(hopHeader) ?? '').split(', ').includes(this.#id)) {
      const what = 'a request came back to the gateway that sent it: its upstream leads here'
      return refused(508, 'invalid_request_error', what)
    }
    return this.#isClosed ? refused(503, 'api_error', 'the gateway is being stopped', true) : undefined
  }

  /** A place inside, which is left by calling it; or the answer to who finds none. */
  enter(): (() => void) | Response {
    if (this.#inside >= this.#maxRequests) {
      return refused(503, 'api_error', `${this.#inside} requests are being read or answered, and no more may`, true)
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

/** As a bearer only where nothing is passed on: in front of the API that is the client's own key. */
function hasToken(headers: Headers, pathname: string, token: string): boolean {
  const bearer = pathname === metricsPath ? /^Bearer (.+)$/.exec(headers.get('authorization') ?? '')?.[1] : undefined
  const said = headers.get('x-lastgood-token') ?? bearer
  return said !== undefined && timingSafeEqual(digest(said), digest(token))
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** Without the port. */
const nameIn = (host: string): string => host.replace(/:\d+$/, '').toLowerCase()

function refused(status: number, type: string, message: string, retry = false): Response {
  return errorResponse({ status, type, message: `lastgood: ${message}`, retry })
}
