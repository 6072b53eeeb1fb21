/** S15: Claude Code behind the gateway, while the API is out for a short time, and for longer than anybody may wait. */
import Anthropic, { APIError } from '@anthropic-ai/sdk'
import { memoryStore } from '@lastgood/core'
import { ManualClock } from '@lastgood/core/testing'
import { createGateway } from '@lastgood/gateway'
import { reply, startLab, text, type Fault, type Outage } from '@lastgood/outage-lab'
import { describe, expect, onTestFinished, test } from 'vitest'
import { onlyHere } from '../../packages/cli/src/server/exposure.ts'
import { serve } from '../../packages/cli/src/server/serve.ts'
import { apiKey, journey, keepScreen, type Journey } from './stage.ts'

const sessionId = '5f0d2c1e-8a4b-4c6d-9e7f-0123456789ab'
const request = {
  model: 'claude-opus-5-5',
  max_tokens: 1024,
  tools: [{ name: 'Bash', description: 'Runs a command', input_schema: { type: 'object' as const } }],
}
const said = (content: string): Anthropic.MessageParam => ({ role: 'user', content })

/** As Claude Code asks: a stream, a beta, its session's id in a header. `heard` is what came over the wire. */
function claudeCode(url: string) {
  const heard: Promise<string>[] = []
  const client = new Anthropic({
    baseURL: url,
    apiKey,
    maxRetries: 0,
    logLevel: 'off',
    defaultHeaders: { 'x-claude-code-session-id': sessionId, 'x-app': 'cli' },
    fetch: async (input, init) => {
      const response = await fetch(input, init)
      if (!response.body) return response
      const [one, other] = response.body.tee()
      heard.push(new Response(other).text())
      return new Response(one, response)
    },
  })
  const ask = (...messages: Anthropic.MessageParam[]) =>
    client.beta.messages.stream({ ...request, messages }).finalMessage()
  return { ask, heard: () => Promise.all(heard) }
}

test('S15: 40 s of 503 are a slow answer: pings and then its words, no error, in one session with the next turn', async () => {
  const clock = new ManualClock({ startAt: Date.now() })
  const lab = await startLab({
    model: ({ messages }) => reply(text(messages.length === 1 ? 'Here I am.' : 'Still here.')),
    outages: [{ when: { window: [0, 40_000] }, fault: { kind: 'status', status: 503 } }],
    now: () => clock.now(),
  })
  const store = memoryStore()
  const gateway = createGateway({ upstream: lab.url, store, clock })
  const served = await serve(gateway, onlyHere, 0)
  onTestFinished(async () => {
    await served.close()
    await lab.close()
  })
  const { ask, heard } = claudeCode(served.url)
  const startedAt = clock.now()
  let isOver = false
  const first = ask(said('Are you there?')).finally(() => (isOver = true))
  // Seconds pass, as long as it takes; between them everybody has the time to do what they do.
  while (!isOver) {
    await clock.advance(1_000)
    await fetch(`${served.url}/metrics`).then((response) => response.text())
  }
  const answer = await first
  expect(answer.content).toMatchObject([{ type: 'text', text: 'Here I am.' }])
  expect(clock.now() - startedAt).toBeGreaterThanOrEqual(40_000)
  const [stream = ''] = await heard()
  expect(stream.match(/^event: ping$/gm)?.length).toBeGreaterThanOrEqual(2)
  expect(stream).not.toContain('event: error')
  expect(stream.match(/^event: message_start$/gm)).toHaveLength(1)
  expect(stream.indexOf('event: ping')).toBeLessThan(stream.indexOf('event: message_start'))

  await ask(said('Are you there?'), { role: 'assistant', content: 'Here I am.' }, said('And now?'))
  const ids: string[] = []
  for await (const { head } of store.list()) ids.push(`${head.sessionId} ${head.turn} ${head.agent}`)
  expect(ids).toEqual([`${sessionId} 2 claude-code`])
})

/** The real command, in front of an API that does not come back. */
async function gatewayOf(
  outages: Outage[],
  flags: string[],
): Promise<{ at: Journey; url: string; stop(): Promise<string> }> {
  // Few enough tries that no circuit breaker opens: the last word is the API's.
  const at = await journey({ model: () => reply(text('Here I am.')), outages }, { WAIT_MS: '1000' })
  const gateway = at.start('lastgood', ['gateway', '--port', '0', '--upstream', at.lab.url, ...flags])
  await gateway.saw(/^http:\/\/127\.0\.0\.1:\d+\n/)
  return { at, url: gateway.written.stdout.trim(), stop: async () => (await gateway.kill('SIGINT')).stderr }
}

describe('S15: an outage that outlasts --max-wait', () => {
  test.each<[string, Fault, number, string, string]>([
    ['a 529', { kind: 'status', status: 529 }, 529, 'overloaded_error', 'overloaded_error: Overloaded'],
    ["a proxy's page", { kind: 'status', status: 503 }, 503, 'api_error', '503 Service Temporarily Unavailable'],
  ])("%s is told with the API's status, type and words, with what is saved, and not to be retried", async (...row) => {
    const [name, fault, status, type, words] = row
    const { at, url, stop } = await gatewayOf([{ when: { requests: [1, Infinity] }, fault }], ['--max-wait', '300ms'])
    const { ask, heard } = claudeCode(url)
    const error = await ask(said('Are you there?')).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(APIError)
    expect(error).toMatchObject({ status, type })
    // Whoever retries as well would multiply what was tried already (P8).
    expect((error as APIError).headers?.get('x-should-retry')).toBe('false')
    const [body = ''] = await heard()
    expect(JSON.parse(body)).toMatchObject({ type: 'error', error: { type, message: expect.stringContaining(words) } })
    expect(body).toContain(`saved inside turn 1; continue with: lastgood resume ${sessionId}`)
    const asked = at.lab.requests.length
    const log = await stop()
    keepScreen(`s15-${name.replaceAll(/\W+/g, '-')}`, log)
    expect(log).toMatch(new RegExp(`${sessionId} {2}.*told the client: Gave up waiting`))
    expect(at.lab.requests).toHaveLength(asked)
  })

  test('and whose stream has begun ends in an error event with its words; the same session goes on when the API does', async () => {
    const outages: Outage[] = [{ when: { requests: [1, Infinity] }, fault: { kind: 'status', status: 529 } }]
    const { at, url, stop } = await gatewayOf(outages, ['--hold', '50ms', '--max-wait', '1500ms'])
    const { ask, heard } = claudeCode(url)
    await expect(ask(said('Are you there?'))).rejects.toThrow('Overloaded')
    expect((await heard())[0]).toMatch(/event: error\ndata: .*"overloaded_error".*Overloaded/)

    at.lab.setOutages([])
    const { content } = await ask(said('Are you there?'))
    expect(content).toMatchObject([{ text: 'Here I am.' }])
    await stop()
    const { sessions } = await at.json<{ sessions: object[] }>('lastgood', ['list', '--all'])
    expect(sessions).toMatchObject([{ sessionId, agent: 'claude-code', turn: 1, lastGoodTurn: 1 }])
    expect((await at.run('lastgood', ['resume', sessionId])).stdout).toBe(
      `lastgood run -- claude --resume ${sessionId}\n`,
    )
  })
})
