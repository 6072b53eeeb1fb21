/** What a repair costs that only a refusal calls for, while its cause lasts: on each level, at home and on a rung. */
import Anthropic from '@anthropic-ai/sdk'
import { defineAgent, ladder, recoverable, tool } from '@lastgood/anthropic'
import { memoryStore } from '@lastgood/core'
import { createGateway } from '@lastgood/gateway'
import { describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { refusalRules } from '../packages/core/src/repair/refused/refusal-rules.ts'
import { failed, look, model as opus, refused, user, whole } from './support/answering-api.ts'
import { jumpingClock, openTestSession } from './support/harness.ts'
import { lastingCauses, refusedAgain, type LastingCause, type SentBody } from './support/lasting-causes.ts'

const requests = 10
type Fetch = (input: unknown, init?: RequestInit) => Promise<Response>

/** An API that refuses the cause each time; `down` is a model that does not answer. */
function refusingApi({ refuses, cuts, answers, container, result }: LastingCause, down?: string) {
  const counted = { refusals: 0, answers: 0 }
  const fetch: Fetch = async (_input, init = {}) => {
    if (init.body == null) return failed(404, 'not_found_error')
    const body = (await new Response(init.body).json()) as SentBody
    if (body.model === down) return failed(529, 'overloaded_error')
    const refusal = refuses(body, new Headers(init.headers).get('anthropic-beta') ?? '')
    if (refusal !== undefined) {
      counted.refusals += 1
      return refused(refusal)
    }
    if (cuts?.(body)) {
      counted.refusals += 1
      return whole('', {
        content: [{ type: 'tool_use', id: 'toolu_cut', name: look.name, input: {} }],
        stop_reason: 'max_tokens',
      })
    }
    const n = (counted.answers += 1)
    const isCall = result !== undefined && n < requests
    const last = isCall
      ? { type: 'tool_use', id: `toolu_${n}`, name: look.name, input: {} }
      : { type: 'text', text: `${n}` }
    return whole('', {
      id: `msg_${n}`,
      model: body.model,
      content: [...(answers?.(n) ?? []), last],
      stop_reason: isCall ? 'tool_use' : 'end_turn',
      ...(container !== undefined && { container: { id: container, expires_at: '2030-01-01T00:00:00Z' } }),
    })
  }
  return { counted, fetch }
}

const clientOf = (fetch: Fetch, options: object = {}) =>
  new Anthropic({ apiKey: 'test', baseURL: 'http://scripted.test', logLevel: 'off', fetch: fetch as never, ...options })

/** A caller's own loop over ten turns, or ten steps of one, each with the client that `open` gives it. */
async function ownLoop(lasting: LastingCause, open: () => Promise<Pick<Anthropic, 'messages'>>) {
  const { model = opus, params, beta, says = (turn) => `Turn ${turn}`, result, follows } = lasting
  const messages: object[] = []
  let call: string | undefined
  for (let n = 0; n < requests; n += 1) {
    const content = call === undefined ? says(n) : [{ type: 'tool_result', tool_use_id: call, content: result?.(n) }]
    messages.push(user(content))
    const client = await open()
    const body = {
      model,
      max_tokens: 4_000,
      tools: [look],
      ...params,
      messages: [...messages, ...(follows ? [follows] : [])],
    }
    const answer = await client.messages.create(body as never, beta ? { headers: { 'anthropic-beta': beta } } : {})
    const said = (answer as Anthropic.Message).content
    if (follows) messages.push(follows)
    messages.push({ role: 'assistant', content: said })
    call = said.flatMap((block) => (block.type === 'tool_use' ? [block.id] : []))[0]
  }
}

/** A new process for each request. */
async function restarted(lasting: LastingCause, fetch: Fetch, rungs?: ReturnType<typeof ladder>) {
  const store = memoryStore()
  let session = await openTestSession(store)
  await ownLoop(lasting, async () => {
    await session.close()
    session = await openTestSession(store)
    return recoverable(clientOf(fetch), session, rungs ? { ladder: rungs } : {})
  })
}

const ways: Record<string, (lasting: LastingCause) => Promise<{ refusals: number; answers: number }>> = {
  async 'by a loop of its own in a new process each time'(lasting) {
    const { counted, fetch } = refusingApi(lasting)
    await restarted(lasting, fetch)
    return counted
  },
  async 'by a rung of the ladder in a new process each time'(lasting) {
    const { model = opus, rung = 'claude-sonnet-5-5' } = lasting
    const { counted, fetch } = refusingApi(lasting, model)
    await restarted(lasting, fetch, ladder(model, rung))
    return counted
  },
  async 'behind the gateway'(lasting) {
    const { counted, fetch } = refusingApi(lasting)
    const upstream = 'http://scripted.test'
    const gateway = createGateway({ upstream, store: memoryStore(), clock: jumpingClock(), drainMs: 0, fetch })
    onTestFinished(() => gateway.close())
    const passed: Fetch = (input, init) => gateway.fetch(new Request(input as string, init))
    const defaultHeaders = { 'x-lastgood-session': 'ses' }
    const client = clientOf(passed, { baseURL: 'http://127.0.0.1:4141', maxRetries: 0, defaultHeaders })
    await ownLoop(lasting, () => Promise.resolve(client))
    return counted
  },
  async 'in the turns of an agent'(lasting) {
    const { counted, fetch } = refusingApi(lasting)
    const { params: { max_tokens: maxTokens = 4_000, system, ...params } = {}, says, result, beta } = lasting
    let step = 0
    const run = () => result?.((step += 1)) as string
    const agent = defineAgent({
      name: 'a',
      client: clientOf(fetch),
      model: lasting.model ?? opus,
      stream: false,
      maxTokens: maxTokens as number,
      ...(system !== undefined && { system: system as string }),
      params,
      betas: beta ? [beta] : [],
      tools: [tool({ name: look.name, description: 'Looks.', input: z.object({}), run })],
    })
    const session = await openTestSession()
    const turns = result ? 1 : requests
    for (let turn = 0; turn < turns; turn += 1) await session.run(agent, (says?.(turn) ?? `Turn ${turn}`) as string)
    return counted
  },
}

describe.each(Object.entries(ways))('P7: ten requests, refused %s', (way, play) => {
  const played = lastingCauses.filter(({ isOnlyCallers }) => !isOnlyCallers || !way.includes('agent'))
  test.each(played)('$rule: for $cause', async (lasting) => {
    const { refusals = 1 } = lasting
    expect(await play(lasting)).toEqual({ refusals, answers: requests })
  })
})

test('every rule that only a refusal calls for is refused once while its cause lasts, or has a reason why not', () => {
  const told = [...lastingCauses.map(({ rule }) => rule), ...Object.keys(refusedAgain)]
  expect([...new Set(told)].sort()).toEqual(refusalRules.map(({ name }) => name as string).sort())
})
