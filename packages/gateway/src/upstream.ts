/**
 * How a request leaves for the API: as the client sent it, without the headers about the client's connection to us.
 */
import { LastgoodError, credentialHeaders, type LadderRung, type WireRequest } from '@lastgood/core'
import { hopHeader } from './admission.ts'
import { AwsSigner } from './aws-signature.ts'
import { amazonHostOf, googleHostOf, toCloud, type MaybeInForm } from './cloud-forms.ts'
import { withoutConnection } from './connection.ts'
import type { ResolvedGatewayOptions } from './options.ts'

/** Our own headers, which are not passed on. */
const ownPrefix = 'x-lastgood-'

type UpstreamOptions = Pick<
  ResolvedGatewayOptions,
  'upstream' | 'isGiven' | 'others' | 'credentials' | 'aws' | 'fetch' | 'clock'
>

export class Upstream {
  readonly #options: UpstreamOptions
  readonly #signer: AwsSigner | undefined
  readonly #id: string

  /** `id` is that of the gateway. */
  constructor(options: UpstreamOptions, id: string) {
    this.#options = options
    this.#signer = options.aws && new AwsSigner(options.aws, options.clock)
    this.#id = id
  }

  /** The same model at the other addresses. */
  othersFor(model: string): LadderRung[] {
    return this.#options.others.map((endpoint) => ({
      model,
      endpoint,
      send: (request) => this.#sendTo(endpoint, request),
    }))
  }

  /** The address for the path of a request: that of the upstream, or of the cloud's other host that answers it. */
  urlOf(request: Request): string {
    const { pathname, search } = new URL(request.url)
    const { upstream, isGiven } = this.#options
    const host = isGiven ? amazonHostOf(upstream, pathname) : googleHostOf(pathname)
    return `${host ?? upstream}${pathname}${search}`
  }

  headersOf({ headers }: Request): Headers {
    const kept = withoutConnection(headers)
    // Set anew by the sender.
    kept.delete('accept-encoding')
    const own = [...headers.keys()].filter((name) => name.startsWith(ownPrefix))
    for (const name of own) kept.delete(name)
    // Not for https: the API itself does not lead back here.
    if (this.#options.upstream.startsWith('http:')) {
      kept.set(hopHeader, [headers.get(hopHeader), this.#id].filter(Boolean).join(', '))
    }
    return kept
  }

  readonly send = (request: MaybeInForm): Promise<Response> => this.#sendTo(this.#options.upstream, request)

  async #sendTo(endpoint: string, request: MaybeInForm): Promise<Response> {
    const left = toCloud({ ...request, url: this.#at(endpoint, request.url) })
    const { url } = left.request
    // Credentials were given for an upstream, not for Google.
    const isThere = url.startsWith(`${amazonHostOf(endpoint, new URL(url).pathname) ?? endpoint}/`)
    const response = await (isThere ? this.#sendAs(endpoint, left.request) : this.#fetch(left.request))
    return left.read(response)
  }

  /** The last place that knows what leaves: a signature is for that alone. */
  async #sendAs(endpoint: string, request: WireRequest): Promise<Response> {
    if (this.#signer) return this.#signer.send(request, this.#fetch)
    return this.#fetch({ ...request, headers: await this.#withCredentials(endpoint, request.headers) })
  }

  readonly #fetch = ({ url, method = 'GET', headers, body, signal }: WireRequest): Promise<Response> =>
    this.#options.fetch(url, {
      method,
      headers,
      redirect: 'manual',
      ...(body !== undefined && body !== null && { body: body as string | Uint8Array<ArrayBuffer> | ReadableStream }),
      ...(body instanceof ReadableStream && { duplex: 'half' }),
      ...(signal && { signal }),
    })

  /** The same path at `endpoint`. One address may begin with another. */
  #at(endpoint: string, url: string): string {
    const { upstream, others } = this.#options
    const here = [upstream, ...others].filter((one) => url.startsWith(`${one}/`))
    const longest = here.reduce((a, b) => (b.length > a.length ? b : a), '')
    return longest === '' ? url : `${endpoint}${url.slice(longest.length)}`
  }

  async #withCredentials(endpoint: string, headers: Headers): Promise<Headers> {
    const { credentials } = this.#options
    const own = await credentials(endpoint)
    if (!own) return headers
    const replaced = new Headers(headers)
    for (const name of ['x-api-key', 'authorization']) replaced.delete(name)
    for (const [name, value] of credentialHeaders(own, `credentials for ${endpoint}`)) replaced.set(name, value)
    return replaced
  }

  /** Passes on, unchanged, a request that is not ours to handle. */
  async pass(request: Request, body: Uint8Array | ReadableStream<Uint8Array> | undefined): Promise<Response> {
    const { method, signal } = request
    const headers = this.headersOf(request)
    const length = request.headers.get('content-length')
    // Only the client knows the length of a body that comes in pieces.
    if (body instanceof ReadableStream && length !== null) headers.set('content-length', length)
    try {
      return await this.send({ url: this.urlOf(request), method, headers, body, signal })
    } catch (error) {
      throw body instanceof ReadableStream && isWriteError(error) ? notTaken(error) : error
    }
  }
}

/** The error may be the cause of what `fetch` throws. */
function isWriteError(error: unknown): boolean {
  return error instanceof Error && (('syscall' in error && error.syscall === 'write') || isWriteError(error.cause))
}

/** A server that stops reading has usually answered. That answer is lost with the connection, and would come again. */
function notTaken(cause: unknown): LastgoodError {
  return new LastgoodError(
    'request-failed',
    'the API stopped reading this upload before its end, and its answer is lost',
    {
      hint: 'check what it accepts: the size of a file, the headers of the request',
      cause,
    },
  )
}
