/**
 * Follows the server's events for as long as the page is open and visible.
 *
 * 1. A broken connection is made anew, at first after half a second, later every 15 seconds.
 * 2. A connection that is not live is reported at once; the server sends heartbeats, so silence counts as a break.
 * 3. A hidden page has no connection: browsers allow a host six at a time, over all tabs. A page that becomes visible
 *    again shows its age until it has news.
 */
import type { Overview, OverviewChange } from '../../src/overview.ts'
import { getJson, PageError } from './api.ts'
import { connection, takeChange, takeOverview } from './overview-state.ts'
import { now } from './server-clock.ts'

const pausesMs = [500, 1_000, 2_000, 5_000, 15_000]
/** Three missed heartbeats. */
const silenceMs = 50_000
/** Time to ask why the connection broke; a server that hangs would not even refuse. */
const questionMs = 5_000

export function follow(): void {
  let failures = 0
  /** Ends what is under way: a connection, or the question why there is none and the pause after it. */
  let over = new AbortController()
  let timer = 0

  const connect = (): void => {
    over = new AbortController()
    const { signal } = over
    const source = new EventSource('api/events')
    signal.addEventListener('abort', () => source.close())
    const heard = (): void => {
      clearTimeout(timer)
      timer = setTimeout(end, silenceMs)
    }
    const end = (): void => {
      // The browser would reconnect by itself, but not after an answer that is no stream, and without saying why.
      leave()
      void lost()
    }
    heard()
    source.addEventListener('overview', (event: MessageEvent<string>) => {
      failures = 0
      heard()
      takeOverview(JSON.parse(event.data) as Overview)
      connection.value = { kind: 'live' }
    })
    source.addEventListener('change', (event: MessageEvent<string>) => {
      heard()
      takeChange(JSON.parse(event.data) as OverviewChange)
    })
    source.addEventListener('error', end)
  }

  const leave = (): void => {
    over.abort()
    clearTimeout(timer)
  }

  const lost = async (): Promise<void> => {
    over = new AbortController()
    const { signal } = over
    notLive('the connection broke, and is made anew')
    const error = await getJson<Overview>('api/overview', AbortSignal.timeout(questionMs)).then(
      () => undefined,
      (one: unknown) => one,
    )
    if (signal.aborted) return
    if (error instanceof PageError && (error.status === 401 || error.status === 403)) {
      connection.value = { kind: 'signed-out' }
      return
    }
    if (error instanceof Error) notLive(error.message)
    timer = setTimeout(connect, pausesMs[Math.min(failures++, pausesMs.length - 1)])
  }

  document.addEventListener('visibilitychange', () => {
    leave()
    if (connection.value.kind === 'signed-out') return
    if (document.hidden) notLive('this page was not looked at')
    else connect()
  })
  if (!document.hidden) connect()
}

function notLive(why: string): void {
  const since = connection.value.kind === 'lost' ? connection.value.since : now.value
  connection.value = { kind: 'lost', since, why }
}
