/**
 * Whether Amazon would take a request: a second implementation of its signature, by its description alone.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
import { createHash, createHmac } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

export interface AwsKey {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

/** What Amazon knows of a key. */
export interface KnownKey extends AwsKey {
  /** For how many requests it is still good; any number if undefined. */
  uses?: number
}

export interface Amazon {
  readonly keys: readonly KnownKey[]
  now(): number
}

export interface Signed {
  readonly method: string
  /** With the query, as it stands in the request. */
  readonly target: string
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Uint8Array | string
}

/** `type`: what Amazon names it in `x-amzn-errortype`. */
export interface Refusal {
  readonly type: string
  readonly message: string
}

const form =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/((\d{8})\/([^/]+)\/([^/]+)\/aws4_request), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/

export function refusalOf(
  { method = '', url: target = '', headers }: IncomingMessage,
  body: Uint8Array,
  { keys, now }: Amazon,
): Refusal | undefined {
  const { authorization = '' } = headers
  if (!authorization) return { type: 'MissingAuthenticationTokenException', message: 'Missing Authentication Token' }
  const [, id, , , region, service, names = ''] = form.exec(authorization) ?? []
  const key = keys.find(({ accessKeyId }) => accessKeyId === id)
  const token = headers['x-amz-security-token']
  if (!key || key.sessionToken !== token) {
    return { type: 'UnrecognizedClientException', message: 'The security token included in the request is invalid.' }
  }
  if (key.uses === 0) {
    return { type: 'ExpiredTokenException', message: 'The security token included in the request is expired' }
  }
  if (key.uses !== undefined) key.uses -= 1
  const at = Date.parse(
    String(headers['x-amz-date']).replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\dZ)$/, '$1-$2-$3:$4:$5'),
  )
  if (!(Math.abs(at - now()) <= 300_000)) return { type: 'InvalidSignatureException', message: 'Signature expired' }
  const said = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat().join()]))
  const owed = Object.keys(said).filter((name) => name === 'host' || name.startsWith('x-amz-'))
  const { canonical, signature } = signatureOf({ method, target, headers: said, body }, authorization, key)
  const isWhole = owed.every((name) => names.split(';').includes(name))
  const hash = said['x-amz-content-sha256']
  const isForIt = region === 'us-east-1' && service === 'bedrock' && (hash === undefined || hash === sha256(body))
  if (isWhole && isForIt && authorization.endsWith(`Signature=${signature}`)) return undefined
  // Amazon quotes what it would have signed, the token with it.
  const message = `The request signature we calculated does not match the signature you provided. The Canonical String for this request should have been\n'${canonical}'`
  return { type: 'InvalidSignatureException', message }
}

/** For the key, region, service and headers that `authorization` names. */
export function signatureOf({ method, target, headers, body }: Signed, authorization: string, key: AwsKey) {
  const [, , scope = '', day = '', region = '', service = '', names = ''] = form.exec(authorization) ?? []
  const [path = '', query = ''] = target.split(/\?(.*)/s)
  const canonical = [
    method,
    path.split('/').map(escaped).join('/'),
    [...new URLSearchParams(query)]
      .map(([name, value]) => `${escaped(name)}=${escaped(value)}`)
      .sort()
      .join('&'),
    ...names.split(';').map((name) => `${name}:${(headers[name] ?? '').trim().replaceAll(/ +/g, ' ')}`),
    '',
    names,
    sha256(body),
  ].join('\n')
  const said = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, sha256(canonical)].join('\n')
  const signing = [day, region, service, 'aws4_request'].reduce<Buffer | string>(hmac, `AWS4${key.secretAccessKey}`)
  return { canonical, signature: hmac(signing, said).toString('hex') }
}

const hmac = (secret: Buffer | string, text: string): Buffer => createHmac('sha256', secret).update(text).digest()
const sha256 = (text: Uint8Array | string): string => createHash('sha256').update(text).digest('hex')
const escaped = (text: string): string =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)
