import { expect, test } from 'vitest'
import { memoryStore } from '../store/memory-store.ts'
import { openSession } from '../session/open-session.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { intercept } from './interceptor.ts'
import { replayed } from './replay.ts'
import { writeEvent } from './sse.ts'

const answer = {
  id: 'msg_1',
  role: 'assistant' as const,
  model: 'm',
  content: [{ type: 'text', text: 'The whole answer.' }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 1, output_tokens: 1 },
}
const events = [...replayed(answer)]

const asked = {
  url: 'https://api.anthropic.com/v1/messages',
  method: 'POST',
  body: JSON.stringify({ model: 'm', max_tokens: 9, stream: true, messages: [{ role: 'user', content: 'Hello' }] }),
}

/** What the caller gets when its attempts are answered so, and the words that listeners are told. */
async function through(bodies: string[][]) {
  const clock = new ManualClock({ autoAdvance: true })
  const session = await openSession('s', { store: memoryStore({ clock }), clock })
  const words: string[] = []
  session.subscribe((event) => event.type === 'delta' && words.push(event.text))
  const response = await intercept(session)({ ...asked, headers: new Headers() }, async () => {
    const pieces = bodies.shift() ?? []
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        const piece = pieces.shift()
        if (piece === undefined) controller.close()
        else controller.enqueue(new TextEncoder().encode(piece))
      },
    })
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
  })
  const text = await response.text()
  await session.close()
  return { text, words }
}

test('an event that is no JSON does not reach the caller, whole as it looks: the request is sent again', async () => {
  const bad = 'event: content_block_delta\ndata: {no json}\n\n'
  const bodies = [[...events.slice(0, 2), bad], events]
  const { text } = await through(bodies)
  expect(text).not.toContain('no json')
  expect(text).toContain('The whole answer.')
  expect(bodies).toEqual([])
})

test('an event that nobody knows keeps its place among those that are held', async () => {
  const call = { type: 'tool_use', id: 'toolu_1', name: 'count', input: { n: 1 } }
  const sent = [...replayed({ ...answer, content: [...answer.content, call], stop_reason: 'tool_use' })]
  const news = 'event: news\ndata: {"type":"news"}\n\n'
  for (let at = 1; at < sent.length; at += 1) {
    const pieces = sent.toSpliced(at, 0, news)
    expect((await through([[...pieces]])).text).toBe(pieces.join(''))
  }
})

test('but not if its data is no JSON, which the SDK would fail at; one without a name, which it skips, is kept (P6)', async () => {
  const unnamed = 'data: [DONE]\n\n'
  const sent = [...replayed(answer)]
  const pieces = sent.toSpliced(1, 0, 'event: keepalive\ndata: still here\n\n', unnamed)
  expect((await through([pieces])).text).toBe(sent.toSpliced(1, 0, unnamed).join(''))
})

test('so it does after a delta that fills a silence, and so does that', async () => {
  const call = { type: 'tool_use', id: 'toolu_1', name: 'count', input: { n: 1 } }
  const sent = [...replayed({ ...answer, content: [...answer.content, call], stop_reason: 'tool_use' })]
  const delta = { stop_reason: null, stop_sequence: null }
  const silence = writeEvent('message_delta', { type: 'message_delta', delta, usage: { output_tokens: 0 } })
  const news = 'event: news\ndata: {"type":"news"}\n\n'
  for (let at = 1; at < sent.length - 2; at += 1) {
    for (let later = at + 1; later < sent.length; later += 1) {
      const pieces = sent.toSpliced(at, 0, silence).toSpliced(later, 0, news)
      expect((await through([[...pieces]])).text).toBe(pieces.join(''))
    }
  }
})

test('text after a tool call is told while the call is held', async () => {
  const call = { type: 'tool_use', id: 'toolu_1', name: 'count', input: { n: 1 } }
  const content = [call, { type: 'text', text: 'And so on.' }]
  const { words } = await through([[...replayed({ ...answer, content, stop_reason: 'tool_use' })]])
  expect(words.join('')).toBe('And so on.')
})

test('a salvaged call ends with its stop reason, also after a delta that filled a silence without one', async () => {
  const session = await openSession('s', { store: memoryStore() })
  const usage = { output_tokens: 0 }
  const delta = { stop_reason: null, stop_sequence: null }
  const silence = writeEvent('message_delta', { type: 'message_delta', delta, usage })
  const call = { type: 'tool_use', id: 'toolu_1', name: 'count', input: {} }
  const events = [...replayed({ ...answer, content: [call], stop_reason: 'tool_use' })].slice(0, -2)
  const body = JSON.stringify({
    model: 'm',
    max_tokens: 9,
    stream: true,
    tools: [{ name: 'count', input_schema: { type: 'object' } }],
    messages: [{ role: 'user', content: 'Count' }],
  })
  const response = await intercept(session)(
    { url: 'https://api.anthropic.com/v1/messages', method: 'POST', headers: new Headers(), body },
    async () =>
      new Response([...events.slice(0, 1), silence, ...events.slice(1)].join(''), {
        headers: { 'content-type': 'text/event-stream' },
      }),
  )
  const reasons = (await response.text()).match(/"stop_reason":[^,}]*/g)
  expect(reasons?.at(-1)).toBe('"stop_reason":"tool_use"')
  await session.close()
})

