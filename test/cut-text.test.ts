/** An answer that breaks off after whole text is kept and continued if the policy says so. */
import { defineAgent, recoverable } from '@lastgood/anthropic'
import { memoryStore } from '@lastgood/core'
import { reply, text, thinking, type ModelFunction, type Outage } from '@lastgood/outage-lab'
import { expect, test } from 'vitest'
import { entriesOf, openTestSession, startTestLab } from './support/harness.ts'

const model = 'claude-opus-5-5'
const asked = { role: 'user' as const, content: 'Tell me a story' }

/** Says the beginning, then, asked to go on, the end; and says whether it remembers. */
const teller: ModelFunction = ({ messages }) => {
  const last = JSON.stringify(messages.at(-1))
  if (last.includes('was interrupted')) return reply([thinking('Where was I?'), text('and lived happily.')])
  if (last.includes('again')) return reply(text(`I said ${messages.length} things.`))
  return reply([thinking('A story.'), text('Once upon a time '), text('there was a king '), text('who never ends')])
}
const cut: Outage = { when: { request: 1 }, fault: { kind: 'cut', after: { inside: 'text', index: 2 }, how: 'reset' } }

async function storyteller(cutText: 'keep' | 'resend') {
  const { lab, client } = await startTestLab({ model: teller, outages: [cut] })
  const store = memoryStore()
  const session = await openTestSession(store, { policy: { cutText } })
  return { lab, client, store, session }
}

test('it goes on in the same message: the caller has one answer, the record too, and the API sees what was said', async () => {
  const { lab, client, store, session } = await storyteller('keep')
  const own = recoverable(client, session)
  const first = await own.messages.stream({ model, max_tokens: 900, messages: [asked] }).finalMessage()
  const said = first.content.map((block) => (block.type === 'text' ? block.text : `(${block.type})`))
  expect(said.slice(0, 3)).toEqual(['(thinking)', 'Once upon a time ', 'there was a king '])
  expect(said.at(-1)).toBe('and lived happily.')
  expect(lab.requests[1]?.body?.['messages']).toHaveLength(3)

  const messages = [
    asked,
    { role: 'assistant' as const, content: first.content },
    { role: 'user' as const, content: 'again' },
  ]
  const next = await own.messages.create({ model, max_tokens: 900, messages })
  expect(next.content.at(-1)).toMatchObject({ text: 'I said 5 things.' })
  expect(lab.requests.map(({ violation }) => violation)).toEqual([undefined, undefined, undefined])
  const types = (await entriesOf(store)).map(({ type }) => type)
  expect(types).not.toContain('rewound')
  expect(types.filter((type) => type === 'response-received')).toHaveLength(2)
  expect(session.messages()).toHaveLength(4)
})

test('an agent goes on like that too, also after a restart', async () => {
  const { lab, client, store, session } = await storyteller('keep')
  const agent = defineAgent({ name: 'teller', client, model })
  const reply_ = await session.run(agent, 'Tell me a story')
  expect(reply_.text).toMatch(/^Once upon a time there was a king .*and lived happily\.$/)
  await session.close()
  const again = await openTestSession(store)
  await expect(again.run(agent, 'again')).resolves.toMatchObject({ text: 'I said 5 things.' })
  expect(lab.requests.at(-1)?.violation).toBeUndefined()
})

test('by default the same is sent again, and what was said is taken back', async () => {
  const { lab, client, session } = await storyteller('resend')
  const dropped: string[] = []
  session.subscribe((event) => event.type === 'dropped' && dropped.push(event.type))
  const agent = defineAgent({ name: 'teller', client, model })
  await expect(session.run(agent, 'Tell me a story')).resolves.toMatchObject({
    text: 'Once upon a time there was a king who never ends',
  })
  expect(lab.requests[1]?.body).toEqual(lab.requests[0]?.body)
  expect(dropped).toHaveLength(1)
})
