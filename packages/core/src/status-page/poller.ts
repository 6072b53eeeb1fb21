/**
 * The status page, asked once for all sessions of a store.
 *
 * 1. Who asks first writes so into the shared record and asks; the others read what it found. Two polls are at least
 *    15 min apart, 2 min while an outage is being waited out: the page turns frequent visitors away.
 * 2. It never throws, and nothing waits for it: no retry, no request. A page that cannot be read is unknown, with the
 *    reason, and the last one that could be is kept beside it with its age.
 * 3. It has no timers of its own: whoever wants to know polls. Without the shared record (a store that cannot answer) each
 *    process keeps the pace by itself.
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
  /** Least time between two polls. Default 900,000 ms (15 min); while an outage is waited out 120,000 ms, if that is less. */
  everyMs?: number
  /** How long one address may take. Default 5,000 ms. */
  timeoutMs?: number
}

export interface StatusReading {
  /** The last page that could be read. */
  readonly page?: StatusPage
  /** When that was, epoch ms. */
  readonly checkedAt?: number
  /** The same as an age in ms; `Infinity` without a page. */
  readonly ageMs: number
  /** The address that gave it, without query. */
  readonly source?: string
  /** Why the last poll gave none; absent when it gave one, or when nobody has polled yet. */
  readonly failure?: string
}

export interface PollOptions {
  /** An outage is being waited out: ask again after 2 min instead of 15. Default false. */
  urgent?: boolean
  /** Gives the poll up; what is known already is the answer. */
  signal?: AbortSignal
}

export interface StatusPagePoller {
  /** Asks the page if it is time to; then what is known. */
  poll(options?: PollOptions): Promise<StatusReading>
}

/**
 * The page that people read, then its origin, which answers where the first asks for a browser.
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
    /** Of whom it speaks: pollers of other addresses leave it alone. */
    urls: z.array(z.string()),
    triedAt: z.number(),
    good: z.strictObject({ page: statusPageSchema(), checkedAt: z.number(), source: z.url() }).optional(),
    failure: z.string().optional(),
  }),
)
type Known = z.infer<ReturnType<typeof recordSchema>>

/** Errors: `bad-option` for an address that is none, or for a duration that is not positive. */
export function statusPage(options: StatusPageOptions): StatusPagePoller {
  const { shared, clock = systemClock, fetch = globalThis.fetch, timeoutMs = 5_000, everyMs = 15 * 60_000 } = options
  const urls = checkedUrls(options.urls ?? defaultStatusUrls)
  for (const [field, value] of Object.entries({ everyMs, timeoutMs })) positiveMs(field, value)
  const urgentMs = Math.min(everyMs, 2 * 60_000)
  // A query may hold a token, and the record is shared.
  const places = urls.map(placeOf)
  /** What this process found out; counts where the shared record is gone, or of other addresses. */
  let own: Known | undefined

  return {
    async poll({ urgent = false, signal } = {}) {
      const now = clock.now()
      const { known, version } = await read()
      const sinceMs = known ? Math.abs(now - known.triedAt) : Infinity
      if (sinceMs < (urgent ? urgentMs : everyMs)) return readingOf(known, now)
      const claim: Known = { v: 1, urls: places, ...known, triedAt: now }
      own = claim
      // Another one was faster, and is asking now.
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

  /** False only when another one has written in between. */
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

/** What the page said last, whoever of the store asked and wherever. Asks nobody; rejects when the store cannot answer. */
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
