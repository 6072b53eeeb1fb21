/**
 * Exchanges the token in the address's fragment for a cookie.
 *
 * 1. The token leaves the address before anything else happens, so that no history, screenshot or reload has it.
 * 2. An address with a token that is opened in a page that is already there only changes its fragment: the page is loaded
 *    again.
 */
import { type PageError, postJson } from '../live/api.ts'

/** Why nobody was let in; undefined if the token was accepted, or if there is none: an earlier cookie may be valid. */
export async function login(): Promise<string | undefined> {
  addEventListener('hashchange', () => tokenInAddress() !== null && location.reload())
  const token = tokenInAddress()
  if (token === null) return undefined
  history.replaceState(null, '', location.pathname + location.search)
  return postJson('api/login', { token }).then(
    () => undefined,
    ({ status, message }: PageError) =>
      `The token ${status === 0 ? 'could not be checked' : 'was not accepted'}: ${message}`,
  )
}

const tokenInAddress = (): string | null => new URLSearchParams(location.hash.slice(1)).get('token')
