/** The page's route, kept in the fragment: the server's addresses stay relative, and none of it reaches a log. */
import { signal } from '@preact/signals'

/** The pages that are always there, in the order of the navigation; a key leads to each from every other page. */
export const places = [
  { page: 'overview', address: '#/', title: 'Sessions', key: 'g', about: 'back to all sessions' },
  { page: 'outages', address: '#/outages', title: 'Outages', key: 'o', about: 'outages' },
] as const
export type PlaceName = (typeof places)[number]['page']

export type Route = { page: PlaceName } | { page: 'session'; sessionId: string }

export const route = signal<Route>(routeOf(location.hash))

export function followRoute(): void {
  addEventListener('hashchange', () => {
    route.value = routeOf(location.hash)
    scrollTo(0, 0)
    // What had the focus is gone: a screen reader would say nothing of the page that was opened.
    document.getElementById('content')?.focus({ preventScroll: true })
  })
}

export function routeOf(hash: string): Route {
  const [, sessionId] = /^#\/session\/(.+)$/.exec(hash) ?? []
  if (sessionId === undefined) {
    const place = places.find(({ address }) => hash === address || hash.startsWith(`${address}/`))
    return { page: place?.page ?? 'overview' }
  }
  try {
    return { page: 'session', sessionId: decodeURIComponent(sessionId) }
  } catch {
    return { page: 'overview' }
  }
}

export const sessionLink = (sessionId: string): string => `#/session/${encodeURIComponent(sessionId)}`
