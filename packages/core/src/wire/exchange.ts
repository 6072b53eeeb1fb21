/**
 * One request of the caller, over as many attempts as it takes, until an answer, a refusal or giving up.
 *
 * 1. Each attempt is announced to the recorder before it leaves, and each failure is judged by it; nothing is retried
 *    on any other word (P8).
 * 2. A refusal that waiting cannot mend reaches the caller as the API gave it, as long as nothing else has.
 */
import { classify, type Wire } from '../classify.ts'
import type { Clock } from '../clock.ts'
import { assistantMessageSchema, type AssistantMessage } from '../journal.ts'
import { attempt, brokenBy, withoutBodyFraming, type Next } from './attempt.ts'
import type { WireRequest } from './messages-request.ts'
import type { Recorder } from './recorder.ts'
import { relay, type Delivered } from './relay.ts'
import type { Limits, Watchdog } from './watchdog.ts'

export interface Exchange<R extends WireRequest> {
  request: R
  next: Next<R>
  /** What counts as an answer: the Messages API's stream, its JSON message, or any 2xx. */
  expects: 'stream' | 'message' | 'anything'
  recorder: Recorder
  clock: Clock
  limits: Limits
  /** Any of them ends the exchange. */
  signal: AbortSignal
  /** Called once, when the caller has the whole answer or the exchange ended otherwise. */
  onDone: (delivered: Delivered) => void
}

/** The exchange once it runs. */
type Running<R extends WireRequest> = Omit<Exchange<R>, 'onDone'> & { onDone: () => void }

interface Answer {
  response: Response
  watchdog: Watchdog
}

export async function exchange<R extends WireRequest>(options: Exchange<R>): Promise<Response> {
  const delivered: Delivered = { started: false, leftovers: 0 }
  let isDone = false
  const onDone = () => {
    if (!isDone) options.onDone(delivered)
    isDone = true
  }
  const it = { ...options, onDone }
  let streaming = false
  try {
    const first = await nextAnswer(it)
    if ('refusal' in first) return first.refusal
    if (it.expects === 'anything') {
      first.watchdog.stop()
      return first.response
    }
    if (it.expects === 'message') return await wholeAnswer(it, first)
    streaming = true
    return replaceBody(first.response, streamOf(it, first, delivered))
  } finally {
    if (!streaming) onDone()
  }
}

/** Attempts until an answer begins, or the API refuses for good. */
async function nextAnswer<R extends WireRequest>(it: Running<R>): Promise<Answer | { refusal: Response }> {
  const limits = it.expects === 'stream' ? it.limits : { ...it.limits, firstEventMs: it.limits.wholeAnswerMs }
  for (;;) {
    await it.recorder.sending(it.signal)
    const outcome = await attempt(it.request, it.next, it.clock, limits, it.signal)
    if (outcome.kind === 'fault') {
      const fault = classify(outcome.wire)
      const decision = await it.recorder.faulted(fault)
      if (decision.kind === 'retry') continue
      if (decision.kind === 'fail' && outcome.refusal) return { refusal: outcome.refusal }
      throw it.recorder.givenUp(fault, decision)
    }
    const isStream = (outcome.response.headers.get('content-type') ?? '').includes('text/event-stream')
    if (it.expects !== 'stream' || isStream) return outcome
    // A 200 that is no stream: what it says is read, for whoever has to find the proxy that sent it.
    await retryOrThrow(it, (await readWhole(it, outcome)).wire)
  }
}

async function wholeAnswer<R extends WireRequest>(it: Running<R>, first: Answer): Promise<Response> {
  for (let answer = first; ;) {
    const { text, message, wire } = await readWhole(it, answer)
    if (message) {
      const requestId = answer.response.headers.get('request-id') ?? undefined
      await it.recorder.answered({ message, requestId, salvaged: false })
      return replaceBody(answer.response, text)
    }
    await retryOrThrow(it, wire)
    const again = await nextAnswer(it)
    if ('refusal' in again) return again.refusal
    answer = again
  }
}

/** Relays attempt after attempt into one stream. Its consumer's cancel aborts what is in flight. */
function streamOf<R extends WireRequest>(
  it: Running<R>,
  first: Answer,
  delivered: Delivered,
): ReadableStream<Uint8Array> {
  const cancelled = new AbortController()
  const cancellable = { ...it, signal: AbortSignal.any([it.signal, cancelled.signal]) }
  const encoder = new TextEncoder()
  const pieces = relayAll(cancellable, first, delivered)
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await pieces.next()
        if (!done) return controller.enqueue(encoder.encode(value))
        it.onDone()
        controller.close()
      } catch (error) {
        it.onDone()
        controller.error(error)
      }
    },
    cancel(reason) {
      cancelled.abort(reason)
      it.onDone()
      // Nobody is left to hear how it ends.
      pieces.return().catch(() => {})
    },
  })
}

async function* relayAll<R extends WireRequest>(
  it: Running<R>,
  first: Answer,
  delivered: Delivered,
): AsyncGenerator<string, void, undefined> {
  for (let answer = first; ;) {
    const ended = yield* relay(answer.response, answer.watchdog, it.recorder, delivered, it.clock)
    if (ended.kind === 'answered') return
    it.signal.throwIfAborted()
    await retryOrThrow(it, ended.wire)
    const again = await nextAnswer(it)
    if ('refusal' in again) {
      // The caller has a 200 already, so a refusal can only end its stream.
      const fault = classify(await refusalSeen(again.refusal, it.clock))
      throw it.recorder.givenUp(fault, { kind: 'fail', reason: fault.message ?? fault.kind })
    }
    answer = again
  }
}

async function retryOrThrow<R extends WireRequest>(it: Running<R>, wire: Wire): Promise<void> {
  const fault = classify(wire)
  const decision = await it.recorder.faulted(fault)
  if (decision.kind !== 'retry') throw it.recorder.givenUp(fault, decision)
}

/** The whole body: its text, the message that it is, and what to judge it by when it is none. */
async function readWhole<R extends WireRequest>(
  it: Running<R>,
  { response, watchdog }: Answer,
): Promise<{ text: string; message?: AssistantMessage; wire: Wire }> {
  const seen = {
    phase: 'body',
    status: response.status,
    headers: response.headers,
    contentType: response.headers.get('content-type') ?? '',
    eventsSeen: 0,
  } as const
  try {
    const text = await response.text()
    const message = messageIn(text)
    return { text, ...(message && { message }), wire: { ...seen, body: text, now: it.clock.now() } }
  } catch (error) {
    it.signal.throwIfAborted()
    return { text: '', wire: { ...seen, ...brokenBy(error, watchdog), now: it.clock.now() } }
  } finally {
    watchdog.stop()
  }
}

function messageIn(text: string): AssistantMessage | undefined {
  try {
    return assistantMessageSchema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

async function refusalSeen(refusal: Response, clock: Clock): Promise<Wire> {
  const { status, headers } = refusal
  return { phase: 'status', status, headers, body: await refusal.text(), now: clock.now() }
}

function replaceBody({ status, statusText, headers }: Response, body: string | ReadableStream<Uint8Array>): Response {
  return new Response(body, { status, statusText, headers: withoutBodyFraming(headers) })
}
