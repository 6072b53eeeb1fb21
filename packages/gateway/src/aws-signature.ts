/**
 * Requests for Amazon, signed: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
 *
 * 1. A signature holds for one host, path and body, and for minutes: it is made where an attempt leaves, and for each anew.
 * 2. Of the headers, those that have to be signed are; a proxy on the way may change any other.
 * 3. Credentials that Amazon calls expired are asked for once more. If there are others, the request goes again with them.
 */
import { createHash, createHmac, type Hash } from 'node:crypto'
import { credentialHeaders, LastgoodError, withoutSecrets, type Clock, type WireRequest } from '@lastgood/core'
import { SignatureV4 } from '@smithy/signature-v4'
import { replaceBody } from './bodies.ts'

export interface AwsCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
}

export interface AwsOptions {
  /** Asked before each request; `forceRefresh` after Amazon called the last ones expired. A provider of the AWS SDK fits. */
  credentials: (options?: { forceRefresh?: boolean }) => AwsCredentials | Promise<AwsCredentials>
  /** For an upstream whose host does not say it. */
  region?: string | undefined
}

/** What a client may have signed with itself, for the address of the gateway. */
const ofClient = ['authorization', 'x-api-key', 'x-amz-security-token', 'x-amz-date', 'x-amz-content-sha256']

export class AwsSigner {
  readonly #options: AwsOptions
  readonly #clock: Clock

  constructor(options: AwsOptions, clock: Clock) {
    this.#options = options
    this.#clock = clock
  }

  async send(request: WireRequest, send: (signed: WireRequest) => Promise<Response>): Promise<Response> {
    const { credentials } = this.#options
    const used = await credentials()
    const response = await send(await this.#signed(request, used))
    const refusal = refusalIn(response)
    // It quotes all that was signed, and the token with it.
    if (/^(?:InvalidSignature|SignatureDoesNotMatch)/.test(refusal)) {
      return replaceBody(response, withoutSecrets(await response.text()))
    }
    if (!/^(?:Expired|UnrecognizedClient|InvalidClientToken)/.test(refusal)) return response
    // If they cannot be renewed, what Amazon said is the answer.
    const newer = await (async () => credentials({ forceRefresh: true }))().catch(() => used)
    if (newer.accessKeyId === used.accessKeyId && newer.sessionToken === used.sessionToken) return response
    await response.body?.cancel()
    return send(await this.#signed(request, newer))
  }

  async #signed(request: WireRequest, { accessKeyId, secretAccessKey, sessionToken }: AwsCredentials) {
    const { url, method = 'GET', body } = request
    const { protocol, host, hostname, pathname, searchParams } = new URL(url)
    const headers = new Headers(request.headers)
    for (const name of ofClient) headers.delete(name)
    const signer = new SignatureV4({
      service: 'bedrock',
      region: regionOf(url, this.#options),
      credentials: { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) },
      sha256: Sha256,
    })
    const query = Object.fromEntries([...new Set(searchParams.keys())].map((name) => [name, searchParams.getAll(name)]))
    const owed = [...headers].filter(([name]) => name === 'content-type' || name.startsWith('x-amz-'))
    const signed = await signer.sign(
      { method, protocol, hostname, path: pathname, query, headers: { host, ...Object.fromEntries(owed) }, body },
      { signingDate: new Date(this.#clock.now()) },
    )
    const { host: _ours, ...added } = signed.headers
    for (const [name, value] of credentialHeaders(added, 'AWS credentials')) headers.set(name, value)
    return { ...request, headers }
  }
}

/** What Amazon calls it: https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html#operation-error-serialization */
const refusalIn = ({ status, headers }: Response): string =>
  status === 401 || status === 403 ? (headers.get('x-amzn-errortype') ?? '') : ''

/** Errors: `bad-option` where neither the host nor the options say it. */
export function regionOf(url: string, { region }: Pick<AwsOptions, 'region'>): string {
  const { hostname, origin } = new URL(url)
  const ofHost =
    /(?:^|\.)bedrock(?:-runtime)?(?:-fips)?\.([a-z0-9-]+)\.(?:vpce\.)?(?:amazonaws\.com(?:\.cn)?|api\.aws)$/
  const [, said = region] = ofHost.exec(hostname) ?? []
  if (said) return said
  throw new LastgoodError('bad-option', `the region of ${origin} is not known, and a signature is for a region`, {
    hint: 'give aws.region; the command line reads AWS_REGION',
    details: { field: 'aws.region' },
  })
}

type Source = ConstructorParameters<ConstructorParameters<typeof SignatureV4>[0]['sha256']>[0]

/** That of Node, as the signer calls it. */
class Sha256 {
  #hash: Hash

  constructor(secret?: Source) {
    this.#hash = (secret === undefined ? createHash('sha256') : createHmac('sha256', secret as string)) as Hash
  }

  update(data: Uint8Array): void {
    this.#hash.update(data)
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest()
  }

  reset(): void {}
}
