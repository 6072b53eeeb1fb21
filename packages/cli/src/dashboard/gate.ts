/**
 * Who is let in: a caller that uses a name of the server's own, comes from no page of another site, and knows the token
 * of this start.
 *
 * 1. Checked in this order: the `Host` header (a rebound DNS name fails here), `Origin` and `Sec-Fetch-Site`, then the
 *    caller. A request under a wrong name is refused, whatever its caller knows.
 * 2. The token is a bearer token for programs. A page swaps it for a cookie that no script can read and no other site
 *    sends. It is never taken from an address: addresses are written into logs.
 * 3. A request with a cookie has to show that it comes from the page itself; a bearer token is enough by itself.
 * 4. After so many wrong tokens in a minute, no token is accepted for a while; signed-in pages are not affected.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Clock } from '@lastgood/core'
import { isLoopback, type Exposure } from '../server/exposure.ts'
import { refusal, type Refusal } from './refusal.ts'

export interface GateOptions {
  readonly clock: Clock
  readonly token: string
  readonly exposure: Exposure
  /** What the paths begin with. */
  readonly prefix: string
}

const mostGuesses = 10
const guessesMs = 60_000

export class Gate {
  readonly #options: GateOptions
  readonly #hosts: ReadonlySet<string>
  /** The value of the cookie of this start. */
  readonly #ticket = randomBytes(32).toString('base64url')
  #guesses: number[] = []

  constructor(options: GateOptions) {
    this.#options = options
    this.#hosts = new Set(options.exposure.hosts.map((name) => name.toLowerCase()))
  }

  /** For every request, whatever it is about. */
  refusalOfPlace({ headers, url, method }: Request): Refusal | undefined {
    const host = (headers.get('host') ?? new URL(url).host).toLowerCase()
    if (!this.#isOwnName(withoutPort(host))) {
      return refusal(
        403,
        'wrong-host',
        `this dashboard does not answer to ${withoutPort(host).slice(0, 100)}`,
        'start it with --allow-host <name>',
      )
    }
    const origin = headers.get('origin')
    if (origin !== null && !this.#isOwn(origin, host)) {
      return refusal(403, 'wrong-origin', 'this dashboard does not answer to pages of other sites')
    }
    // A link on another site may lead to the page, which shows nothing by itself.
    if (method !== 'GET' && method !== 'HEAD' && headers.get('sec-fetch-site') === 'cross-site') {
      return refusal(403, 'wrong-origin', 'this dashboard does not answer to pages of other sites')
    }
    return undefined
  }

  /** For a request for data. */
  refusalOfCaller(request: Request): Refusal | undefined {
    const { headers, method } = request
    const bearer = /^Bearer (.+)$/i.exec(headers.get('authorization') ?? '')?.[1]
    if (bearer !== undefined) return this.refusalOfToken(bearer)
    if (!this.#hasTicket(request)) {
      return refusal(
        401,
        'not-signed-in',
        'sign in with the token that lastgood dashboard printed',
        'start lastgood dashboard again, and open the address that it prints',
      )
    }
    const site = headers.get('sec-fetch-site')
    const isFromPage = site === 'same-origin' || (site === null && headers.has('origin'))
    const isRead = method === 'GET' || method === 'HEAD'
    if (isFromPage || (isRead && (site === null || site === 'none'))) return undefined
    return refusal(403, 'wrong-origin', 'a request with a cookie has to come from the page itself')
  }

  /** Counts wrong tokens. */
  refusalOfToken(token: string): Refusal | undefined {
    const now = this.#options.clock.elapsed()
    this.#guesses = this.#guesses.filter((at) => now - at < guessesMs)
    if (this.#guesses.length >= mostGuesses) {
      return refusal(
        429,
        'too-many-tries',
        'too many wrong tokens',
        'wait a minute, then use the address that lastgood dashboard printed',
      )
    }
    if (isSame(token, this.#options.token)) return undefined
    this.#guesses.push(now)
    return refusal(
      401,
      'wrong-token',
      'this is not the token of this dashboard',
      'each start has a new one: use the address that it printed last',
    )
  }

  /** For a caller that has shown the token. */
  cookie(request: Request): string {
    const { exposure, prefix } = this.#options
    // Where browsers use TLS, the cookie goes no other way.
    const isSecure = exposure.tls !== undefined || exposure.isBehindProxy
    const flags = ['HttpOnly', 'SameSite=Strict', `Path=${prefix}/api/`, ...(isSecure ? ['Secure'] : [])]
    return [`${cookieName(request)}=${this.#ticket}`, ...flags].join('; ')
  }

  #hasTicket(request: Request): boolean {
    const name = cookieName(request)
    const pairs = (request.headers.get('cookie') ?? '').split(';').map((pair) => pair.trim())
    return pairs.some((pair) => pair.startsWith(`${name}=`) && isSame(pair.slice(name.length + 1), this.#ticket))
  }

  #isOwn(origin: string, host: string): boolean {
    if (!URL.canParse(origin)) return false
    const from = new URL(origin)
    if (!/^https?:$/.test(from.protocol)) return false
    // A server in front of it may be called by another port and scheme.
    return from.host === host || (this.#options.exposure.isBehindProxy && this.#isOwnName(from.hostname))
  }

  #isOwnName(name: string): boolean {
    return isLoopback(name) || this.#hosts.has(name)
  }
}

/** Cookies ignore ports: two dashboards on one machine would sign each other out. */
function cookieName({ headers, url }: Request): string {
  const [, port = '0'] = /:(\d{1,5})$/.exec(headers.get('host') ?? new URL(url).host) ?? []
  return `lastgood-${port}`
}

const withoutPort = (host: string): string => host.replace(/:\d+$/, '')

/** In a time that does not reveal how much of it was right. */
function isSame(one: string, other: string): boolean {
  return timingSafeEqual(digest(one), digest(other))
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
