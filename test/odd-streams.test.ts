/** Streams that proxies have put together wrongly: what the SDK makes of them is what is recorded, or it is a fault. */
import { recoverable } from '@lastgood/anthropic'
import { memoryStore } from '@lastgood/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { countTool } from './support/counting-story.ts'
import { setUp } from './support/gateway-stage.ts'
import { entriesOf, openTestSession } from './support/harness.ts'
import { callBlock, ended, event, said, scriptedClient, started, textBlock } from './support/scripted-api.ts'

const request = {
  model: 'claude-opus-5-5',
  max_tokens: 500,
  tools: [countTool],
  messages: [{ role: 'user' as const, content: 'Hello' }],
}

const begun = (index: unknown, content_block: object) => event('content_block_start', { index, content_block })
const openText = (index: unknown) => begun(index, { type: 'text', text: '' })
const openCall = (index: unknown) => begun(index, { type: 'tool_use', id: 'toolu_1', name: 'count', input: {} })
const delta = (index: unknown, fields: unknown) => event('content_block_delta', { index, delta: fields })
const words = (index: unknown, text: unknown) => delta(index, { type: 'text_delta', text })
const closed = (index: unknown) => event('content_block_stop', { index })
const startedWith = (message: unknown) => event('message_start', { message })
const end = (fields: object) => event('message_delta', fields) + event('message_stop', {})

const bare = { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content: [], stop_reason: null }
const over = { stop_reason: 'end_turn', stop_sequence: null }

describe('a part of the answer was lost or came twice, so it is requested again:', () => {
  test.each([
    ['words without the beginning of their block', started() + words(0, 'lost') + closed(0)],
    ['the same after a whole block', started() + textBlock(0, 'One.') + words(1, 'lost') + closed(1)],
    ['the end of a block that never began', started() + textBlock(0, 'One.') + closed(1)],
    ['two blocks of one index', started() + textBlock(0, 'One.') + textBlock(0, 'Two.')],
    ['two of them, the first without its end', started() + openText(0) + words(0, 'One.') + textBlock(0, 'Two.')],
    ['words after the end of their block', started() + textBlock(0, 'One.') + words(0, 'more')],
    ['no beginning', textBlock(0, 'One.')],
    ['a beginning without a message', startedWith(null) + textBlock(0, 'One.')],
    ['a proxy that began anew', started() + openText(0) + words(0, 'On') + started('msg_2') + textBlock(0, 'One.')],
    ['a delta of nothing', started() + openText(0) + delta(0, null) + closed(0)],
    ['words that are none', started() + openText(0) + words(0, 'One') + words(0, null) + closed(0)],
    ['words inside a call', started() + openCall(0) + words(0, 'One.') + closed(0)],
    ['words inside hidden thinking', started() + begun(0, { type: 'redacted_thinking', data: 'd' }) + words(0, 'One.')],
  ])('%s', async (_what, body) => {
    const script = (_call: unknown, n: number) => (n === 1 ? body + ended('end_turn') : said('Whole.', 'msg_3'))
    const { client, calls } = scriptedClient(script)
    const store = memoryStore()
    const session = await openTestSession(store)
    const own = recoverable(client, session)
    const { content, stop_reason } = await own.messages.stream(request).finalMessage()
    expect(content.at(-1)).toMatchObject({ text: 'Whole.' })
    expect(stop_reason).toBe('end_turn')
    expect(session.messages().at(-1)?.content).toMatchObject([{ text: 'Whole.' }])
    expect(calls).toHaveLength(2)
    const faults = (await entriesOf(store)).filter(({ type }) => type === 'fault-observed')
    expect(faults).toMatchObject([{ fault: { kind: 'stream-cut' } }])
  })

  test('so is one that was asked for as a whole', async () => {
    const { client, calls } = scriptedClient((_call, n) =>
      n === 1 ? started() + textBlock(0, 'One.') + textBlock(0, 'Two.') + ended('end_turn') : said('Whole.'),
    )
    const own = recoverable(client, await openTestSession())
    await expect(own.messages.create(request)).resolves.toMatchObject({ content: [{ text: 'Whole.' }] })
    expect(calls).toHaveLength(2)
  })
})

