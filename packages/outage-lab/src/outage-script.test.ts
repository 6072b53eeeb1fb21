import Anthropic, { NotFoundError } from '@anthropic-ai/sdk'
import { describe, expect, test } from 'vitest'
import { ASK } from './lab.fixture.ts'
import {
  createLab,
  reply,
  text,
  toolUse,
  type Fault,
  type LabOptions,
  type LocalLab,
  type Outage,
  type When,
} from './index.ts'

const OVERLOADED: Fault = { kind: 'status', status: 529 }
const ALWAYS: When = { window: [0, null] }

function open(outages: readonly Outage[], options: Partial<LabOptions> = {}): { lab: LocalLab; client: Anthropic } {
  const model = () => reply([text('Looking.'), toolUse('read')])
  const lab = createLab({ model, now: () => 0, outages, ...options })
  return {
    lab,
    client: new Anthropic({ baseURL: lab.url, fetch: lab.fetch, apiKey: 'k', maxRetries: 0, logLevel: 'off' }),
  }
}

/** What each endpoint answers, in the order messages, count_tokens, one model, all models. */
async function statuses(client: Anthropic, model = ASK.model): Promise<readonly unknown[]> {
  const { max_tokens: _, ...params } = { ...ASK, model }
  const calls = [
    () => client.messages.create({ ...ASK, model }),
    () => client.messages.countTokens(params),
    () => client.models.retrieve(model),
    () => client.models.list(),
  ]
  const result: unknown[] = []
  for (const call of calls)
    result.push(
      await call().then(
        () => 200,
        (error: { status?: unknown }) => error.status,
      ),
    )
  return result
}

describe('an outage', () => {
  test.each([
    [undefined, [529, 200, 200, 200]],
    ['messages', [529, 200, 200, 200]],
    ['count_tokens', [200, 529, 200, 200]],
    ['models', [200, 200, 529, 529]],
    ['all', [529, 529, 529, 529]],
  ] as const)('of endpoint %s hits that one', async (endpoint, expected) => {
    const when = { ...ALWAYS, ...(endpoint && { endpoint }) }
    expect(await statuses(open([{ when, fault: OVERLOADED }]).client)).toEqual(expected)
  })

  test('of one model leaves the others and the list of models alone', async () => {
    const { client } = open([{ when: { ...ALWAYS, endpoint: 'all', model: ASK.model }, fault: OVERLOADED }])
    expect(await statuses(client)).toEqual([529, 529, 529, 200])
    expect(await statuses(client, 'claude-opus-5')).toEqual([200, 200, 200, 200])
  })

  test('counts the requests of the endpoint it hits', async () => {
    const { client } = open([{ when: { request: 2, endpoint: 'all' }, fault: OVERLOADED }])
    expect(await statuses(client)).toEqual([200, 200, 200, 529])
    expect(await statuses(client)).toEqual([529, 529, 200, 200])
  })
})

describe('a mix of faults', () => {
  const mixed: Outage = {
    when: { ...ALWAYS, rate: 0.5 },
    fault: {
      oneOf: [
        { weight: 3, fault: OVERLOADED },
        { weight: 1, fault: { kind: 'status', status: 500 } },
      ],
    },
  }
  const play = async (seed: number): Promise<readonly unknown[]> => {
    const { lab, client } = open([mixed], { seed })
    for (let at = 0; at < 200; at++) await client.messages.create(ASK).catch(() => undefined)
    return lab.requests.map(({ outcome }) => outcome.status)
  }

  test('gives each its share, by the seed', async () => {
    const first = await play(3)
    expect(await play(3)).toEqual(first)
    expect(await play(4)).not.toEqual(first)
    const count = (status: number): number => first.filter((one) => one === status).length
    expect(count(200)).toBeGreaterThan(70)
    expect(count(529) / count(500)).toBeGreaterThan(2)
    expect(count(529) / count(500)).toBeLessThan(5)
  })

  test('is recorded as the fault that happened', async () => {
    const { lab, client } = open([
      { when: ALWAYS, fault: { oneOf: [{ weight: 1, fault: OVERLOADED }] }, name: 'mixed' },
    ])
    await client.messages.create(ASK).catch(() => undefined)
    expect(lab.requests[0]?.outcome).toMatchObject({ fault: OVERLOADED, outage: 'mixed' })
  })
})

test('a withdrawn model is not found for messages, and retired in the Models API', async () => {
  const { client } = open([
    { when: { window: [0, null], model: ASK.model, endpoint: 'all' }, fault: { kind: 'withdrawn' } },
  ])
  const error: unknown = await client.messages.create(ASK).catch((cause: unknown) => cause)
  expect(error).toBeInstanceOf(NotFoundError)
  expect(error).toMatchObject({ apiMessage: 'model: claude-opus-5-5' })
  expect(await client.models.retrieve(ASK.model)).toMatchObject({ lifecycle: 'retired' })
  expect(await client.models.retrieve('claude-opus-5')).toMatchObject({ lifecycle: 'active' })
  const ids: string[] = []
  for await (const { id } of client.models.list()) ids.push(id)
  expect(ids).not.toContain(ASK.model)
  expect(ids).toContain('claude-opus-5')
})

test.each([
  ['end_turn', 0, []],
  ['refusal', 1, ['text']],
  ['model_context_window_exceeded', 2, ['text', 'tool_use']],
] as const)(
  'an answer can end early with %s after %i blocks, and is whole as such',
  async (stopReason, blocks, types) => {
    for (const stream of [false, true]) {
      const { lab, client } = open([{ when: { request: 1 }, fault: { kind: 'ended', stopReason, blocks } }])
      const message = stream ? await client.messages.stream(ASK).finalMessage() : await client.messages.create(ASK)
      expect([message.stop_reason, message.content.map(({ type }) => type)]).toEqual([stopReason, types])
      expect(lab.requests[0]).toMatchObject({ completed: true, outcome: { kind: 'fault', fault: { kind: 'ended' } } })
    }
  },
)

test.each([
  [400, 'organization_on_hold', 'invalid_request_error', /on hold/],
  [402, 'spend_limit_reached', 'billing_error', /spend limit/],
  [403, 'api_key_scope_missing', 'permission_error', /scope/],
  [409, undefined, 'conflict_error', /conflicts/],
  [413, 'request_body_too_large_after_decoding', 'request_too_large', /after decoding/],
  [429, 'contract_spend_limit_reached', 'rate_limit_error', /contract/],
  [429, 'ramp_limit_exceeded', 'rate_limit_error', /ramp up/],
  [529, 'compaction_unavailable', 'overloaded_error', /^Compaction/],
] as const)('%i with the code %s is an error of the API with words of its own', async (status, code, type, words) => {
  const { client } = open([{ when: ALWAYS, fault: { kind: 'status', status, ...(code && { errorCode: code }) } }])
  const error: unknown = await client.messages.create(ASK).catch((cause: unknown) => cause)
  expect(error).toMatchObject({
    status,
    type,
    apiMessage: expect.stringMatching(words),
    ...(code && { errorCode: code }),
  })
})
