/** Conversations whose clients name no session: each is found by what was said in it, and by nothing less. */
import { memoryStore, type Store } from '@lastgood/core'
import { ManualClock } from '@lastgood/core/testing'
import { expect, test } from 'vitest'
import { api, gatewayOf, saidBy } from './support/counted-answers.ts'
import { hello, idsOf, named, post } from './support/gateway-stage.ts'
import { Gate } from './support/harness.ts'

const user = (content: string) => ({ role: 'user', content })
const answer = (content: string) => ({ role: 'assistant', content })

test('that begin with the same examples have a session each, and no answer of one is given up for another', async () => {
  const gate = new Gate()
  const { fetch, requests } = api(({ body }) => (JSON.stringify(body).includes('First') ? gate.pass() : undefined))
  const store = memoryStore()
  const gateway = gatewayOf({ store, fetch, clock: new ManualClock() })
  const ask = (content: string, signal?: AbortSignal) =>
    post(
      gateway,
      { ...hello, messages: [user('Example'), answer('Exemplary'), user(content)] },
      signal ? { signal } : {},
    )
  const gone = new AbortController()
  const first = ask('First', gone.signal)
  await gate.reached
  gone.abort()
  for (const content of ['Second', 'Third']) expect((await ask(content)).status).toBe(200)
  const again = ask('First')
  gate.open()
  expect(await saidBy(await again)).toBe('answer 1')
  expect(requests.map(({ isAborted }) => isAborted)).toEqual([false, false, false])
  const ids = await idsOf(store)
  expect(ids).toHaveLength(3)
  for (const id of ids) expect((await store.summary(id))?.head.turn).toBe(1)
  await first
})

test('that were given the same first answer stay apart, though one of them is open and the other is not', async () => {
  const { fetch, requests } = api(() => (requests.length <= 2 ? { content: [{ type: 'text', text: 'Hi' }] } : {}))
  const [store, clock] = [memoryStore(), new ManualClock()]
  let gateway = gatewayOf({ store, fetch, clock })
  const talk = () => {
    const history: object[] = []
    return async (content: string) => {
      history.push(user(content))
      const response = await post(gateway, { ...hello, messages: history })
      history.push(answer(await saidBy(response)))
      await clock.advance(1_000)
      return response.headers.get('x-lastgood-session')
    }
  }
  const [one, other] = [talk(), talk()]
  expect(await one('Hello')).not.toBe(await other('Hello'))
  const sessions = [await one('One'), await other('Other')]
  expect(new Set(sessions).size).toBe(2)
  await gateway.close()
  gateway = gatewayOf({ store, fetch, clock })
  // The later one is found first.
  expect([await other('More'), await one('More')]).toEqual([sessions[1], sessions[0]])
  expect(await idsOf(store)).toHaveLength(2)
})

test('what goes back is in the session that holds most of it, and undoes nothing in one that holds less', async () => {
  const { fetch } = api()
  const [store, clock] = [memoryStore(), new ManualClock()]
  let gateway = gatewayOf({ store, fetch, clock })
  const say = async (before: object[], content: string) => {
    const messages = [...before, user(content)]
    const response = await post(gateway, { ...hello, messages })
    const history = [...messages, answer(await saidBy(response))]
    await clock.advance(1_000)
    return { history, at: response.headers.get('x-lastgood-session') }
  }
  const begun = await say([], 'Hello')
  const one = await say(begun.history, 'One')
  const other = await say(begun.history, 'Other')
  const more = await say(one.history, 'More')
  const last = await say(more.history, 'Last')
  expect([other.at, more.at, last.at]).toEqual([begun.at, last.at, more.at])
  expect(more.at).not.toBe(begun.at)
  // The other one is found first, and what was undone there is not remembered.
  await say(other.history, 'Latest')
  await gateway.close()
  gateway = gatewayOf({ store, fetch, clock })
  expect((await say(more.history, 'Else')).at).toBe(last.at)
  expect([begun.at, last.at]).not.toContain((await say(one.history, 'Yet')).at)
})

test('an answer that its client left in a session with a name is for no client without one', async () => {
  const gate = new Gate()
  const { fetch, requests } = api(() => gate.pass())
  const gateway = gatewayOf({ fetch, clock: new ManualClock() })
  const gone = new AbortController()
  const first = post(gateway, hello, { headers: named, signal: gone.signal })
  await gate.reached
  gone.abort()
  const other = post(gateway, hello)
  gate.open()
  expect((await other).headers.get('x-lastgood-session')).toMatch(/^gw-/)
  expect(requests).toHaveLength(2)
  await first
})

test('a first answer after examples is given again by a gateway that took the place of the one that had it', async () => {
  const { fetch, requests } = api()
  const store = memoryStore()
  const ask = async () => {
    const gateway = gatewayOf({ store, fetch, clock: new ManualClock() })
    const said = await saidBy(
      await post(gateway, { ...hello, messages: [user('Example'), answer('Exemplary'), user('First')] }),
    )
    await gateway.close()
    return said
  }
  expect([await ask(), await ask()]).toEqual(['answer 1', 'answer 1'])
  expect(requests).toHaveLength(1)
})

test('no other session is looked into while an open one has every answer, and none that begins otherwise', async () => {
  const { fetch } = api()
  const [memory, clock, opened] = [memoryStore(), new ManualClock(), new Set<string>()]
  const store: Store = {
    ...memory,
    acquire: (id, ...asked) => {
      opened.add(id)
      return memory.acquire(id, ...asked)
    },
  }
  const before = gatewayOf({ store, fetch, clock })
  await (await post(before, hello, { headers: named })).text()
  for (const _twice of [1, 2]) {
    await (await post(before, hello)).text()
    await clock.advance(1_000)
  }
  await before.close()
  opened.clear()
  const gateway = gatewayOf({ store, fetch, clock })
  const goOn = async (said: string, content: string) =>
    (await post(gateway, { ...hello, messages: [...hello.messages, answer(said), user(content)] })).text()
  await goOn('answer 3', 'One')
  await goOn('answer 3', 'Other')
  const last = [...opened]
  expect(last).toHaveLength(1)
  await goOn('said elsewhere', 'One')
  const ids = (await idsOf(memory)).filter((id) => id.startsWith('gw-'))
  expect([...opened].sort()).toEqual(ids)
  expect(ids).toHaveLength(3)
})
