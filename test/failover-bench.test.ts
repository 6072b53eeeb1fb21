/**
 * The sixteen scenarios of FailoverBench (https://github.com/failoverbench/failoverbench), restated for the Messages API
 * and played against the gateway in virtual time. An answer that was cut is never a success.
 */
import { memoryStore } from '@lastgood/core'
import { createGateway, type GatewayOptions } from '@lastgood/gateway'
import { createLab, reply, text, type Fault, type LocalLab, type Outage } from '@lastgood/outage-lab'
import { expect, onTestFinished, test } from 'vitest'
import { countTool } from './support/counting-story.ts'
import { jumpingClock } from './support/harness.ts'

const [primary, other] = ['claude-opus-5-5', 'claude-sonnet-5-5']
const whole = 'This is the whole answer, and nothing of it may be missing. '.repeat(4)
const always = { requests: [1, Infinity] as [number, number] }

interface Heard {
  status: number
  /** The text, when the answer came to its end. */
  text: string | undefined
  model: string | undefined
  output: number
  error: { type: string; message: string } | undefined
  shouldRetry: string | null
  /** The header that names another model. */
  inPlace: string | null
}

/** A gateway in front of a lab, both in virtual time. */
function stage(
  outages: readonly Outage[],
  { others = {}, ...options }: GatewayOptions & { others?: Record<string, LocalLab> } = {},
) {
  const clock = jumpingClock()
  const lab = createLab({
    model: () => reply(text(whole)),
    outages,
    now: () => clock.now(),
    sleep: (ms, signal) => clock.sleepUntil(clock.now() + ms, { signal }),
  })
  const gateway = createGateway({
    upstream: [lab.url, ...Object.keys(others)],
    store: memoryStore({ clock }),
    clock,
    fetch: (url, init) => (others[new URL(url).origin] ?? lab).fetch(url, init),
    ...options,
  })
  onTestFinished(async () => {
    await lab.close()
    await gateway.close()
  })
  const began = clock.now()
  let asked = 0
  return {
    lab,
    clock,
    elapsed: () => clock.now() - began,
    /** Which models were asked, in order. */
    models: () => lab.requests.filter(({ path }) => path.startsWith('/v1/messages')).map(({ body }) => body?.model),
    async ask(content = `Question ${(asked += 1)}`): Promise<Heard> {
      const response = await gateway.fetch(
        new Request('http://127.0.0.1:4141/v1/messages', {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01', 'x-api-key': 'k' },
          body: JSON.stringify({
            model: primary,
            max_tokens: 1000,
            stream: true,
            tools: [countTool],
            messages: [{ role: 'user', content }],
          }),
        }),
      )
      return heard(response, await response.text())
    },
  }
}

function heard({ status, headers }: Response, body: string): Heard {
  const datas = [...body.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data ?? '') as Record<string, never>)
  const all = (type: string) => datas.filter((data) => data['type'] === type)
  const error = datas.length === 0 ? JSON.parse(body) : all('error')[0]
  // A client keeps what the last block says: blocks of broken attempts stay before it.
  const last = Math.max(...all('content_block_start').map((data) => Number(data['index'])))
  const deltas = all('content_block_delta').filter((data) => data['index'] === last)
  const said = deltas.map((data) => (data['delta'] as { text?: string } | undefined)?.text ?? '').join('')
  return {
    status,
    shouldRetry: headers.get('x-should-retry'),
    inPlace: headers.get('x-lastgood-model'),
    text: all('message_stop').length === 1 && all('error').length === 0 ? said : undefined,
    model: (all('message_start')[0]?.['message'] as { model?: string } | undefined)?.model,
    output: (all('message_delta')[0]?.['usage'] as { output_tokens?: number } | undefined)?.output_tokens ?? 0,
    error: (error as { error?: Heard['error'] } | undefined)?.error,
  }
}

const once = (fault: Fault): Outage => ({ when: { request: 1 }, fault })
const onPrimary = (fault: Fault): Outage => ({ when: { ...always, model: primary }, fault })
const fallback = [{ model: other }]
const status = (code: number, headers?: Record<string, string>): Fault => ({
  kind: 'status',
  status: code,
  ...(headers && { headers }),
})

test('S01: a 429 with retry-after 2 is asked again after that, and not before', async () => {
  const { ask, elapsed, models } = stage([once(status(429, { 'retry-after': '2' }))])
  expect((await ask()).text).toBe(whole)
  expect(elapsed()).toBeGreaterThanOrEqual(1800)
  expect(models()).toHaveLength(2)
})

test('S02: a 429 without retry-after, for ever, is backed off from, and ends cleanly', async () => {
  const { ask, lab, clock } = stage([{ when: always, fault: status(429) }], {
    policy: { horizonMs: 60_000 },
    holdMs: 120_000,
  })
  const began = clock.now()
  const answer = await ask()
  expect(answer).toMatchObject({ text: undefined, shouldRetry: 'false', error: { type: 'rate_limit_error' } })
  expect(lab.requests.filter(({ at }) => at - began <= 3000).length).toBeLessThanOrEqual(4)
})