test('a block that ends after a call has begun is one that the caller has, when the answer breaks then', async () => {
  const broken = started() + textBlock(0, 'One.') + openText(1) + words(1, 'Two.') + openCall(2) + closed(1)
  const { client } = scriptedClient((_call, n) => (n === 1 ? broken : said('Whole.')))
  const session = await openTestSession()
  const { content } = await recoverable(client, session).messages.stream(request).finalMessage()
  expect(content).toMatchObject([{ text: 'One.' }, { text: 'Two.' }, { text: 'Whole.' }])
})

test('a call before another one of its index is kept, and that one is not run (P2)', async () => {
  const calls = callBlock(0, '{"n":1}', 'toolu_a') + callBlock(0, '{"n":2}', 'toolu_b')
  const { client } = scriptedClient(() => started() + calls + ended('tool_use'))
  const session = await openTestSession()
  const answer = await recoverable(client, session).messages.stream(request).finalMessage()
  expect(answer).toMatchObject({ content: [{ id: 'toolu_a', input: { n: 1 } }], stop_reason: 'tool_use' })
  expect(session.transcript.unanswered.map(({ toolUseId }) => toolUseId)).toEqual(['toolu_a'])
})

const whole = started() + textBlock(0, 'One.') + callBlock(1, '{"n":1}') + ended('tool_use')

const readable: readonly (readonly [string, string])[] = [
  ['numbers its blocks from 1', started() + textBlock(1, 'One.') + callBlock(2, '{"n":1}') + ended('tool_use')],
  ['leaves out a number', started() + textBlock(0, 'One.') + callBlock(2, '{"n":1}') + ended('tool_use')],
  ['numbers them backwards', started() + textBlock(1, 'One.') + textBlock(0, 'Two.') + ended('end_turn')],
  ['does not number its only block', started() + openText(null) + words(null, 'One.') + ended('end_turn')],
  ['numbers it in words', started() + openText('0') + words('0', 'One.') + closed('0') + ended('end_turn')],
  ['ends a block twice', started() + textBlock(0, 'One.') + closed(0) + ended('end_turn')],
  [
    'signs a thought twice',
    started() +
      textBlock(0, 'One.') +
      begun(1, { type: 'thinking', thinking: 'Hm', signature: '' }) +
      delta(1, { type: 'signature_delta', signature: 'sig' }).repeat(2) +
      closed(1) +
      ended('end_turn'),
  ],
  ['names its events otherwise', whole.replace(/^event: .*$/gm, 'event: data')],
  ['does not name them', whole.replace(/^event: .*$/gm, 'event:')],
  ['names them all alike', whole.replace(/^event: .*$/gm, 'event: content_block_delta')],
  ['names one of them otherwise', whole.replace('event: content_block_delta', 'event: chunk')],
  [
    'begins a thought without its text',
    started() +
      textBlock(0, 'One.') +
      begun(1, { type: 'thinking' }) +
      delta(1, { type: 'thinking_delta', thinking: 'Hm' }) +
      delta(1, { type: 'signature_delta', signature: 'sig' }) +
      ended('end_turn'),
  ],
  [
    'begins a text with none',
    started() + textBlock(0, 'One.') + begun(1, { type: 'text', text: null }) + closed(1) + ended('end_turn'),
  ],
  ['begins twice', started() + started() + textBlock(0, 'One.') + ended('end_turn')],
  ['begins without usage', startedWith(bare) + textBlock(0, 'One.') + ended('end_turn')],
  ['begins with no usage', startedWith({ ...bare, usage: null }) + textBlock(0, 'One.') + ended('end_turn')],
  ['begins without content', startedWith({ ...bare, content: null }) + textBlock(0, 'One.') + ended('end_turn')],
  ['ends without usage', started() + textBlock(0, 'One.') + end({ delta: over })],
  ['ends with no usage', started() + textBlock(0, 'One.') + end({ delta: over, usage: null })],
  ['ends without a delta', started() + textBlock(0, 'One.') + event('message_delta', { delta: over }) + end({})],
  [
    'says nothing after its stop reason',
    started() + textBlock(0, 'One.') + ended('end_turn').replace(/event: message_stop.*/s, '') + ended(null),
  ],
  [
    'fills a silence without usage',
    started() + event('message_delta', { delta: { stop_reason: null } }) + textBlock(0, 'One.') + ended('end_turn'),
  ],
]

