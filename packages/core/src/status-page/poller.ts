/**
 * The status page, asked once for all sessions of a store.
 *
 * 1. The first process to ask says so in the shared record before it asks; the others read what it found. Two polls are
 *    at least 15 min apart, 2 min while an outage is being waited out: the page turns frequent visitors away.
 * 2. It never throws, and nothing waits for it: no retry, no request. An unreadable page is unknown, with the reason,
 *    and the last readable one is kept beside it with its age.
 * 3. It has no timers of its own: callers poll. Without the shared record (a store that cannot answer) each process
 *    keeps the pace by itself.
 */
import { z } from 'zod'
import { systemClock, type Clock } from '../clock.ts'
import { LastgoodError } from '../errors.ts'
import { positiveMs } from '../option-checks.ts'
import type { SharedState } from '../records/shared-state.ts'
import { askPage, type Asking } from './ask.ts'
import { statusPageSchema, type StatusPage } from './page.ts'
import { lazily } from '../lazily.ts'

export interface StatusPageOptions {
  shared: SharedState
  /** Default: the system's. */
  clock?: Clock
  /** Default: the platform's. */
  fetch?: Asking['fetch']
  /** Addresses of `summary.json`, asked in this order until one answers. Default: Anthropic's page and its origin. */
  urls?: readonly string[]
  /** Least time between two polls. Default 900,000 ms (15 min); during an outage at most 120,000 ms (2 min). */
  everyMs?: number
  /** How long one address may take. Default 5,000 ms. */
  timeoutMs?: number
}

export interface StatusReading {
  /** The last page that could be read. */
  readonly page?: StatusPage
  /** When it was read, epoch ms. */
  readonly checkedAt?: number
  /** Its age in ms; `Infinity` without a page. */
  readonly ageMs: number
  /** The address that it came from, without query. */
  readonly source?: string
  /** Why the last poll gave no page; absent if it gave one, or if there was no poll yet. */
  readonly failure?: string
}

export interface PollOptions {
  /** An outage is being waited out: ask again after 2 min instead of 15. Default false. */
  urgent?: boolean
  /** Gives the poll up, which then resolves to what is already known. */
  signal?: AbortSignal
}

export interface StatusPagePoller {
  /** Asks the page if a poll is due; resolves to what is known then. */
  poll(options?: PollOptions): Promise<StatusReading>
}

/**
 * The page that people read, then its origin, which answers when the first asks for a browser.
 * https://status.claude.com/api
 */
export const defaultStatusUrls: readonly string[] = [
  'https://status.claude.com/api/v2/summary.json',
  'https://anthropic.statuspage.io/api/v2/summary.json',
]

const key = 'status-page'
const recordSchema = lazily(() =>
  z.strictObject({
    v: z.literal(1),
    /** The addresses that the record is about: pollers of other addresses ignore it. */
    urls: z.array(z.string()),
    triedAt: z.number(),
    good: z.strictObject({ page: statusPageSchema(), checkedAt: z.number(), source: z.url() }).optional(),
    failure: z.string().optional(),
  }),
)
type Known = z.infer<ReturnType<typeof recordSchema>>

/** Errors: `bad-option` for an address that is not http(s) or has credentials, or a duration that is not positive. */
export function statusPage(options: StatusPageOptions): StatusPagePoller {
  const { shared, clock = systemClock, fetch = globalThis.fetch, timeoutMs = 5_000, everyMs = 15 * 60_000 } = options
  const urls = checkedUrls(options.urls ?? defaultStatusUrls)
  for (const [field, value] of Object.entries({ everyMs, timeoutMs })) positiveMs(field, value)
  const urgentMs = Math.min(everyMs, 2 * 60_000)
  // A query may hold a token, and the record is shared.
  const places = urls.map(placeOf)
  /** What this process found out; used where the shared record is missing, older, or about other addresses. */
  let own: Known | undefined

  return {
    async poll({ urgent = false, signal } = {}) {
      const now = clock.now()
      const { known, version } = await read()
      const sinceMs = known ? Math.abs(now - known.triedAt) : Infinity
      if (sinceMs < (urgent ? urgentMs : everyMs)) return readingOf(known, now)
      const claim: Known = { v: 1, urls: places, ...known, triedAt: now }
      own = claim
      // Another process was faster, and is asking now.
      if (!(await written(version, claim))) return readingOf(known, now)
      const found = await ask(claim, signal)
      if (signal?.aborted) return readingOf(known, clock.now())
      own = found
      await written(version === undefined ? undefined : version + 1, found)
      return readingOf(found, clock.now())
    },
  }

  /** `version` is undefined where the shared record cannot be used. */
  async function read(): Promise<{ known: Known | undefined; version: number | undefined }> {
    try {
      const record = await shared.read(key)
      const { success, data } = recordSchema().safeParse(record?.value)
      const isOurs = success && data.urls.join() === places.join()
      const isNewer = isOurs && data.triedAt >= (own?.triedAt ?? -Infinity)
      return { known: isNewer ? data : own, version: record?.version ?? 0 }
    } catch {
      return { known: own, version: undefined }
    }
  }

  /** False only if another process has written in between. */
  async function written(version: number | undefined, value: Known): Promise<boolean> {
    if (version === undefined) return true
    try {
      return await shared.write(key, version, value)
    } catch {
      return true
    }
  }

  async function ask({ triedAt, good }: Known, signal: AbortSignal | undefined): Promise<Known> {
    const failures: string[] = []
    for (const url of urls) {
      const asked = await askPage(url, { fetch, clock, timeoutMs, signal })
      if ('page' in asked) {
        return { v: 1, urls: places, triedAt, good: { page: asked.page, checkedAt: clock.now(), source: placeOf(url) } }
      }
      failures.push(`${new URL(url).host}: ${asked.failure}`)
      if (signal?.aborted) break
    }
    return { v: 1, urls: places, triedAt, ...(good && { good }), failure: failures.join('; ').slice(0, 500) }
  }
}

/** The last reading by any process of the store. Does not ask the page; rejects if the store cannot answer. */
export async function lastReading(shared: SharedState, now: number): Promise<StatusReading> {
  return readingOf(recordSchema().safeParse((await shared.read(key))?.value).data, now)
}

function readingOf(known: Known | undefined, now: number): StatusReading {
  const { good, failure } = known ?? {}
  return {
    ageMs: good ? Math.max(0, now - good.checkedAt) : Infinity,
    ...good,
    ...(failure !== undefined && { failure }),
  }
}

function placeOf(url: string): string {
  const { origin, pathname } = new URL(url)
  return origin + pathname
}

function checkedUrls(urls: readonly string[]): string[] {
  for (const url of urls) {
    // fetch refuses credentials in an address, and the address is stored and shown.
    const { protocol, username, password } = URL.canParse(url)
      ? new URL(url)
      : { protocol: '', username: '', password: '' }
    if (/^https?:$/.test(protocol) && username === '' && password === '') continue
    throw new LastgoodError('bad-option', 'the address of a status page must be http(s), without credentials', {
      hint: `write it like ${defaultStatusUrls[0]}`,
    })
  }
  return [...urls]
}