test('of a cut answer with a broken call before its end the whole calls are handed out, and it ends as it is recorded (P2)', async () => {
  const call = (id: string) => ({ type: 'tool_use', id, name: 'count', input: { n: 1 } })
  const content = [call('toolu_1'), call('toolu_2'), { type: 'text', text: 'And' }]
  const events = [...replayed({ ...answer, content, stop_reason: 'max_tokens' })]
  const input = String.raw`{\"n\":1}`
  const second = events.findLastIndex((event) => event.includes(input))
  const sent = events.with(second, events[second]!.replace(input, input.slice(0, -1)))
  const { text } = await through([sent])
  expect(text).toContain('toolu_1')
  expect(text).not.toMatch(/toolu_2|And/)
  expect(text.match(/"stop_reason":[^,}]*/g)?.at(-1)).toBe('"stop_reason":"tool_use"')
})

test('an end that a gateway says twice reaches the caller once, who else would run a call twice (P2)', async () => {
  const call = { type: 'tool_use', id: 'toolu_1', name: 'count', input: { n: 1 } }
  const sent = [...replayed({ ...answer, content: [...answer.content, call], stop_reason: 'tool_use' })]
  const isEnd = (piece: string) => piece.includes('content_block_stop') || piece.includes('message_stop')
  const twice = sent.flatMap((piece) => (isEnd(piece) ? [piece, piece] : [piece]))
  const { text } = await through([twice])
  expect(text).toBe(sent.join(''))
})

const searching = [
  { type: 'text', text: 'I look.' },
  { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'x' } },
  { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [] },
]

test("the call of a server's tool is handed out with its result: without it, a program would wait in vain", async () => {
  const sent = [...replayed({ ...answer, content: [...searching, ...answer.content] })]
  const isResult = (piece: string) => piece.includes('web_search_tool_result')
  for (let at = 1; at < sent.length - 2; at += 1) {
    const { text } = await through([sent.slice(0, at), [...replayed(answer)]])
    const ended = sent.slice(0, at - 1).some(isResult)
    expect([at, text.includes('srvtoolu_1')]).toEqual([at, ended])
    expect(text).toContain('The whole answer.')
  }
})

test("an answer with calls of the server's tools passes as it is, paused before a result or not", async () => {
  const answers = [
    { ...answer, content: [...searching, ...answer.content] },
    { ...answer, content: searching.slice(0, 2), stop_reason: 'pause_turn' },
  ]
  for (const whole of answers) {
    const sent = [...replayed(whole)]
    expect((await through([[...sent]])).text).toBe(sent.join(''))
  }
})

test('the words of an answer are taken back at once when its caller aborts between two pieces', async () => {
  const clock = new ManualClock({ autoAdvance: true })
  const session = await openSession('s', { store: memoryStore({ clock }), clock })
  const told: string[] = []
  session.subscribe((event) => event.type !== 'entry' && told.push(event.type))
  const caller = new AbortController()
  const request = { ...asked, headers: new Headers(), signal: caller.signal }
  const response = await intercept(session)(request, async () => {
    const pieces = ReadableStream.from([...replayed(answer)].map((text) => new TextEncoder().encode(text)))
    return new Response(pieces, { headers: { 'content-type': 'text/event-stream' } })
  })
  const reader = response.body?.getReader()
  while (told.length === 0) await reader?.read()
  caller.abort()
  expect(told).toEqual(['delta', 'dropped'])
  await expect(reader?.read()).rejects.toThrow()
  await reader?.cancel().catch(() => {})
  expect(told).toEqual(['delta', 'dropped'])
  await session.close()
})

const stream = (body: ReadableStream<Uint8Array>) =>
  new Response(body, { headers: { 'content-type': 'text/event-stream' } })
const bytes = events.map((text) => new TextEncoder().encode(text))

test.each(['says nothing more', 'says something at that very moment'])(
  'a caller that aborts and reads no further holds nothing up, though its client is deaf to that, and %s (P6)',
  async (what) => {
    const clock = new ManualClock({ autoAdvance: true })
    const session = await openSession('s', { store: memoryStore({ clock }), clock })
    const [caller, lastgood] = [new AbortController(), intercept(session)]
    let source: ReadableStreamDefaultController<Uint8Array> | undefined
    const left = await lastgood({ ...asked, headers: new Headers(), signal: caller.signal }, async () =>
      stream(new ReadableStream({ start: (controller) => void (source = controller) })),
    )
    left.body
      ?.getReader()
      .read()
      .catch(() => {})
    if (what !== 'says nothing more') source?.enqueue(bytes[0] as Uint8Array)
    caller.abort()
    const next = await lastgood({ ...asked, headers: new Headers() }, async () => stream(ReadableStream.from(bytes)))
    expect(await next.text()).toContain('The whole answer.')
    expect(session.lastGoodTurn).toBe(1)
    await session.close()
  },
)

test('a silence ends an attempt whose client is deaf to that: the request is sent again (P6)', async () => {
  const clock = new ManualClock({ autoAdvance: true })
  const session = await openSession('s', { store: memoryStore({ clock }), clock })
  const bodies = [new ReadableStream<Uint8Array>(), ReadableStream.from(bytes)]
  const response = await intercept(session)({ ...asked, headers: new Headers() }, async () =>
    stream(bodies.shift() as ReadableStream<Uint8Array>),
  )
  const said = response.text()
  await clock.advance(120_000)
  expect(await said).toContain('The whole answer.')
  await session.close()
})

test('and so it ends one that is not a stream', async () => {
  const clock = new ManualClock({ autoAdvance: true })
  const session = await openSession('s', { store: memoryStore({ clock }), clock })
  const bodies = [new ReadableStream<Uint8Array>(), JSON.stringify(answer)]
  const body = asked.body.replace('"stream":true', '"stream":false')
  const response = intercept(session)({ ...asked, body, headers: new Headers() }, async () => {
    return new Response(bodies.shift(), { headers: { 'content-type': 'application/json' } })
  })
  await clock.advance(590_000)
  expect(await (await response).json()).toMatchObject(answer)
  await session.close()
})