describe('the SDK reads what is recorded, and it is paid for once, where a proxy', () => {
  test.each(readable)('%s', async (_what, body) => {
    const { client, calls } = scriptedClient(() => body)
    const session = await openTestSession()
    const answer = await recoverable(client, session).messages.stream(request).finalMessage()
    expect(answer.content.map((block) => ('input' in block ? { ...block, input: block.input } : block))).toEqual(
      session.transcript.lastAnswer?.content,
    )
    expect(answer.content[0]).toMatchObject({ text: 'One.' })
    expect(answer.stop_reason).toBe(session.transcript.lastAnswer?.stop_reason)
    expect(answer.stop_reason).not.toBeNull()
    expect(answer.usage.output_tokens).toBeTypeOf('number')
    expect(calls).toHaveLength(1)
  })

  test.each(readable)('%s, also behind the gateway', async (_what, body) => {
    const headers = { 'content-type': 'text/event-stream' }
    const { client } = await setUp({ gateway: { fetch: async () => new Response(body, { headers }) } })
    const answer = await client.messages.stream(request).finalMessage()
    expect(answer.content[0]).toMatchObject({ text: 'One.' })
    expect(answer.usage.output_tokens).toBeTypeOf('number')
  })
})

const thought = (index: number) =>
  begun(index, { type: 'thinking', thinking: '', signature: '' }) +
  delta(index, { type: 'thinking_delta', thinking: 'Hm' }) +
  delta(index, { type: 'signature_delta', signature: 'sig' }) +
  closed(index)

/** What goes wrong with the events of an answer: one is lost, comes twice, comes late, or has another index. */
const slip = fc.record({ how: fc.constantFrom('lost', 'twice', 'late', 'index'), at: fc.nat(), to: fc.nat({ max: 4 }) })

function slipped(attempt: number, slips: readonly { how: string; at: number; to: number }[]): string {
  const call = callBlock(2, '{"n":1}', `toolu_${attempt}`)
  const blocks = thought(0) + textBlock(1, `Text ${attempt}.`) + call + textBlock(3, 'And so on.')
  const events = (started(`msg_${attempt}`) + blocks + ended('tool_use')).split(/(?<=\n\n)/)
  for (const { how, at, to } of slips) {
    const place = at % events.length
    const [taken = ''] = events.splice(place, 1)
    if (how === 'twice') events.splice(place, 0, taken, taken)
    if (how === 'late') events.splice(place + to, 0, taken)
    if (how === 'index') events.splice(place, 0, taken.replace(/"index":\d/, `"index":${to}`))
  }
  return events.join('')
}

test('whatever a proxy does to the events of answers, the message of the SDK ends with what is recorded', async () => {
  const slips = fc.array(slip, { maxLength: 3 })
  await fc.assert(
    fc.asyncProperty(slips, slips, async (first, second) => {
      const { client } = scriptedClient((_call, n) => (n > 2 ? said('Whole.') : slipped(n, n === 1 ? first : second)))
      const session = await openTestSession()
      const answer = await recoverable(client, session).messages.stream(request).finalMessage()
      const recorded = session.transcript.lastAnswer
      const content = answer.content.map((block) => ('input' in block ? { ...block, input: block.input } : block))
      expect(content.slice(-(recorded?.content.length ?? 0))).toEqual(recorded?.content)
      expect(answer.stop_reason).toBe(recorded?.stop_reason)
      await session.close()
    }),
    { numRuns: 60 },
  )
})
