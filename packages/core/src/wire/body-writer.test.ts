import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Message } from '../journal/journal.ts'
import { openSession } from '../session/open-session.ts'
import { memoryStore } from '../store/memory-store.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import type { BodyText } from './body-text.ts'
import { writtenBody } from './body-writer.ts'
import { intercept } from './interceptor.ts'

const forms: [string, (json: string) => BodyText][] = [
  ['a string', (json) => json],
  ['bytes', (json) => Buffer.from(json)],
]
const tools = '[ {"name":"t","input_schema":{"minimum":0.0,"properties":{"b":{},"2":{},"1":{}}}} ]'
const messages = ['{"role":"user","content":"A"}', '{"content":"\\u00e9","role":"user","n":12345678901234567890}']
const json = `{"max_tokens":9,"tools":${tools} , "temperature":1.0,\n"messages":[ ${messages.join(' ,')}],"model":"m"}`

describe.each(forms)('a body that came as %s', (_form, as) => {
  const sent = { text: as(json), body: JSON.parse(json) as { messages: Message[] } }

  test('keeps its own words in all that was not changed (P4)', () => {
    const text = writtenBody({ ...sent.body, max_tokens: 10, stream: true }, sent)
    expect(text).toContain(`"tools":${tools.slice(0, -1).trim()}`)
    for (const message of messages) expect(text).toContain(message)
    expect(text).toContain('"temperature":1.0,')
    expect(JSON.parse(text)).toEqual({ ...sent.body, max_tokens: 10, stream: true })
  })

  test('has the words of a message that was changed, of one that came, and of none that went', () => {
    const [first, second] = sent.body.messages as [Message, Message]
    const changed = [{ ...first, content: 'B' }, { role: 'user', content: 'C' }, second]
    const text = writtenBody({ ...sent.body, messages: changed, temperature: undefined }, sent)
    expect(text).toContain(`[{"role":"user","content":"B"},{"role":"user","content":"C"},${messages[1]}]`)
    expect(text).not.toContain('temperature')
  })

  test('is read back as what was written, whatever it is', () => {
    const message = fc.record({ role: fc.constantFrom('user', 'assistant'), content: fc.string({ unit: 'binary' }) })
    const body = fc
      .tuple(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()), fc.array(message))
      .map(([more, list]) => ({ ...more, messages: list, model: 'm' }))
    const changes = fc.tuple(fc.array(message), fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 2 }), fc.nat(9))
    fc.assert(
      fc.property(body, fc.constantFrom(0, 2), changes, (was, space, [more, fields, at]) => {
        const json = JSON.stringify(was, null, space)
        const body = JSON.parse(json) as typeof was
        const changed = { ...body, ...fields, messages: body.messages.toSpliced(at, 1, ...more) }
        const text = writtenBody(changed, { text: as(json), body })
        expect(JSON.stringify(JSON.parse(text))).toBe(JSON.stringify(changed))
      }),
    )
  })
})

test('a repaired request has the prompt of its caller to the letter: system, tools and the other messages (P4)', async () => {
  const clock = new ManualClock()
  const session = await openSession('s', { store: memoryStore({ clock }), clock })
  const blank = '{"role":"user","content":[{"type":"text","text":"A"},{"type":"text","text":" "}]}'
  const called = '{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"t","input":{"x":1.0}}]}'
  const answered = '{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"ok"}]}'
  const sent: string[] = []
  const request = {
    url: 'https://api.anthropic.com/v1/messages',
    method: 'POST',
    headers: new Headers(),
    body: `{"model":"m","max_tokens":9,"tools":${tools},"messages":[${blank},${called},${answered}]}`,
  }
  await intercept(session)(request, async ({ body }) => {
    sent.push(body)
    const answer = { id: 'msg_1', role: 'assistant', model: 'm', content: [{ type: 'text', text: 'B' }] }
    return Response.json({ ...answer, stop_reason: 'end_turn', usage: { input_tokens: 1 } })
  })
  await session.close()
  const mended = '{"role":"user","content":[{"type":"text","text":"A"}]}'
  expect(sent).toEqual([request.body.replace(blank, mended)])
})
