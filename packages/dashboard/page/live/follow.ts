/**
 * Follows the server's events for as long as the page is open.
 *
 * 1. A connection that broke is made anew after a while, first at once, later every 15 seconds.
 * 2. Whatever is not a living connection is said; the server sends a sign of life, so silence is not taken for peace.
 */
import type { Overview, OverviewChange } from '../../src/overview.ts'
import { getJson, PageError } from './api.ts'
import { connection, takeChange, takeOverview } from './overview-state.ts'
import { now } from './server-clock.ts'

const pausesMs = [500, 1_000, 2_000, 5_000, 15_000]
/** Three signs of life that did not come. */
const silenceMs = 50_000

export function follow(): void {
  let failures = 0
  const connect = (): void => {
    const source = new EventSource('api/events')
    let timer = 0
    const heard = (): void => {
      clearTimeout(timer)
      timer = setTimeout(end, silenceMs)
    }
    const end = (): void => {
      // The browser would connect again by itself, but not after an answer that is no stream, and without telling why.
      clearTimeout(timer)
      source.close()
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
  const lost = async (): Promise<void> => {
    const why = await getJson<Overview>('api/overview').then(
      () => 'the connection broke, and is made anew',
      (error: unknown) => error,
    )
    if (why instanceof PageError && (why.status === 401 || why.status === 403)) {
      connection.value = { kind: 'signed-out' }
      return
    }
    const since = connection.value.kind === 'lost' ? connection.value.since : now.value
    connection.value = { kind: 'lost', since, why: why instanceof Error ? why.message : String(why) }
    setTimeout(connect, pausesMs[Math.min(failures++, pausesMs.length - 1)])
  }
  connect()
}
