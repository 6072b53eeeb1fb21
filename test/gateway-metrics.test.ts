import parse from 'parse-prometheus-text-format'
import { reply, story, text, toolUse } from '@lastgood/outage-lab'
import { expect, test } from 'vitest'
import { memoryStore } from '@lastgood/core'
import { ManualClock } from '@lastgood/core/testing'
import { failing, hello, impatient, named, post, setUp, type SetUp } from './support/gateway-stage.ts'

const answer = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'my-secret-model',
  content: [{ type: 'text', text: 'hi' }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 5, output_tokens: 1 },
}

async function stage({ gateway: options, ...rest }: SetUp = {}) {
  const world = await setUp({ lab: { model: () => reply(text('hi')) }, gateway: options ?? {}, ...rest })
  const page = async (headers: Record<string, string> = {}) => {
    const response = await world.gateway.fetch(new Request('http://127.0.0.1:4141/metrics', { headers }))
    return { status: response.status, text: await response.text() }
  }
  /** Each value by its name and labels. */
  const metrics = async () =>
    Object.fromEntries(
      parse((await page()).text).flatMap(({ name, metrics: all }) =>
        all.map(({ value, count, labels }) => [
          [name, ...Object.values(labels ?? {})].join(' '),
          Number(value ?? count),
        ]),
      ),
    )
  return { ...world, page, metrics }
}

test('an outage and its end can be read from /metrics', async () => {
  const { gateway, metrics } = await stage({ lab: { model: () => reply(text('hi')), outages: [failing(529, 3)] } })
  await (await post(gateway, { ...hello, stream: true }, { headers: named })).text()
  expect(await metrics()).toMatchObject({
    'lastgood_attempts_total claude-opus-5-5 overloaded': 3,
    'lastgood_attempts_total claude-opus-5-5 answered': 1,
    'lastgood_recoveries_total same_model': 1,
    'lastgood_wait_seconds_total backoff': expect.any(Number) as number,
    'lastgood_tokens_total claude-opus-5-5 output': expect.any(Number) as number,
    'lastgood_responses_total 200': 1,
    lastgood_sessions_failing: 0,
    'lastgood_sessions idle': 1,
    'lastgood_sessions waiting': 0,
    lastgood_requests_waiting: 0,
  })
})

test('a recovery is counted by how it came and how long it took', async () => {
  const { gateway, page } = await stage({ lab: { model: () => reply(text('hi')), outages: [failing(529, 3)] } })
  await (await post(gateway, hello, { headers: named })).text()
  const { text: said } = await page()
  expect(said).toContain('lastgood_recovery_duration_seconds_count{mode="same_model"} 1')
  for (const le of [1, 5, 30, 60, 300, 900, 3600, 21600]) {
    expect(said).toContain(`lastgood_recovery_duration_seconds_bucket{le="${le}",mode="same_model"}`)
  }
})

test('a session that waits is told, with the time that it waits', async () => {
  const clock = new ManualClock()
  const { gateway, metrics } = await stage({
    lab: { model: () => reply(text('hi')), outages: [failing(529)] },
    gateway: { clock, drainMs: 0 },
  })
  const gone = new AbortController()
  const asked = post(gateway, { ...hello, stream: true }, { headers: named, signal: gone.signal })
  await expect.poll(metrics).toMatchObject({
    'lastgood_sessions waiting': 1,
    lastgood_sessions_failing: 1,
    lastgood_requests_waiting: 1,
  })
  await clock.advance(100)
  expect(await metrics()).toMatchObject({ lastgood_outage_seconds: 0.1 })
  gone.abort()
  await clock.advance(20_000)
  await (await asked).body?.cancel()
})

test('one that nobody waits for any more does not fail on', async () => {
  const clock = new ManualClock()
  const { gateway, metrics } = await stage({
    lab: { model: () => reply(text('hi')), outages: [failing(529)] },
    gateway: { clock, reattachMs: 1_000 },
  })
  const gone = new AbortController()
  const asked = post(gateway, { ...hello, stream: true }, { headers: named, signal: gone.signal })
  await expect.poll(metrics).toMatchObject({ lastgood_sessions_failing: 1 })
  gone.abort()
  await clock.advance(1_000)
  await asked
  await expect.poll(metrics).toMatchObject({ lastgood_sessions_failing: 0, lastgood_outage_seconds: 0 })
})

test('a client that has gone got nothing', async () => {
  const gone = new AbortController()
  const fetch = () => {
    gone.abort()
    return Promise.reject(gone.signal.reason as Error)
  }
  const { gateway, metrics } = await stage({ gateway: { fetch } })
  await post(gateway, hello, { path: '/v1/messages/count_tokens', signal: gone.signal })
  expect(Object.keys(await metrics()).filter((name) => name.startsWith('lastgood_responses_total'))).toEqual([])
})