test('S03: a 500 once is asked again on the same model', async () => {
  const { ask, models } = stage([once(status(500))], { fallback })
  expect((await ask()).text).toBe(whole)
  expect(models()).toEqual([primary, primary])
})

test('S04: a 503 for ever falls back; with nowhere to go it is the original error', async () => {
  const withOther = stage([onPrimary(status(503))], { fallback })
  expect((await withOther.ask()).text).toBe(whole)
  expect(withOther.elapsed()).toBeLessThan(120_000)
  const alone = stage([{ when: always, fault: status(503) }], { policy: { horizonMs: 60_000 } })
  expect(await alone.ask()).toMatchObject({ text: undefined, error: { type: 'api_error' } })
})

test('S05: a reset before the headers is not noticed', async () => {
  const { ask } = stage([once({ kind: 'reset', at: 'before-headers' })])
  expect((await ask()).text).toBe(whole)
})

test('S06: who accepts and never answers is given up, and another address answers', async () => {
  const elsewhere = createLab({ model: () => reply(text(whole)) })
  const silence: Fault = { kind: 'stall', after: 'before-headers', pings: false, forMs: 900_000 }
  const { ask, elapsed } = stage([{ when: always, fault: silence }], { others: { 'http://elsewhere.test': elsewhere } })
  expect((await ask()).text).toBe(whole)
  expect(elapsed()).toBeLessThan(900_000)
  expect(elsewhere.requests.filter(({ path }) => path.includes('/v1/messages'))).toHaveLength(1)
})

test('S07: a first word after 20 s is waited for', async () => {
  const { ask, models } = stage([once({ kind: 'delay', ms: 20_000 })])
  expect((await ask()).text).toBe(whole)
  expect(models()).toHaveLength(1)
})

test('S08: a stream that is cut at two thirds ends as the whole answer', async () => {
  const { ask } = stage([once({ kind: 'cut', after: { inside: 'text' }, how: 'reset' })])
  expect((await ask()).text).toBe(whole)
})

test('S09: a stream that is silent for long is noticed, and the next one is healthy', async () => {
  const { ask, elapsed } = stage([once({ kind: 'stall', after: { inside: 'text' }, pings: false, forMs: 900_000 })])
  expect((await ask()).text).toBe(whole)
  expect(elapsed()).toBeLessThan(200_000)
  expect((await ask()).text).toBe(whole)
})

test('S10: an event that is no JSON leaks nothing that is cut, and the gateway goes on', async () => {
  const { ask } = stage([once({ kind: 'bad-event', after: { inside: 'text' } })])
  expect((await ask()).text).toBe(whole)
  expect((await ask()).text).toBe(whole)
})

test('S11: an answer without its last event is complete at once, with its usage', async () => {
  const { ask, models } = stage([once({ kind: 'cut', after: { before: 'message_stop' }, how: 'end' })])
  const answer = await ask()
  expect([answer.text, answer.output > 0]).toEqual([whole, true])
  expect(models()).toHaveLength(1)
})

test('S12: a context that is too long is not asked for again on the same model', async () => {
  const tooLong = {
    kind: 'status',
    status: 400,
    message: 'prompt is too long: 1200000 tokens > 1000000 maximum',
  } as const
  const { ask, models } = stage([{ when: always, fault: tooLong }])
  const answer = await ask()
  expect(answer).toMatchObject({ status: 400, error: { message: expect.stringContaining('too long') } })
  expect(models()).toHaveLength(1)
})

test('S13: a refusal of the content is asked for twice more, because another sample may pass, and its reason is passed on', async () => {
  const filtered = { kind: 'status', status: 400, message: 'Output blocked by content filtering policy' } as const
  const { ask, models } = stage([{ when: always, fault: filtered }])
  const answer = await ask()
  expect(answer).toMatchObject({ status: 400, error: { message: expect.stringContaining('content filtering') } })
  expect(models()).toHaveLength(3)
})

test('S14: a cut, and a fallback that refuses to go on from an assistant message, restart cleanly', async () => {
  const cut: Fault = { kind: 'cut', after: { inside: 'text' }, how: 'reset' }
  const { ask, models } = stage([onPrimary(cut)], { fallback, policy: { cutText: 'keep' } })
  const answer = await ask()
  expect(answer.error).toBeUndefined()
  expect(answer.text).toContain(whole)
  expect(models().at(-1)).toBe(other)
})

test('S15: the other model serves while the first is down, and the first is back soon after', async () => {
  const down: Outage = { when: { window: [0, 60_000], model: primary }, fault: status(503) }
  const { ask, clock, elapsed, lab } = stage([down], { fallback })
  for (let n = 0; n < 30; n += 1) {
    expect((await ask()).text).toBe(whole)
    await clock.advance(4000)
  }
  const served = lab.requests.filter(({ outcome, body }) => outcome.kind === 'ok' && body?.model === primary)
  expect(served.length).toBeGreaterThan(5)
  expect(elapsed()).toBeGreaterThan(120_000)
})

test('S16: who answers in the place of another says so: its model, its usage', async () => {
  const { ask } = stage([onPrimary(status(503))], { fallback, holdMs: 600_000 })
  expect(await ask()).toMatchObject({ text: whole, model: other, inPlace: other })
})
