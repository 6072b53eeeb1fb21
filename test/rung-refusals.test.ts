/** What another rung of the ladder refuses: how often, and for how long it is mended for it. */
import type Anthropic from '@anthropic-ai/sdk'
import { ladder, recoverable } from '@lastgood/anthropic'
import { memoryStore } from '@lastgood/core'
import { MODELS, reply, text, type LabOptions, type Outage } from '@lastgood/outage-lab'
import { describe, expect, test } from 'vitest'
import {
  answeringClient,
  assistant,
  call,
  look,
  result,
  failed,
  model as opus,
  pixel,
  refused,
  user,
  whole,
  type Call,
} from './support/answering-api.ts'
import { openTestSession, startTestLab } from './support/harness.ts'

const sonnet = 'claude-sonnet-5-5'
const tools = [look]

describe('what another rung refused', () => {
  const script = ({ body }: Call) => {
    if (!body) return failed(404, 'not_found_error')
    if (body.model === opus) return failed(529, 'overloaded_error')
    if (JSON.stringify(body).includes('"image"')) return refused('messages.0.content.1: Could not process image')
    if (body.messages.length < 5) return call(body.model, `toolu_${body.messages.length}`)
    return whole('done', { id: 'msg_5', model: body.model })
  }
  const asked = [user([{ type: 'text' as const, text: 'Look' }, pixel()])]

  test.each([
    ['stays mended for the rest of the turn', false, [true, false, false, false]],
    ['is sent again in that turn once its repairs are reverted', true, [true, false, true, false, false]],
  ])('%s', async (_claim, isReverted, pictures) => {
    const { client, calls } = answeringClient(script)
    const session = await openTestSession()
    const own = recoverable(client, session, { ladder: ladder(opus, sonnet) })
    const request = { model: opus, max_tokens: 9, tools }
    const first = await own.messages.create({ ...request, messages: asked })
    if (isReverted) await session.revertRepairs('the picture was fine')
    const more = [...asked, assistant(first), result('toolu_1')]
    const second = await own.messages.create({ ...request, messages: more })
    const last = await own.messages.create({ ...request, messages: [...more, assistant(second), result('toolu_3')] })
    expect(last.content).toMatchObject([{ text: 'done' }])
    const withImage = calls
      .filter(({ body }) => body?.model === sonnet)
      .map(({ body }) => JSON.stringify(body).includes('"image"'))
    expect(withImage).toEqual(pictures)
  })
})

test('P6: a rung that refuses the thinking of its own paused answer is asked to go on after the rest of it', async () => {
  const thought = { type: 'thinking', thinking: 'Hm.', signature: 'sig' }
  const searching = { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: {} }
  const { client, calls } = answeringClient(({ body }) => {
    if (!body) return failed(404, 'not_found_error')
    if (body.model === opus) return failed(529, 'overloaded_error')
    if (JSON.stringify(body.messages).includes('"thinking"'))
      return refused('messages.1.content.0: Invalid `signature`')
    if (body.messages.length > 1) return whole('done', { id: 'msg_2', model: sonnet })
    return whole('', {
      model: sonnet,
      content: [thought, { type: 'text', text: 'Searching.' }, searching],
      stop_reason: 'pause_turn',
    })
  })
  const own = recoverable(client, await openTestSession(), { ladder: ladder(opus, sonnet) })
  const request = {
    model: opus,
    max_tokens: 9,
    tools: [{ type: 'web_search_20250305' as const, name: 'web_search' as const }],
  }
  const paused = await own.messages.create({ ...request, messages: [user('hi')] })
  const answer = await own.messages.create({ ...request, messages: [user('hi'), assistant(paused)] })
  expect(answer.content).toMatchObject([{ text: 'done' }])
  const asked = expect.stringContaining('ended with "Searching."') as string
  expect(calls.at(-1)?.body?.messages).toMatchObject([
    { content: 'hi' },
    { content: [{ type: 'text', text: 'Searching.' }] },
    { role: 'user', content: asked },
  ])
})

