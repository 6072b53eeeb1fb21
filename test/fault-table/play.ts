/**
 * Plays a case of the fault table: a real session on a memory store, in front of it the SDK's own client, and behind it
 * a `fetch` that serves the bytes of the case. Waits cost nothing: the clock jumps to their end.
 */
import Anthropic from '@anthropic-ai/sdk'
import { ladder, recoverable } from '@lastgood/anthropic'
import { isLastgoodError, memoryStore, providerHealth, type Clock, type Entry } from '@lastgood/core'
import { entriesOf, jumpingClock, openTestSession } from '../support/harness.ts'
import { said } from '../support/scripted-api.ts'
import { http, stream, type BreakOff, type FaultCase, type Outcome, type Served } from './fault-case.ts'

const model = 'claude-opus-5-5'
const baseURL = 'http://scripted.test'

export interface Played {
  entries: readonly Entry[]
  outcome: Outcome & { readonly message?: Anthropic.Message | undefined; readonly thrown?: unknown }
  /** Bodies of the requests, and their headers. */
  sent: readonly Readonly<Record<string, unknown>>[]
  headers: readonly Headers[]
  pings: number
}

export async function play({ served, given = {} }: Pick<FaultCase, 'served' | 'given'>): Promise<Played> {
  const clock = jumpingClock()
  const store = memoryStore()
  const session = await openTestSession(store, { clock, ...(given.policy && { policy: given.policy }) })
  const health = providerHealth(store.shared, clock)
  const asked = given.request?.['model']
  const key = { endpoint: baseURL, model: typeof asked === 'string' ? asked : model }
  if (given.others === 'denied')
    for (const other of ['a', 'b']) await health.report(key, other, { kind: 'fault', fault: 'auth-blocked' })

  const sent: Record<string, unknown>[] = []
  const headers: Headers[] = []
  let pings = 0
  let before = given.answeredBefore ? 1 : 0
  const fetch = async (url: unknown, init: RequestInit = {}): Promise<Response> => {
    const signal = init.signal ?? new AbortController().signal
    // The Models API does not matter here.
    if (init.method?.toUpperCase() === 'GET') return respond(http(404), signal, clock)
    const body = JSON.parse(init.body as string) as Record<string, unknown>
    if (String(url).endsWith('/v1/messages') && body['max_tokens'] === 1) {
      pings += 1
      return respond(given.pingIsAnswered ? stream(said('pong')) : http(500), signal, clock)
    }
    if (before > 0) {
      before -= 1
      return respond(stream(said('Hello.', 'msg_before')), signal, clock)
    }
    const turn = sent.push(body) - 1
    headers.push(new Headers(init.headers))
    if (given.others === 'answered') await health.report(key, 'other', { kind: 'ok' })
    return respond(served[turn] ?? answerTo(body), signal, clock)
  }

  const client = recoverable(new Anthropic({ apiKey: 'test', baseURL, logLevel: 'off', fetch }), session, {
    ladder: given.ladder ? ladder(model, ...given.ladder) : [],
    ...(given.freshCredentials && { credentials: () => Promise.resolve({ authorization: 'Bearer fresh' }) }),
  })
  const plain = { model, max_tokens: 1_000, messages: [{ role: 'user' as const, content: 'Hi.' }] }
  if (given.answeredBefore) {
    const { content } = await client.messages.stream(plain).finalMessage()
    plain.messages = [...plain.messages, { role: 'assistant', content } as never, { role: 'user', content: 'And?' }]
  }
  const request = { ...plain, ...given.request }
  const options = given.betas ? { headers: { 'anthropic-beta': given.betas.join(',') } } : {}
  const outcome = await (
    given.whole ? client.messages.create(request, options) : client.messages.stream(request, options).finalMessage()
  ).then(heard, failed)
  return { entries: await entriesOf(store), outcome, sent, headers, pings }
}

function heard(message: Anthropic.Message): Played['outcome'] {
  const says = message.content.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join('|')
  const calls = message.content.filter((block) => block.type === 'tool_use')
  return { says, stop: message.stop_reason ?? '', calls, message }
}

function failed(thrown: unknown): Played['outcome'] {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    if (isLastgoodError(error)) return { error: error.code, thrown }
    if (error instanceof Anthropic.APIError && typeof error.status === 'number') return { status: error.status, thrown }
  }
  throw thrown
}

// -- The wire ---------------------------------------------------------------------------------------------------------

const wellSaid = said('All is well.', 'msg_well')

function answerTo({ stream: isStream }: Record<string, unknown>): string {
  const message = {
    id: 'msg_well',
    type: 'message',
    role: 'assistant',
    model,
    content: [{ type: 'text', text: 'All is well.' }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 9, output_tokens: 5 },
  }
  return isStream === true
    ? stream(wellSaid)
    : http(200, JSON.stringify(message), { 'content-type': 'application/json' })
}

async function respond(served: Served, signal: AbortSignal, clock: Clock): Promise<Response> {
  if (typeof served === 'string') return responseOf(served, [])
  if ('bytes' in served) return responseOf(served.bytes, breaks(served.ends, signal, clock))
  if ('silent' in served) return silence(signal, clock)
  // As undici does it: the cause has the details.
  throw new TypeError('fetch failed', { cause: Object.assign(new Error(served.unreachable), { code: served.code }) })
}

/** A Response with these bytes, whose body then continues as `rest` does. */
function responseOf(bytes: string, rest: Iterable<string> | AsyncIterable<string>): Response {
  const end = bytes.indexOf('\r\n\r\n')
  const [statusLine = '', ...lines] = bytes.slice(0, end).split('\r\n')
  const headers = lines.map((line): [string, string] => [
    line.slice(0, line.indexOf(':')),
    line.slice(line.indexOf(':') + 2),
  ])
  async function* pieces() {
    yield bytes.slice(end + 4)
    yield* rest
  }
  const encoder = new TextEncoder()
  const left = pieces()
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await left.next()
        if (done) controller.close()
        else controller.enqueue(encoder.encode(value))
      },
    },
    { highWaterMark: 0 },
  )
  return new Response(body, { status: Number(statusLine.split(' ')[1]), headers })
}

async function* breaks(how: BreakOff, signal: AbortSignal, clock: Clock): AsyncGenerator<string> {
  if (how === 'silence') await silence(signal, clock)
  while (how === 'comments' || how === 'pings') {
    await clock.sleepUntil(clock.now() + 10_000, { signal })
    yield how === 'comments' ? ': keep-alive\n\n' : 'event: ping\ndata: {"type":"ping"}\n\n'
  }
  const code = how === 'reset' ? 'ECONNRESET' : 'UND_ERR_SOCKET'
  throw new TypeError('terminated', { cause: Object.assign(new Error('other side closed'), { code }) })
}

/** Time passes and nothing comes, until the caller aborts. */
async function silence(signal: AbortSignal, clock: Clock): Promise<never> {
  for (;;) await clock.sleepUntil(clock.now() + 10_000, { signal })
}
