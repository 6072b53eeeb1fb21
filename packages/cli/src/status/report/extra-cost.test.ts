import type { EntryBody } from '@lastgood/core'
import { expect, it } from 'vitest'
import { answered, ended, sent, started } from '../../../test/context.ts'
import { asking, begun, call, done, fails, reportOf, yes, type Story } from './report.fixture.ts'

const used = (read: number, written: number, more: object = {}): EntryBody => {
  const { type, message } = answered('Yes.') as EntryBody & { type: 'response-received' }
  const usage = { cache_read_input_tokens: read, cache_creation_input_tokens: written, ...more }
  return { type, message: { ...message, usage } }
}

it('the cost is of attempts that broke, and of what had to be read into a cold cache again', async () => {
  const story: Story = [
    [0, started(1), sent(), used(0, 80_000), ended(1)],
    [1, started(2), sent(), fails(90, { tokens: 5_000 })],
    [90, sent(), used(10_000, 75_000), ended(2)],
  ]
  const { report } = await reportOf({ a: story })
  expect(report.extra).toMatchObject({ repeated: 5_000, reread: 70_000, unpriced: new Set() })
  // $4 for a million tokens: a cache write instead of a read.
  expect(report.extra.usd).toBeCloseTo((5_000 * 4 + 70_000 * 1.15 * 4) / 1e6)
})

it('the cost is that of long requests where those cost more, and of a cache that is kept for an hour', async () => {
  const haiku = asking('claude-haiku-5-5')
  const forAnHour = { cache_creation: { ephemeral_1h_input_tokens: 125_000 } }
  const story: Story = [
    [0, started(1), haiku, used(0, 120_000), ended(1)],
    [1, started(2), haiku, fails(90, { tokens: 5_000 })],
    [90, haiku, used(0, 125_000, forAnHour), ended(2)],
  ]
  const { report } = await reportOf({ a: story })
  // $0.5 for a million tokens, of a request that has more than 100,000: a write for an hour instead of a read.
  expect(report.extra.usd).toBeCloseTo((5_000 * 0.5 + 120_000 * 1.9 * 0.5) / 1e6)
})

it('the cost is that of each lifetime where a cache write has two, and of what was read first where a tool of the server ran', async () => {
  const created = { cache_creation: { ephemeral_5m_input_tokens: 60_000, ephemeral_1h_input_tokens: 20_000 } }
  const counts = (read: number, written: number) => ({
    type: 'message',
    cache_read_input_tokens: read,
    cache_creation_input_tokens: written,
    ...(written > 0 && created),
  })
  const twice = used(80_000, 80_000, { ...created, iterations: [counts(0, 80_000), counts(80_000, 0)] })
  const story: Story = [
    [0, started(1), sent(), twice, ended(1)],
    [1, started(2), sent(), fails(90)],
    [90, sent(), twice, ended(2)],
  ]
  const { report } = await reportOf({ a: story })
  expect(report.extra.reread).toBe(80_000)
  expect(report.extra.usd).toBeCloseTo(((60_000 * 1.15 + 20_000 * 1.9) * 4) / 1e6)
})

it('the cost is not of an answer that broke off and whose calls were kept', async () => {
  const kept: EntryBody = {
    type: 'fault-observed',
    fault: { kind: 'stream-cut', complete: 'calls', tokens: 5_000 },
    decision: { kind: 'keep-and-continue' },
  }
  const { report } = await reportOf({
    a: [[0, started(1), sent(), kept, call, begun, done('ran'), sent(), yes, ended(1)]],
  })
  expect(report.extra).toMatchObject({ repeated: 0, usd: 0 })
})

it('the cost is nothing where the cache grew as it does, and unknown where the model has no price', async () => {
  const story: Story = [
    [
      0,
      started(1),
      sent(),
      used(0, 80_000),
      ended(1),
      started(2),
      sent(),
      fails(1),
      sent(),
      used(80_000, 900),
      ended(2),
    ],
  ]
  expect((await reportOf({ a: story })).report.extra).toMatchObject({ repeated: 0, reread: 0, usd: 0 })
  const mine: Story = [
    [0, started(1), asking('my-model'), fails(1, { tokens: 100 }), asking('my-model'), yes, ended(1)],
  ]
  expect((await reportOf({ a: mine })).report.extra).toMatchObject({ usd: 0, unpriced: new Set(['my-model']) })
})
