import { createServer, type ServerResponse } from 'node:http'
import { describe, expect, it, onTestFinished } from 'vitest'
import { memoryStore } from '../store/memory-store.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { incident, summary } from './page.fixture.ts'
import { statusPage, type StatusPageOptions } from './poller.ts'

const minute = 60_000

/** A status page on a loopback port, and how often it was asked. */
async function page(answer: (response: ServerResponse, asked: number) => void) {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    answer(response, asked.length)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    server.closeAllConnections()
    await closed
  })
  const { port } = server.address() as { port: number }
  return { url: `http://127.0.0.1:${port}/api/v2/summary.json`, host: `127.0.0.1:${port}`, asked }
}

const json = (body: unknown) => (response: ServerResponse) => void response.end(JSON.stringify(body))
const status = (code: number) => (response: ServerResponse) => void response.writeHead(code).end('<html>')

/** Two sessions of one store, in two processes. */
function two(urls: readonly string[], changes: Partial<StatusPageOptions> = {}) {
  const [clock, shared] = [new ManualClock(), memoryStore().shared]
  const one = () => statusPage({ shared, clock, urls, ...changes })
  return { clock, shared, here: one(), there: one() }
}

describe('all sessions of a store share one poll', () => {
  it('of which everybody has the result, with its age and its source', async () => {
    const { url, asked } = await page(json(summary({ incidents: [incident('Elevated errors')] })))
    const { clock, here, there } = two([`${url}?token=secret`])
    await here.poll()
    await clock.advance(minute)
    const reading = await there.poll()
    expect(reading).toMatchObject({ checkedAt: clock.now() - minute, ageMs: minute, source: url })
    expect(reading.page?.openIncidents).toMatchObject([{ name: 'Elevated errors' }])
    expect(reading).toEqual(await here.poll())
    expect(asked).toHaveLength(1)
  })

  it('at most every 15 min, every 2 min while an outage is waited out', async () => {
    const { url, asked } = await page(json(summary()))
    const { clock, here, there } = two([url])
    const after = async (ms: number, urgent: boolean) => {
      await clock.advance(ms)
      await here.poll({ urgent })
      await there.poll({ urgent })
      return asked.length
    }
    expect(await after(0, true)).toBe(1)
    expect(await after(2 * minute - 1, true)).toBe(1)
    expect(await after(1, true)).toBe(2)
    expect(await after(15 * minute - 1, false)).toBe(2)
    expect(await after(1, false)).toBe(3)
  })

  it('also when they ask at the same moment', async () => {
    const { url, asked } = await page(json(summary()))
    const { here, there } = two([url])
    await Promise.all([here.poll(), there.poll(), here.poll({ urgent: true })])
    expect(asked).toHaveLength(1)
  })

  it('unless they ask other addresses', async () => {
    const [mine, theirs] = [await page(json(summary())), await page(json(summary({ api: 'major_outage' })))]
    const { clock, shared, here } = two([mine.url])
    await here.poll()
    const other = statusPage({ shared, clock, urls: [theirs.url] })
    expect((await other.poll()).page?.api).toBe('major_outage')
    expect(await here.poll()).toMatchObject({ source: mine.url })
  })

  it('and a record in the future, from a clock that was wrong, holds nobody up', async () => {
    const { url, asked } = await page(json(summary()))
    const { clock, shared, here } = two([url])
    await statusPage({ shared, clock: new ManualClock({ startAt: clock.now() + 86_400_000 }), urls: [url] }).poll()
    await here.poll()
    expect(asked).toHaveLength(2)
  })

  it('and keep the pace each by itself where the store cannot answer', async () => {
    const { url, asked } = await page(json(summary()))
    const gone = async () => {
      throw new Error('the store is gone')
    }
    const { clock, here } = two([url], { shared: { read: gone, write: gone, list: gone } })
    expect(await here.poll()).toMatchObject({ ageMs: 0, source: url })
    await clock.advance(14 * minute)
    expect(await here.poll()).toMatchObject({ ageMs: 14 * minute })
    expect(asked).toHaveLength(1)
  })

  it('and what somebody else left in the record is not believed', async () => {
    const { url } = await page(json(summary()))
    const { shared, here } = two([url])
    await shared.write('status-page', 0, { v: 1, triedAt: 'now', good: { page: { indicator: 7 } } })
    expect(await here.poll()).toMatchObject({ ageMs: 0 })
  })
})

