/** Conversations that the server sums up: when it is asked to, and on its own. */
import { defineAgent, ladder, recoverable } from '@lastgood/anthropic'
import { memoryStore } from '@lastgood/core'
import { expect, test } from 'vitest'
import {
  answeringClient,
  assistant,
  brokenBlock,
  event,
  failed,
  model,
  refused,
  user,
  whole,
} from './support/answering-api.ts'
import { openTestSession, typesOf } from './support/harness.ts'

/** As in the pages of the API: its sums are zero. */
const usage = {
  input_tokens: 0,
  output_tokens: 0,
  iterations: [{ type: 'compaction', input_tokens: 144, output_tokens: 276 }],
}
const summedUp = (block: object) => whole('', { id: 'msg_sum', content: [block], stop_reason: 'compaction', usage })

test('a summary that was asked for is paid once, and the session goes on from it as its caller does', async () => {
  const block = { type: 'compaction' as const, content: 'They said hi.', signature: 's' }
  const { client, calls } = answeringClient((_call, n) =>
    n === 2 ? summedUp(block) : whole(`answer ${n}`, { id: `msg_${n}` }),
  )
  const store = memoryStore()
  const session = await openTestSession(store)
  const { messages: api } = recoverable(client, session).beta
  const asked = { model, max_tokens: 500 }
  const history = [user('hi'), assistant(await api.create({ ...asked, messages: [user('hi')] }))]
  const sum = await api.create({ ...asked, messages: history, compaction: { type: 'summarize' } })
  expect([sum.content, sum.stop_reason, calls.length]).toEqual([[block], 'compaction', 2])

  const goneOn = [assistant({ content: [block] }), user('go on')]
  await api.create({ ...asked, messages: goneOn })
  expect(calls.at(-1)?.body?.messages).toEqual(goneOn)
  expect(session.messages()).toEqual([...goneOn, assistant({ content: [{ type: 'text', text: 'answer 3' }] })])
  expect(await typesOf(store)).not.toContain('fault-observed')
})

test('a run goes on from a summary that the server made on its own, and sends it back as it was (P4)', async () => {
  // A model may give it nothing but its content.
  const block = { type: 'compaction', content: 'They said hi.' }
  const { client, calls } = answeringClient((_call, n) =>
    n === 2 ? summedUp(block) : whole(`answer ${n}`, { id: `msg_${n}` }),
  )
  const params = { context_management: { edits: [{ type: 'compact_20260112', pause_after_compaction: true }] } }
  const agent = defineAgent({ name: 'a', client, model, system: 'Be brief.', params })
  const session = await openTestSession()
  await session.run(agent, 'hi')
  await expect(session.run(agent, 'go on')).resolves.toMatchObject({ text: 'answer 3' })
  expect(calls.at(-1)?.body?.messages.at(-1)).toEqual({ role: 'assistant', content: [block] })
  expect(calls).toHaveLength(3)
})

test('a rung without compaction gets the summary as text, and the model that has it gets it back as it was', async () => {
  const block = { type: 'compaction', content: 'They said hi.' }
  const tag = (at: string, type: string) =>
    refused(`${at}: Input tag '${type}' found using 'type' does not match any of the expected tags: 'text'`)
  let isDown = false
  const { client, calls, models } = answeringClient(({ body }, n) => {
    if (body?.model === model)
      return isDown
        ? failed(529, 'overloaded_error')
        : whole('', { id: `msg_${n}`, content: [block, { type: 'text', text: 'hello' }] })
    if (body?.['context_management']) return tag('context_management.edits.0', 'compact_20260112')
    if (JSON.stringify(body?.messages).includes('"compaction"')) return tag('messages.1.content.0', 'compaction')
    return whole('from the rung', { id: `msg_${n}`, model: rung })
  })
  const rung = 'claude-sonnet-5-5'
  const params = { context_management: { edits: [{ type: 'compact_20260112' }] } }
  const agent = defineAgent({ name: 'a', client, model: ladder(model, rung), params })
  const session = await openTestSession()
  await session.run(agent, 'hi')
  isDown = true
  await expect(session.run(agent, 'go on')).resolves.toMatchObject({ text: 'from the rung' })
  expect(calls.at(-1)?.body?.messages).toMatchObject([
    { role: 'user', content: [{ text: expect.stringMatching(/summed up.*They said hi/s) }] },
    { role: 'assistant', content: [{ text: 'hello' }] },
    { role: 'user' },
  ])
  isDown = false
  const before = models().length
  await session.run(agent, 'and back')
  expect(models().slice(before)).toEqual([model])
  expect(calls.at(-1)?.body?.messages[1]?.content).toMatchObject([block, { text: 'hello' }])
})