describe('what another rung refused is not sent to it again', () => {
  /** Home is down. The rung refuses pictures and `service_tier`, each with an error of its own. */
  const script = ({ body }: Call, n: number) => {
    if (!body) return failed(404, 'not_found_error')
    if (body.model === opus) return failed(529, 'overloaded_error')
    const places = body.messages.flatMap(({ content }, at) =>
      Array.isArray(content)
        ? content.flatMap((block: { type: string }, index) =>
            block.type === 'image' ? [`messages.${at}.content.${index}`] : [],
          )
        : [],
    )
    if (places[0] !== undefined) return refused(`${places[0]}: Could not process image`)
    if (body['service_tier'] !== undefined) return refused('service_tier is not supported by this model')
    return whole(`answer ${n}`, { id: `msg_${n}`, model: body.model })
  }
  const look = (words: string) => user([{ type: 'text' as const, text: words }, pixel()])
  const request = { model: opus, max_tokens: 9, service_tier: 'auto' as const, tools }
  const open = async (store = memoryStore()) => {
    const { client, calls } = answeringClient(script)
    const session = await openTestSession(store)
    const own = recoverable(client, session, { ladder: ladder(opus, sonnet) })
    /** How many requests the rung got for it. */
    const ask = async (...messages: Parameters<typeof own.messages.create>[0]['messages']) => {
      const before = calls.length
      const { data, response } = await own.messages.create({ ...request, messages }).withResponse()
      const sent = calls.slice(before).filter(({ body }) => body?.model === sonnet)
      const last = JSON.stringify(sent.at(-1)?.body)
      return { answer: assistant(data), attempts: sent.length, last, told: response.headers.get('x-lastgood-repaired') }
    }
    return { store, session, ask }
  }

  test('in the turns that follow, nor after a resume (P7)', async () => {
    const { store, session, ask } = await open()
    const first = await ask(look('one'))
    expect(first.attempts).toBe(3)
    const history = [look('one'), first.answer, user('two')]
    const second = await ask(...history)
    expect(second.attempts).toBe(1)
    expect([first.told, second.told]).toEqual(Array(2).fill('remove-images, drop-params'))
    await session.close()
    const third = await (await open(store)).ask(...history, second.answer, user('three'))
    expect(third.attempts).toBe(1)
  })

  test('but pictures that came since are', async () => {
    const { ask } = await open()
    const first = await ask(look('one'))
    const second = await ask(look('one'), first.answer, look('two'))
    expect(second.attempts).toBe(2)
  })

  test('nor anything else that stands in its place after the history was edited or replaced (P4)', async () => {
    const pdf = {
      type: 'document' as const,
      source: { type: 'text' as const, media_type: 'text/plain' as const, data: 'Keep me' },
    }
    const { ask } = await open()
    const first = await ask(user('hi'), assistant({ content: 'yes' }), look('one'))
    const edited = await ask(
      user('hi'),
      assistant({ content: 'yes' }),
      user([{ type: 'text' as const, text: 'one' }, pdf]),
    )
    expect(first.attempts).toBe(3)
    expect(edited.attempts).toBe(1)
    expect(edited.last).toContain('Keep me')
  })

  test('until its repairs are reverted', async () => {
    const { session, ask } = await open()
    const first = await ask(look('one'))
    await session.revertRepairs('try again')
    const second = await ask(look('one'), first.answer, user('two'))
    expect(second.attempts).toBe(3)
  })
})