describe('a page that cannot be read is unknown, with the reason', () => {
  it.each<[string, (response: ServerResponse) => void, string]>([
    ['a challenge', status(405), 'HTTP 405 (most likely a browser check)'],
    ['an error', status(503), 'HTTP 503'],
    ['HTML', (response) => void response.end('\n<!doctype html>'), 'HTML instead of JSON'],
    ['half of it', (response) => void response.end('{"status":'), 'not JSON'],
    ['another document', json({ hello: 'secret words' }), 'JSON, but not a status page'],
    ['a flood', (response) => void response.end('x'.repeat(1024 * 1024 + 1)), 'an answer of more than 1 MB'],
    ['a closed connection', (response) => void response.destroy(), 'UND_ERR_SOCKET'],
  ])('%s', async (_what, answer, reason) => {
    const { url, host } = await page(answer)
    expect(await two([url]).here.poll()).toEqual({ ageMs: Infinity, failure: `${host}: ${reason}` })
  })

  it.each([
    ['CERT_HAS_EXPIRED', 'certificate (CERT_HAS_EXPIRED)'],
    ['ENOTFOUND', 'ENOTFOUND'],
  ])('no connection: %s', async (code, reason) => {
    const fetch = async () => {
      throw new TypeError('fetch failed', { cause: Object.assign(new Error('no'), { code }) })
    }
    const { here } = two(['https://status.test/summary.json'], { fetch })
    expect((await here.poll()).failure).toBe(`status.test: ${reason}`)
  })

  it('no answer within 5 s', async () => {
    let answering = () => {}
    const arrived = new Promise<void>((resolve) => (answering = resolve))
    const { url, host } = await page(() => answering())
    const { clock, here } = two([url])
    const polled = here.poll()
    await arrived
    await clock.advance(5_000)
    expect(await polled).toEqual({ ageMs: Infinity, failure: `${host}: no answer within 5 s` })
    expect(clock.sleepers).toEqual([])
  })

  it('and the next address is asked', async () => {
    const [first, second] = [await page(status(405)), await page(json(summary()))]
    expect(await two([first.url, second.url]).here.poll()).toMatchObject({ source: second.url, ageMs: 0 })
  })

  it('and all reasons are told when none answers', async () => {
    const [first, second] = [await page(status(405)), await page(status(500))]
    const { failure } = await two([first.url, second.url]).here.poll()
    expect(failure).toBe(`${first.host}: HTTP 405 (most likely a browser check); ${second.host}: HTTP 500`)
  })

  it('and the last one that could be read stays, with its age, until another can', async () => {
    const { url, host } = await page((response, n) => (n === 2 ? status(405) : json(summary()))(response))
    const { clock, here, there } = two([url])
    const first = await here.poll()
    expect(first.failure).toBeUndefined()
    await clock.advance(15 * minute)
    const second = await here.poll()
    expect(second).toMatchObject({ page: first.page, ageMs: 15 * minute, failure: expect.stringContaining(host) })
    expect(await there.poll()).toEqual(second)
    await clock.advance(15 * minute)
    expect((await there.poll()).failure).toBeUndefined()
  })
})

it('a poll that is given up leaves what was known, and nothing sleeping', async () => {
  const stop = new AbortController()
  const { url } = await page(() => stop.abort())
  const { clock, here } = two([url])
  expect(await here.poll({ signal: stop.signal })).toEqual({ ageMs: Infinity })
  expect(clock.sleepers).toEqual([])
})

it.each([
  ['an address that is none', { urls: ['status.claude.com'] }],
  ['another protocol', { urls: ['file:///etc/passwd'] }],
  ['credentials', { urls: ['https://user:secret@status.test/'] }],
  ['a pace that is none', { everyMs: 0 }],
  ['a time that is none', { timeoutMs: NaN }],
])('%s is the caller’s mistake', (_what, options) => {
  const mistake = expect.objectContaining({ code: 'bad-option', message: expect.not.stringContaining('secret') })
  expect(() => statusPage({ shared: memoryStore().shared, ...options })).toThrow(mistake)
})
