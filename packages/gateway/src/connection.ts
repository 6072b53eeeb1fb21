/** Headers about the connection between two peers, which are not passed on. */

/** https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1, and headers that each sender sets anew. */
const ofConnection = [
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]

export function withoutConnection(headers: Headers): Headers {
  const kept = new Headers(headers)
  for (const name of ofConnection) kept.delete(name)
  // `connection` names further ones. What is no valid name of a header is ignored.
  for (const name of (headers.get('connection') ?? '').split(',')) {
    if (/^[\w!#$%&'*+.^`|~-]+$/.test(name.trim())) kept.delete(name.trim())
  }
  return kept
}
