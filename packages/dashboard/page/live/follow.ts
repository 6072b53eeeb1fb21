/**
 * Follows the server's events for as long as the page is open, and looked at.
 *
 * 1. A connection that broke is made anew after a while, first at once, later every 15 seconds.
 * 2. Whatever is not a living connection is said at once; the server sends a sign of life, so silence is not taken for peace.
 * 3. A page that nobody sees has no connection: browsers give a host six at a time, for all its tabs. One that is seen again
 *    says how old it is until it is told anew.
 */
import type { Overview, OverviewChange } from '../../src/overview.ts'
import { getJson, PageError } from './api.ts'
import { connection, takeChange, takeOverview } from './overview-state.ts'
import { now } from './server-clock.ts'

const pausesMs = [500, 1_000, 2_000, 5_000, 15_000]
/** Three signs of life that did not come. */
const silenceMs = 50_000
/** For the question why; a server that stands still would not even refuse. */
const questionMs = 5_000

export function follow(): void {
  let failures = 0
  /** Of what goes on: a connection, or the question why there is none and the pause after it. */
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
      // The browser would connect again by itself, but not after an answer that is no stream, and without telling why.
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