/** A stream: a summary, then a text, which breaks off. */
const brokenOff = (content: string | null) =>
  event('message_start', {
    message: {
      id: 'msg_cut',
      type: 'message',
      role: 'assistant',
      model,
      content: [],
      stop_reason: null,
      usage: { input_tokens: 5, output_tokens: 1 },
    },
  }) +
  event('content_block_start', { index: 0, content_block: { type: 'compaction', content: null } }) +
  event('content_block_delta', { index: 0, delta: { type: 'compaction_delta', content, encrypted_content: null } }) +
  event('content_block_stop', { index: 0 }) +
  brokenBlock(1, 'Hel')

async function afterCut(content: string | null, cutText: 'keep' | 'resend') {
  const { client, calls } = answeringClient((_call, n) =>
    n === 1 ? brokenOff(content) : whole('lo', { id: `msg_${n}` }),
  )
  const session = await openTestSession(memoryStore(), { policy: { cutText } })
  const { messages: api } = recoverable(client, session).beta
  const asked = { model, max_tokens: 500, context_management: { edits: [{ type: 'compact_20260112' as const }] } }
  await api.stream({ ...asked, messages: [user('hi')] }).finalMessage()
  return { sent: calls[1]?.body?.messages, recorded: session.messages().at(-1)?.content }
}

test('a summary that came whole is not paid again where cut text is kept: the answer goes on from it', async () => {
  const said = [
    { type: 'compaction', content: 'They said hi.', encrypted_content: null },
    { type: 'text', text: 'Hel' },
  ]
  const { sent, recorded } = await afterCut('They said hi.', 'keep')
  expect(sent?.slice(0, 2)).toEqual([user('hi'), assistant({ content: said })])
  expect(sent?.[2]).toMatchObject(user(expect.stringContaining('was interrupted')))
  expect(recorded).toEqual([...said, { type: 'text', text: 'lo' }])
})

test.each([
  ['a compaction that failed', null, 'keep'],
  ['a summary, by default', 'They said hi.', 'resend'],
] as const)('from %s nothing goes on: the same is sent again', async (_what, content, cutText) => {
  expect((await afterCut(content, cutText)).sent).toEqual([user('hi')])
})

test('a summary that comes back empty is asked for again until broken answers have cost too much, and nothing is lost', async () => {
  const costly = { ...usage, iterations: [{ type: 'compaction', input_tokens: 180_000, output_tokens: 4_000 }] }
  let isEmpty = true
  const { client, calls } = answeringClient((_call, n) =>
    n > 1 && isEmpty
      ? whole('', { id: `msg_${n}`, content: [], stop_reason: 'compaction', usage: costly })
      : whole('yes', { id: `msg_${n}` }),
  )
  const session = await openTestSession()
  const { messages: api } = recoverable(client, session).beta
  const asked = { model, max_tokens: 500 }
  const history = [user('hi'), assistant(await api.create({ ...asked, messages: [user('hi')] }))]
  const sum = api.create({ ...asked, messages: history, compaction: { type: 'summarize' } })
  await expect(sum).rejects.toMatchObject({
    code: 'session-suspended',
    message: expect.stringContaining('have cost 2200k'),
  })
  expect(calls).toHaveLength(12)
  isEmpty = false
  await api.create({ ...asked, messages: [...history, user('go on')] })
  expect(calls.at(-1)?.body?.messages).toEqual([...history, user('go on')])
})
