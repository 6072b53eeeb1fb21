/**
 * Exchanges the token in the address's fragment for a cookie.
 *
 * 1. The token leaves the address before anything else happens, so that no history, screenshot or reload has it.
 */
import { type PageError, postJson } from '../live/api.ts'

export type Login = { kind: 'in' } | { kind: 'refused'; why: string } | { kind: 'unreachable'; why: string }

/** With a token in the address: whether it was accepted. Without one, an earlier cookie may still be valid. */
export async function login(): Promise<Login> {
  const token = new URLSearchParams(location.hash.slice(1)).get('token')
  if (token === null) return { kind: 'in' }
  history.replaceState(null, '', location.pathname + location.search)
  return postJson('api/login', { token }).then(
    (): Login => ({ kind: 'in' }),
    (error: PageError): Login => ({ kind: error.status === 0 ? 'unreachable' : 'refused', why: error.message }),
  )
}