test('one that was given up waits no more', async () => {
  const { gateway, metrics } = await stage({
    lab: { model: () => reply(text('hi')), outages: [failing(529)] },
    gateway: { policy: { horizonMs: 60_000 }, holdMs: 120_000 },
  })
  expect((await post(gateway, hello, { headers: named })).status).toBe(529)
  const told = await metrics()
  expect(told).toMatchObject({ lastgood_sessions_failing: 0, 'lastgood_responses_total 529': 1 })
  // By its last fault, or by a probe of the breaker that would be too late.
  const givenUp = Object.entries(told).filter(([name]) => name.startsWith('lastgood_given_up_total'))
  expect(givenUp.map(([, count]) => count)).toEqual([1])
})

test('who reads the metrics is no client', async () => {
  const { metrics } = await stage()
  await metrics()
  expect(Object.keys(await metrics()).filter((name) => name.startsWith('lastgood_responses_total'))).toEqual([])
})

test('what an opened session costs anew, and what comes after an interruption, is counted as that', async () => {
  const store = memoryStore()
  const lab = { model: () => reply(text('hi')), outages: [failing(529, 1)] }
  const before = await stage({ lab, gateway: { store, ...impatient } })
  expect((await post(before.gateway, hello, { headers: named })).status).toBe(529)
  await before.gateway.close()
  const { gateway, metrics } = await stage({ gateway: { store } })
  await (await post(gateway, hello, { headers: named })).text()
  const counted = await metrics()
  expect(counted).toMatchObject({ 'lastgood_recoveries_total resume': 1 })
  expect(counted['lastgood_resume_input_tokens_total']).toBeGreaterThan(0)
})

test('a tool that runs longer than its session stays open is no interruption', async () => {
  const store = memoryStore()
  const lab = { model: story([reply([toolUse('count', {})]), reply(text('done'))]) }
  const tools = [{ name: 'count', input_schema: { type: 'object' } }]
  const before = await stage({ lab, gateway: { store } })
  const called = await post(before.gateway, { ...hello, tools }, { headers: named })
  const { content } = (await called.json()) as { content: { id: string }[] }
  await before.gateway.close()
  const { gateway, metrics } = await stage({ lab, gateway: { store } })
  const result = { type: 'tool_result', tool_use_id: content[0]?.id, content: '1' }
  const messages = [...hello.messages, { role: 'assistant', content }, { role: 'user', content: [result] }]
  expect((await post(gateway, { ...hello, tools, messages }, { headers: named })).status).toBe(200)
  const counted = await metrics()
  expect(counted).toMatchObject({ 'lastgood_attempts_total claude-opus-5-5 answered': 1 })
  expect(Object.keys(counted).filter((name) => name.startsWith('lastgood_recoveries_total'))).toEqual([])
})

test('the words are those of OpenTelemetry', async () => {
  const { page } = await stage()
  const { text: said } = await page()
  const kinds = ['counter', 'gauge', 'histogram'].join('|')
  const names = Array.from(said.matchAll(new RegExp(`^# TYPE (lastgood_\\S+) (?:${kinds})$`, 'gm')), ([, name]) => name)
  for (const name of ['attempts', 'recoveries', 'turns.lost', 'repairs', 'wait.seconds', 'resume.input_tokens']) {
    expect(names).toContain(`lastgood_${name.replaceAll('.', '_')}_total`)
  }
  expect(names).toEqual(expect.arrayContaining(['lastgood_recovery_duration_seconds', 'lastgood_sessions']))
})

test('neither sessions nor what clients call their models make labels', async () => {
  const { gateway, page } = await stage({ gateway: { fetch: async () => Response.json(answer) } })
  await (await post(gateway, { ...hello, model: 'my-secret-model' }, { headers: named })).text()
  const { text: said } = await page()
  expect(said).toContain('lastgood_attempts_total{model="other",outcome="answered"} 1')
  expect(said).not.toMatch(/secret|"ses"/)
})

test('a value that is not known yet is NaN as the format has it', async () => {
  const { page } = await stage()
  const values = Array.from((await page()).text.matchAll(/^[^#\n].* (\S+)$/gm), ([, value = '']) => value)
  expect(values).toContain('NaN')
  expect(values.filter((value) => !/^(NaN|[+-]Inf|[-+.e\d]+)$/.test(value))).toEqual([])
})

test('with a token the page is shown to who has it', async () => {
  const token = 'a-token-of-enough-letters'
  const { page } = await stage({ gateway: { token } })
  expect((await page()).status).toBe(401)
  expect((await page({ authorization: `Bearer ${token}` })).status).toBe(200)
})
