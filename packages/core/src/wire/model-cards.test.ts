import { describe, expect, test, vi } from 'vitest'
import { memorySharedState } from '../records/memory-shared-state.ts'
import type { SharedState } from '../records/shared-state.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { cardOf } from '../ladder/built-in-cards.ts'
import { modelCards } from './model-cards.ts'

const hourMs = 3_600_000
const answer = { id: 'claude-opus-5-20260708', max_input_tokens: 123_456 }
const never = () => new Promise<never>(() => {})

/** Processes that share a store and a clock, and an API whose answer a test can change. */
function world({ shared = memorySharedState() as SharedState } = {}) {
  const clock = new ManualClock()
  const asked: { model: string; signal: AbortSignal }[] = []
  const api = { answer: async (): Promise<unknown> => answer }
  const open = (endpoint = 'https://api.test') => {
    const cards = modelCards({ shared, clock, endpoint })
    return (model: string) =>
      cards(model, (signal) => {
        asked.push({ model, signal })
        return api.answer()
      })
  }
  return { clock, asked, api, open, shared }
}

describe('a card', () => {
  test('is asked for once a day, by all processes together', async () => {
    const { asked, clock, open } = world()
    const cards = open()
    const card = { ...cardOf('claude-opus-5'), source: 'models-api', maxInputTokens: 123_456 }
    expect(await Promise.all([cards('claude-opus-5'), cards('claude-opus-5')])).toEqual([card, card])
    await clock.advance(24 * hourMs - 1)
    expect(await cards('claude-opus-5')).toEqual(card)
    expect(await open()('claude-opus-5')).toEqual(card)
    expect(asked).toHaveLength(1)
    await clock.advance(1)
    await cards('claude-opus-5')
    expect(asked).toHaveLength(2)
  })

  test('is of one model at one endpoint, whose address is not stored', async () => {
    const { asked, open, shared } = world()
    await open()('claude-opus-5')
    await open()('claude-sonnet-5')
    await open('https://secret:key@b.test')('claude-opus-5')
    expect(asked.map(({ model }) => model)).toEqual(['claude-opus-5', 'claude-sonnet-5', 'claude-opus-5'])
    const records = await shared.list('models:')
    expect(records).toHaveLength(3)
    expect(JSON.stringify(records)).not.toContain('.test')
  })

  test('of a model with any name finds a place in the store', async () => {
    const { asked, open, shared } = world()
    const arn = `arn:aws:bedrock:us-east-1:1:inference-profile/${'long-'.repeat(60)}.anthropic.claude-opus-5-v1:0`
    expect(await open()(arn)).toMatchObject({ id: arn, source: 'models-api' })
    await open()(arn)
    expect(asked).toHaveLength(1)
    const [record] = await shared.list('models:')
    expect(record?.key).toMatch(/^models:[0-9a-f]{16}\|[A-Za-z0-9.:@_-]{160}$/)
  })

  test('of models whose names fall together there is of each', async () => {
    const { asked, open, shared } = world()
    for (const model of ['a/alias', 'a/alias', 'a_alias', 'a/alias']) await open()(model)
    expect(asked.map(({ model }) => model)).toEqual(['a/alias', 'a_alias', 'a/alias'])
    expect((await shared.list('models:')).map(({ key }) => key)).toEqual([expect.stringMatching(/\|a_alias$/)])
  })

  test('of a process whose clock is ahead is asked for again', async () => {
    const { asked, open, shared, clock } = world()
    await open()('claude-opus-5')
    const [record] = await shared.list('models:')
    const ahead = { ...(record!.value as object), askedAt: clock.now() + 1 }
    await shared.write(record!.key, record!.version, ahead)
    await open()('claude-opus-5')
    expect(asked).toHaveLength(2)
  })

  test('of another model than the one that was asked for is not believed', async () => {
    const { api, open } = world()
    api.answer = async () => ({ ...answer, id: 'claude-haiku-4-5' })
    expect(await open()('claude-opus-5')).toEqual(cardOf('claude-opus-5'))
    expect(await open()('an-alias')).toMatchObject({ id: 'an-alias', source: 'models-api', maxInputTokens: 123_456 })
  })
})

describe('a card that cannot be asked for', () => {
  test.each([
    ['the API refuses', async () => Promise.reject(new Error('no'))],
    ['the answer is none', async () => ({ type: 'error' })],
  ])('because %s is the built-in one, and nobody asks again for ten minutes', async (_why, fail) => {
    const { api, asked, clock, open } = world()
    api.answer = fail
    expect(await open()('claude-opus-5')).toEqual(cardOf('claude-opus-5'))
    await clock.advance(600_000 - 1)
    await open()('claude-opus-5')
    expect(asked).toHaveLength(1)
    await clock.advance(1)
    api.answer = async () => answer
    expect(await open()('claude-opus-5')).toMatchObject({ source: 'models-api' })
  })

  test('is waited for 5 s, then the question is given up', async () => {
    const { api, asked, clock, open } = world()
    api.answer = never
    const card = open()('claude-opus-5')
    await clock.advance(4_999)
    expect(asked[0]?.signal.aborted).toBe(false)
    await clock.advance(1)
    expect(asked[0]?.signal.aborted).toBe(true)
    expect(await card).toEqual(cardOf('claude-opus-5'))
    expect(clock.sleepers).toEqual([])
  })

  test.each([
    ['by the store', false],
    ['here, where the store has none', true],
  ])('is the last one that was given, however old, remembered %s', async (_where, isHere) => {
    const { api, clock, open, shared } = world()
    const cards = open()
    await cards('claude-opus-5')
    await clock.advance(240 * hourMs)
    api.answer = never
    if (isHere) vi.spyOn(shared, 'read').mockResolvedValue(undefined)
    const card = (isHere ? cards : open())('claude-opus-5')
    await clock.advance(5_000)
    expect(await card).toMatchObject({ source: 'models-api', maxInputTokens: 123_456 })
  })
})

test.each([
  ['that fails', { read: () => Promise.reject(new Error('down')), write: () => Promise.reject(new Error('down')) }],
  ['that hangs', { read: never, write: never }],
  ['with nonsense', { read: async (key: string) => ({ key, version: 3, value: 'x' }), write: async () => false }],
])('a store %s costs the sharing, not the card', async (_what, broken) => {
  const { asked, clock, open } = world({ shared: { ...memorySharedState(), ...broken } })
  const cards = open()
  const card = cards('claude-opus-5')
  await clock.advance(5_000)
  expect(await card).toMatchObject({ source: 'models-api' })
  await cards('claude-opus-5')
  expect(asked).toHaveLength(1)
  await clock.advance(5_000)
  expect(clock.sleepers).toEqual([])
})