describe('ten turns of which another endpoint takes each', () => {
  const [home, older] = ['claude-opus-4-6', 'claude-sonnet-4-5'] as const
  const always: [number, number] = [1, Infinity]
  const down: Outage = { when: { requests: always }, fault: { kind: 'status', status: 529, type: 'overloaded_error' } }

  /** A session whose first endpoint is down, as far as `outages` says so; `rung` and what it serves take its turns. */
  async function open(rung: string, served: Partial<LabOptions>, outages = [down]) {
    const answers = () => reply(text('Ok.'))
    const { lab: first, client } = await startTestLab({ model: answers, outages })
    const { lab, client: other } = await startTestLab({ model: answers, ...served })
    const session = await openTestSession(memoryStore())
    const own = recoverable(client, session, { ladder: ladder(home, { model: rung, client: other }) })
    const messages: Anthropic.MessageParam[] = []
    const ask = async (params: object) => {
      messages.push(user(`Turn ${messages.length}`))
      const answer = await own.messages.create({ model: home, max_tokens: 4_000, ...params, messages } as never)
      messages.push(assistant(answer))
    }
    const tenTurns = async (params: object) => {
      for (let turn = 0; turn < 10; turn += 1) await ask(params)
    }
    const sent = () => lab.requests.flatMap(({ body, outcome }) => (body ? [{ body, outcome }] : []))
    /** How often each thing was refused. */
    const refusals = () => sent().filter(({ outcome }) => outcome.kind !== 'ok').length
    return { session, first, ask, tenTurns, sent, refusals }
  }
  const thinkingSent = ({ body }: { body: object }) => (body as { thinking?: object }).thinking

  /** It says less of its model than is true: an answer has 3000 tokens at most, and thinking has to fit into them. */
  const smaller: Partial<LabOptions> = {
    models: MODELS.map((card) => (card.id === older ? { ...card, maxTokens: 3_000 } : card)),
    outages: [{ when: { requests: always, endpoint: 'models' }, fault: { kind: 'status', status: 500 } }],
  }
  const long = { max_tokens: 8_000, thinking: { type: 'enabled', budget_tokens: 3_500 } }

  test('P7: the length of the answer and the room for thinking are refused once', async () => {
    const { tenTurns, refusals, sent } = await open(older, smaller)
    await tenTurns(long)
    expect(refusals()).toBe(2)
    expect(thinkingSent(sent().at(-1)!)).toEqual({ type: 'enabled', budget_tokens: 1_500 })
  })

  test('P7: so is a type of thinking', async () => {
    const message =
      "thinking: Input tag 'enabled' found using 'type' does not match any of the expected tags: 'adaptive'"
    const { tenTurns, refusals, sent } = await open(home, {
      models: MODELS.map((card) => ({ ...card, habits: { ...card.habits, thinking: ['adaptive'] } })),
      outages: [
        {
          when: { requests: always, contains: '"type":"enabled"' },
          fault: { kind: 'status', status: 400, type: 'invalid_request_error', message },
        },
      ],
    })
    await tenTurns({ thinking: { type: 'enabled', budget_tokens: 2_000 } })
    expect(refusals()).toBe(1)
    expect(thinkingSent(sent().at(-1)!)).toEqual({ type: 'adaptive' })
  })

  test('a request that no longer has what was refused goes out as it was asked; one that has it again is not refused again', async () => {
    const { ask, refusals, sent } = await open(older, smaller)
    await ask(long)
    const fits = { type: 'enabled', budget_tokens: 1_100 }
    await ask({ ...long, thinking: fits })
    expect(thinkingSent(sent().at(-1)!)).toEqual(fits)
    await ask({ max_tokens: 2_000, thinking: fits })
    expect(sent().at(-1)?.body).toMatchObject({ max_tokens: 2_000, thinking: fits })
    await ask(long)
    expect(refusals()).toBe(2)
  })

  test('the model that was asked for gets the request as it was asked, once it is up', async () => {
    const { first, ask } = await open(older, smaller, [{ ...down, when: { requests: [1, 3] } }])
    await ask(long)
    while (first.requests.at(-1)?.outcome.kind !== 'ok') await ask(long)
    expect(first.requests.at(-1)?.body).toMatchObject(long)
  })

  test('a revert has it asked anew', async () => {
    const { session, ask, refusals } = await open(older, smaller)
    await ask(long)
    await session.revertRepairs('try again')
    await ask(long)
    expect(refusals()).toBe(4)
  })

  const mark = (words: string, ttl?: string) => ({
    type: 'text',
    text: words,
    cache_control: { type: 'ephemeral', ...(ttl && { ttl }) },
  })
  test.each([
    ['too many cache markers', { system: ['a', 'b', 'c', 'd', 'e'].map((words) => mark(words)) }],
    ['a long cache marker after a short one', { system: [mark('a'), mark('b', '1h')] }],
    ['two tools of one name', { tools: [...tools, ...tools] }],
    ['a budget of thinking that is too large for the answer', { thinking: { type: 'enabled', budget_tokens: 5_000 } }],
  ])('%s: is seen before a request leaves, so that it is never refused', async (_what, params) => {
    for (const rung of [home, older, opus]) {
      const { tenTurns, refusals } = await open(rung, {})
      await tenTurns(params)
      expect(refusals()).toBe(0)
    }
  })
})
