/** What headers say of the connection between two, which is no affair of anybody behind them. */

/** https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1, and what whoever sends says anew. */
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
  // Others are named there. What is no name of a header names none.
  for (const name of (headers.get('connection') ?? '').split(',')) {
    if (/^[\w!#$%&'*+.^`|~-]+$/.test(name.trim())) kept.delete(name.trim())
  }
  return kept
}
