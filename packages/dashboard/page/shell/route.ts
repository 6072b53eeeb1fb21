/** The page's route, kept in the fragment: the server's addresses stay relative, and none of it reaches a log. */
import { signal } from '@preact/signals'

export type Route = { page: 'overview' } | { page: 'session'; sessionId: string } | { page: 'outages' }

export const route = signal<Route>(routeOf(location.hash))

export function followRoute(): void {
  addEventListener('hashchange', () => {
    route.value = routeOf(location.hash)
    scrollTo(0, 0)
  })
}

export function routeOf(hash: string): Route {
  const [, page, rest] = /^#\/(session|outages)(?:\/(.*))?$/.exec(hash) ?? []
  if (page === 'outages') return { page }
  if (page !== 'session' || rest === undefined || rest === '') return { page: 'overview' }
  try {
    return { page, sessionId: decodeURIComponent(rest) }
  } catch {
    return { page: 'overview' }
  }
}

export const sessionLink = (sessionId: string): string => `#/session/${encodeURIComponent(sessionId)}`
