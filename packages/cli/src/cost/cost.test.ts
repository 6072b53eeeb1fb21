import { foldJournal, machineVersion, memoryStore, openSession, type EntryBody } from '@lastgood/core'
import { ManualClock } from '@lastgood/core/testing'
import { describe, expect, test } from 'vitest'
import { costLine, readCost, type ReadCost } from './cost.ts'

const model = 'claude-opus-5-5'
const body = { model, max_tokens: 1000, system: 'x'.repeat(35_000) }
const usage = {
  input_tokens: 1_000,
  cache_read_input_tokens: 80_000,
  cache_creation_input_tokens: 1_000,
  output_tokens: 2_000,
}

async function after(usageOfAnswer: Record<string, unknown> | undefined, ageMs: number, more: EntryBody[] = []) {
  const clock = new ManualClock()
  const store = memoryStore()
  const session = await openSession('ses', { store, clock })
  await session.record([
    { type: 'turn-started', turn: 1, messages: [{ role: 'user', content: 'Hello' }] },
    { type: 'envelope-changed', envelope: { body, betas: [] } },
    { type: 'request-sent', model, attempt: 1 },
    ...(usageOfAnswer
      ? [
          {
            type: 'response-received' as const,
            message: {
              id: 'msg_1',
              role: 'assistant' as const,
              model,
              content: [{ type: 'text', text: 'Hi' }],
              stop_reason: 'end_turn',
              usage: usageOfAnswer,
            },
          },
          { type: 'turn-ended' as const, turn: 1 },
        ]
      : []),
    ...more,
  ])
  await session.close()
  const { transcript } = await foldJournal(store.read('ses'), machineVersion)
  return (prices?: Parameters<typeof readCost>[0]['prices']) =>
    readCost({ transcript, envelope: { body, betas: [] }, now: clock.now() + ageMs, prices })
}

describe('what the API has counted is not guessed', () => {
  test('a warm cache is read at a tenth', async () => {
    const cost = (await after(usage, 60_000))()
    expect(cost).toMatchObject({ tokens: 84_000, estimated: 0, cache: 'warm', usd: (84_000 * 0.1 * 4) / 1e6 })
    expect(costLine(cost)).toMatch(/^about \$0\.03 to read 84,000 tokens: the cache is warm for 4m00s more/)
  })

  test('what a tool of the server made it read again, or a compaction cost, is not read again', async () => {
    const iterations = [
      { type: 'compaction', input_tokens: 180_000, output_tokens: 3_500 },
      { ...usage, type: 'message' },
      { ...usage, type: 'message' },
      { ...usage, type: 'advisor_message', input_tokens: 9 },
    ]
    const sums = Object.fromEntries(Object.entries(usage).map(([name, count]) => [name, 2 * count]))
    expect((await after({ ...sums, iterations }, 60_000))()).toMatchObject({ tokens: 84_000, estimated: 0 })
  })

  test('a cold one is written anew', async () => {
    const cost = (await after(usage, 2 * 3_600_000))()
    expect(cost).toMatchObject({ tokens: 84_000, cache: 'cold', usd: (84_000 * 1.25 * 4) / 1e6 })
    expect(costLine(cost)).toMatch(/^about \$0\.42 to read 84,000 tokens: the cache has been cold for 1h55m/)
  })

  test('a cache of an hour is warm for an hour', async () => {
    const hour = { ...usage, cache_creation: { ephemeral_1h_input_tokens: 1_000 } }
    expect((await after(hour, 50 * 60_000))()).toMatchObject({ cache: 'warm', ttlMs: 3_600_000 })
    expect((await after(hour, 61 * 60_000))()).toMatchObject({ cache: 'cold', usd: (84_000 * 2 * 4) / 1e6 })
  })

  test('what was written for five minutes and what was written for an hour each have their own price and end', async () => {
    const created = { ephemeral_5m_input_tokens: 600, ephemeral_1h_input_tokens: 400 }
    const of = async (ageMs: number) => (await after({ ...usage, cache_creation: created }, ageMs))()
    const all = {
      warm: 84_000 * 0.1,
      halfCold: 84_000 * (0.6 * 1.25 + 0.4 * 0.1),
      cold: 84_000 * (0.6 * 1.25 + 0.4 * 2),
    }
    expect(await of(60_000)).toMatchObject({ cache: 'warm', ttlMs: 300_000, usd: expect.closeTo((all.warm * 4) / 1e6) })
    expect(await of(10 * 60_000)).toMatchObject({ cache: 'cold', usd: expect.closeTo((all.halfCold * 4) / 1e6) })
    expect(await of(61 * 60_000)).toMatchObject({ cache: 'cold', usd: expect.closeTo((all.cold * 4) / 1e6) })
  })

  test('without a cache everything is read at the full price', async () => {
    const cost = (await after({ input_tokens: 82_000, output_tokens: 2_000 }, 1_000))()
    expect(cost).toMatchObject({ cache: 'unused', usd: (84_000 * 4) / 1e6 })
  })

  test('what came after the last answer is estimated', async () => {
    const next: EntryBody = { type: 'turn-started', turn: 2, messages: [{ role: 'user', content: 'x'.repeat(35_000) }] }
    const cost = (await after(usage, 60_000, [next]))()
    expect(cost.estimated).toBeGreaterThan(9_000)
    expect(cost.tokens).toBe(84_000 + cost.estimated)
  })
})

test('without an answer all is estimated, the system prompt included', async () => {
  const cost = (await after(undefined, 0))()
  expect(cost.tokens).toBeGreaterThan(10_000)
  expect(cost.estimated).toBe(cost.tokens)
})

test("the user's own price comes first, and a model without one is told", async () => {
  const of = await after(usage, 60_000)
  expect(of({ [model]: { input: 40 } }).usd).toBeCloseTo((84_000 * 0.1 * 40) / 1e6)
  expect(costLine(of({ [model]: { input: 0.01 } }))).toMatch(/^about \$0\.01 to read/)
  expect(costLine(of({ [model]: { input: 0 } }))).toMatch(/^about \$0\.00 to read/)
  const unknown: ReadCost = { ...of(), model: 'my-model', usd: undefined }
  expect(costLine(unknown)).toBe(
    'to read 84,000 tokens, at an unknown price for my-model: the cache is warm for 4m00s more',
  )
})
