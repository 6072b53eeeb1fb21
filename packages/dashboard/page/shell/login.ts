/**
 * Exchanges the token in the address's fragment for a cookie.
 *
 * 1. The token leaves the address before anything else happens, so that no history, screenshot or reload has it.
 */
import { type PageError, postJson } from '../live/api.ts'

/** Why nobody was let in; undefined if the token was accepted, or if there is none: an earlier cookie may be valid. */
export async function login(): Promise<string | undefined> {
  const token = new URLSearchParams(location.hash.slice(1)).get('token')
  if (token === null) return undefined
  history.replaceState(null, '', location.pathname + location.search)
  return postJson('api/login', { token }).then(
    () => undefined,
    ({ status, message }: PageError) =>
      `The token ${status === 0 ? 'could not be checked' : 'was not accepted'}: ${message}`,
  )
}
