import { expect, onTestFinished, test, vi } from 'vitest'
import { openSession } from '../session/open-session.ts'
import { memoryStore } from '../store/memory-store.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { intercept } from './interceptor.ts'
import { replayed } from './replay.ts'

const answer = (id: string, text: string) => ({
  id,
  role: 'assistant' as const,
  model: 'm',
  content: [{ type: 'text', text }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 1, output_tokens: 1 },
})
const user = (content: string) => ({ role: 'user', content })

test('a thread goes on after an answer of two attempts, by the id that its caller saw and by its own', async () => {
  const clock = new ManualClock({ autoAdvance: true })
  const session = await openSession('s', { store: memoryStore({ clock }), clock })
  const streams = [
    [...replayed(answer('msg_seen', 'Half'))].slice(0, 3),
    [...replayed(answer('msg_own', 'Whole.'))],
    [...replayed(answer('msg_3', 'More.'))],
    [...replayed(answer('msg_4', 'Other.'))],
  ]
  const sent: string[] = []
  const ask = async (fields: object) => {
    const body = JSON.stringify({ model: 'm', max_tokens: 9, stream: true, ...fields })
    const request = { url: 'https://api.test/v1/messages', method: 'POST', headers: new Headers(), body }
    const response = await intercept(session)(request, async (leaving) => {
      sent.push(leaving.body)
      return new Response(streams.shift()?.join(''), { headers: { 'content-type': 'text/event-stream' } })
    })
    return response.text()
  }
  expect(await ask({ messages: [user('A')], thread: { type: 'create' } })).toContain('msg_seen')
  for (const id of ['msg_seen', 'msg_own']) {
    await ask({ messages: [user('B')], thread: { type: 'continue', previous_message_id: id } })
    const { messages, ...rest } = JSON.parse(sent.at(-1) ?? '') as { messages: { content: unknown }[] }
    expect(messages.map(({ content }) => content)).toEqual(['A', answer('', 'Whole.').content, 'B'])
    expect(rest).not.toHaveProperty('thread')
  }
  await session.close()
  expect(streams).toEqual([])
})

test('helpers that ask many things at a time are no leak to warn about', async () => {
  const warned = vi.spyOn(process, 'emitWarning')
  onTestFinished(() => warned.mockRestore())
  const session = await openSession('s', { store: memoryStore() })
  const waiting: ((response: Response) => void)[] = []
  const asked = Array.from({ length: 20 }, (_, at) => {
    const body = JSON.stringify({ model: 'm', max_tokens: 9, messages: [user(`A ${at}`)] })
    const request = { url: 'https://api.test/v1/messages', method: 'POST', headers: new Headers(), body }
    return intercept(session)(request, () => new Promise((resolve) => waiting.push(resolve)))
  })
  await vi.waitFor(() => expect(waiting).toHaveLength(20))
  expect(warned).not.toHaveBeenCalled()
  for (const [at, resolve] of waiting.entries()) resolve(Response.json(answer(`msg_${at}`, 'Whole.')))
  for (const response of await Promise.all(asked))
    expect(await response.json()).toMatchObject({ stop_reason: 'end_turn' })
  await session.close()
})
