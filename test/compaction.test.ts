/** Conversations that the server sums up: when it is asked to, and on its own. */
import { defineAgent, ladder, recoverable } from '@lastgood/anthropic'
import { memoryStore } from '@lastgood/core'
import { expect, test } from 'vitest'
import { answeringClient, assistant, failed, model, refused, user, whole } from './support/answering-api.ts'
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
