/** Where the shared breaker meets helpers, aborts, stores that fail, models that are gone and logins that are down. */
import { inspect } from 'node:util'
import { recoverable } from '@lastgood/anthropic'
import { LastgoodError, memoryStore, openSession, providerHealth, type Store } from '@lastgood/core'
import { ManualClock } from '@lastgood/core/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { answeringClient, assistant, failed, model, unanswered, user, whole } from './support/answering-api.ts'
import { code, entriesOf, jumpingClock, openTestSession } from './support/harness.ts'

const minute = 60_000
const hi = user('hi')
const request = { model, max_tokens: 9 }
const key = { endpoint: 'http://scripted.test', model }

/** A store whose sessions have seen the model down, at the instant of the next probe. */
async function downModel() {
  const clock = new ManualClock()
  const store = memoryStore()
  const health = providerHealth(store.shared, clock)
  for (const session of ['x', 'y', 'x', 'y', 'x'])
    await health.report(key, session, { kind: 'fault', fault: 'overloaded' })
  await clock.advance(2 * minute)
  const another = () => health.admit(key, 'other', { waited: true, random: 0 })
  /** Everything that can happen without a wait has happened. */
  const settle = async () => {
    for (let n = 0; n < 30; n += 1) await clock.advance(0)
  }
  return { clock, store, another, settle }
}

/** The session has the probe, and its request is not answered. */
async function probing() {
  const down = await downModel()
  let reach: () => void = () => {}
  const reached = new Promise<void>((resolve) => (reach = resolve))
  const api = answeringClient((call) => {
    reach()
    return unanswered(call)
  })
  const session = await openSession('prober', { store: down.store, clock: down.clock })
  const stop = new AbortController()
  const main = recoverable(api.client, session).messages.create({ ...request, messages: [hi] }, { signal: stop.signal })
  const over = main.then(
    () => 'answered',
    () => 'broken off',
  )
  onTestFinished(async () => {
    stop.abort()
    await over
    await session.close()
  })
  await reached
  const help = (title: string, signal: AbortSignal) =>
    recoverable(api.client, session, { record: false })
      .messages.create({ ...request, messages: [user(title)] }, { signal })
      .then(
        () => 'answered',
        () => 'broken off',
      )
  return { ...down, ...api, help, stop, over }
}

describe('while a session probes', () => {
  test('its helpers wait as others do', async () => {
    const { calls, help, stop, settle, over } = await probing()
    const helpers = ['a', 'b', 'c', 'd', 'e'].map((title) => help(title, stop.signal))
    await settle()
    expect(calls).toHaveLength(1)
    stop.abort()
    await expect(Promise.all([over, ...helpers])).resolves.toEqual(Array.from({ length: 6 }, () => 'broken off'))
  })

  test('the abort of a helper does not free the probe; the abort of the session does', async () => {
    const { help, stop, settle, another, over } = await probing()
    const stopHelper = new AbortController()
    const helper = help('a', stopHelper.signal)
    await settle()
    stopHelper.abort()
    await expect(helper).resolves.toBe('broken off')
    await settle()
    expect(await another()).toMatchObject({ kind: 'wait' })
    stop.abort()
    await over
    await settle()
    expect(await another()).toMatchObject({ kind: 'probe' })
  })
})

test('a probe whose session cannot record its request is handed on before anything leaves', async () => {
  const { clock, store, another, settle } = await downModel()
  const lost: Store = {
    ...store,
    append: async (...args: Parameters<Store['append']>) => {
      if (args[2].some(({ type }) => type === 'request-sent'))
        throw new LastgoodError('lease-lost', 'another process has it', { hint: 'stop this one' })
      return store.append(...args)
    },
  }
  const { client, calls } = answeringClient(() => whole('fine'))
  const session = await openSession('prober', { store: lost, clock })
  const asked = recoverable(client, session).messages.create({ ...request, messages: [hi] })
  await expect(asked).rejects.toMatchObject(code('lease-lost'))
  await session.close().catch(() => {})
  await settle()
  expect(calls).toEqual([])
  expect(await another()).toMatchObject({ kind: 'probe' })
})

describe('a model that is gone for one session', () => {
  const sessions = async (...ids: string[]) => {
    const clock = jumpingClock()
    const store = memoryStore()
    const { client, calls } = answeringClient((_call, n) =>
      n === 1 ? failed(404, 'not_found_error', `model: ${model}`) : whole('fine', { id: `msg_${n}` }),
    )
    const own = await Promise.all(
      ids.map(async (id) => {
        const session = await openSession(id, { store, clock })
        onTestFinished(() => session.close())
        return recoverable(client, session)
      }),
    )
    const start = clock.now()
    return { own, calls, store, waited: () => clock.now() - start }
  }

  test('is asked by another that has no ladder at once, for itself', async () => {
    const { own, calls, store, waited } = await sessions('a', 'b')
    await expect(own[0]?.messages.create({ ...request, messages: [hi] })).rejects.toThrow()
    await expect(own[1]?.messages.create({ ...request, messages: [hi] })).resolves.toBeDefined()
    expect(calls).toHaveLength(2)
    expect(waited()).toBe(0)
    expect((await entriesOf(store, 'b')).map(({ type }) => type)).not.toContain('request-held')
  })

  test('is asked again by the same session at once', async () => {
    const { own, calls, waited } = await sessions('a')
    await expect(own[0]?.messages.create({ ...request, messages: [hi] })).rejects.toThrow()
    await expect(own[0]?.messages.create({ ...request, messages: [hi] })).resolves.toBeDefined()
    expect(calls).toHaveLength(2)
    expect(waited()).toBe(0)
  })
})

test('credentials that cannot be had while logins fail are waited out', async () => {
  const { client, calls } = answeringClient((_call, n) =>
    n > 1 && n < 5 ? failed(401, 'authentication_error') : whole(`answer ${n}`, { id: `msg_${n}` }),
  )
  const session = await openTestSession()
  let asked = 0
  const own = recoverable(client, session, {
    credentials: () => {
      asked += 1
      return Promise.reject(new Error('the token endpoint is down'))
    },
  })
  const first = await own.messages.create({ ...request, messages: [hi] })
  const second = await own.messages.create({ ...request, messages: [hi, assistant(first), user('go')] })
  expect(second.content).toMatchObject([{ text: 'answer 5' }])
  expect(asked).toBeGreaterThan(0)
  expect(calls).toHaveLength(5)
})

test.each([{ 'x-api-key': 'the-key\nthe-key' }, 'the-key\nthe-key' as never])(
  'credentials that no header can have are told without their words, and the turn goes on with others [%j]',
  async (bad) => {
    const { client, calls } = answeringClient((_call, n) =>
      n === 1 ? failed(401, 'authentication_error') : whole('ok'),
    )
    const session = await openTestSession()
    const own = recoverable(client, session, { credentials: () => Promise.resolve(bad) })
    const error: unknown = await own.messages.create({ ...request, messages: [hi] }).catch((one: unknown) => one)
    expect(error).toMatchObject({ code: 'bad-option', message: 'credentials are not a valid header value' })
    expect(inspect(error)).not.toContain('the-key')
    const types = (await entriesOf(session.store)).map(({ type }) => type)
    expect(types.filter((type) => type === 'request-sent')).toHaveLength(calls.length)
    await expect(recoverable(client, session).messages.create({ ...request, messages: [hi] })).resolves.toBeDefined()
    expect(session.lastGoodTurn).toBe(1)
  },
)
