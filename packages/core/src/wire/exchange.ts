/**
 * One request of the caller, over as many attempts as it takes, until an answer, a refusal or giving up.
 *
 * 1. Each attempt is announced to the recorder before it leaves, and the recorder judges each failure; nothing is sent
 *    again for any other reason (P8).
 * 2. A refusal that no repair helps reaches the caller as the API gave it, unless part of an answer has reached it.
 * 3. It has ended when nothing of it can record or send any more; then `ended` resolves, once, and not before.
 */
import { classify, type Wire } from '../faults/classify.ts'
import type { Clock } from '../clock.ts'
import type { AssistantMessage } from '../journal/journal.ts'
import { answerText } from '../journal/exact-inputs.ts'
import { isThinking } from '../journal/message.ts'
import { messageIn, shortfallOf, usablePart, type Shortfall } from '../journal/answer.ts'
import { costOf } from '../journal/usage.ts'
import { formatDuration } from '../duration.ts'
import { orAborted } from '../or-aborted.ts'
import { hasForm, inForm, messageInEvents, nameForm } from './answer-forms.ts'
import { attempt, brokenBy, contentTypeOf, refusalSeen, replaceBody, type Answer } from './attempt.ts'
import { givenUpUnread } from './given-up.ts'
import type { WireRequest } from './messages-request.ts'
import { streamOf } from './pieces.ts'
import type { Recorder } from './recorder.ts'
import { Relay, type Broken, type Delivered } from './relay.ts'
import { Spent } from './spent.ts'
import type { Limits } from './watchdog.ts'

export interface ExchangeOptions<R extends WireRequest> {
  request: R
  /** What counts as an answer: the Messages API's stream, its JSON message, or any 2xx. */
  expects: 'stream' | 'message' | 'anything'
  /** The caller parses the text of the answer. */
  isStructured: boolean
  /** The caller needs the API's verdicts on the calls of the answer, which come with its end. */
  wantsVerdicts: boolean
  recorder: Recorder<R>
  clock: Clock
  limits: Limits
  /** Signals that end the exchange: the caller's, the session's. */
  signals: readonly AbortSignal[]
}

/** The API's own refusal, for the caller. */
interface Refused {
  refusal: Response
}

/** A stream that nobody has begun to read by then is not kept open: most such streams were dropped by their callers. */
const longestUnreadMs = 600_000

export class Exchange<R extends WireRequest> {
  readonly ended: Promise<void>
  readonly delivered: Delivered = { started: false, leftovers: 0, spent: new Spent() }
  readonly #it: ExchangeOptions<R>
  readonly #abort = new AbortController()
  /** The answer that is being read. */
  #answer: Answer | undefined
  /** For a stream that is handed out: the attempt it is in, and whether its answer is recorded. */
  #relay: Relay | undefined
  #isTold = false
  /** The stream that is handed out: nobody has begun to read it, its reader waits for a piece, or is elsewhere. */
  #stream: 'none' | 'unread' | 'awaited' | 'resting' = 'none'
  #callOffGivingUp = (): void => {}
  #end: () => void = () => {}

  constructor(options: ExchangeOptions<R>) {
    this.#it = options
    this.ended = new Promise((resolve) => (this.#end = resolve))
    const follow = options.signals.map((signal) => {
      const abort = () => this.abort(signal.reason)
      if (signal.aborted) abort()
      signal.addEventListener('abort', abort)
      return () => signal.removeEventListener('abort', abort)
    })
    void this.ended.then(() => follow.forEach((unfollow) => unfollow()))
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** The caller has an answer and has not begun to read it. */
  get isUnread(): boolean {
    return this.#stream === 'unread'
  }

  /** Only its reader can move it. */
  get #isLeft(): boolean {
    return this.#stream === 'unread' || this.#stream === 'resting'
  }

  abort(reason: unknown): void {
    this.#abort.abort(reason)
    if (!this.#isLeft) return
    void this.#relay?.stop()
    this.#finish()
  }

  async run(): Promise<Response> {
    try {
      const first = await this.#nextAnswer()
      if ('refusal' in first) return first.refusal
      if (this.#it.expects === 'stream') return this.#handedOut(first.response, this.#streamOf(first))
      if (this.#it.expects === 'message') return await this.#wholeAnswer(first)
      return first.response
    } finally {
      if (!this.#isLeft) this.#finish()
    }
  }

  #finish(): void {
    this.#callOffGivingUp()
    this.#stream = 'none'
    this.#answer?.watchdog.stop()
    this.#it.recorder.ended()
    this.#end()
  }

  /** Attempts until an answer begins, or the API refuses for good. */
  async #nextAnswer(): Promise<Answer | Refused> {
    const { expects, recorder, clock } = this.#it
    const limits =
      expects === 'stream' ? this.#it.limits : { ...this.#it.limits, firstEventMs: this.#it.limits.wholeAnswerMs }
    for (;;) {
      this.signal.throwIfAborted()
      const departure = await recorder.sending(this.signal)
      const watched = expects === 'anything' ? 'until headers' : 'whole'
      const outcome = await attempt(departure, { clock, limits, exchange: this.signal, watched })
      if (outcome.kind === 'fault') {
        const { fault, decision } = await recorder.faulted(outcome.wire, this.signal)
        if (decision.kind === 'fail' && outcome.refusal) return { refusal: outcome.refusal }
        if (decision.kind === 'fail' || decision.kind === 'suspend') {
          throw recorder.givenUp(fault, decision, outcome.wire.headers)
        }
        continue
      }
      if (this.signal.aborted) {
        outcome.watchdog.stop()
        void outcome.response.body?.cancel().catch(() => {})
        this.signal.throwIfAborted()
      }
      this.#answer = outcome
      if (expects === 'anything' || hasForm(expects, outcome.response)) return outcome
      // The body is read: it may be an answer after all, or help to find the proxy that sent it.
      const { message, wire } = await this.#readWhole(outcome)
      if (message) return { ...outcome, response: inForm(expects, outcome.response, message) }
      await this.#goOnOrThrow(wire)
    }
  }

  async #wholeAnswer(first: Answer): Promise<Response> {
    for (let answer = first; ;) {
      const { text, message, wire } = await this.#readWhole(answer)
      const shortfall = message && shortfallOf(message, this.#it.recorder)
      if (!message || shortfall) {
        const isKept = await this.#goOnOrThrow({ ...wire, ...(message && seenOf(message, shortfall)) })
        if (!isKept || !message) {
          if (message) this.delivered.spent.add(message)
          const again = await this.#nextAnswer()
          if ('refusal' in again) return again.refusal
          answer = again
          continue
        }
      }
      const requestId = answer.response.headers.get('request-id') ?? undefined
      const kept = usablePart(message)
      const { note } = this.#it.recorder
      await this.#it.recorder.answered({ message: kept, requestId, salvaged: false })
      const usage = this.delivered.spent.with(kept)
      const noted = withNote({ ...kept, ...(usage && { usage }) }, note)
      const isOwn = kept === message && noted.content === kept.content && !usage
      return this.#handedOut(answer.response, isOwn ? text : answerText(noted))
    }
  }

  #handedOut(response: Response, body: string | ReadableStream<Uint8Array>): Response {
    const handedOut = replaceBody(response, body)
    if (this.#it.expects !== 'anything') nameForm(this.#it.expects, handedOut)
    for (const [name, value] of Object.entries(this.#it.recorder.told)) handedOut.headers.set(name, value)
    return handedOut
  }

  /** Relays attempt after attempt into one stream, as fast as it is read. */
  #streamOf(first: Answer): ReadableStream<Uint8Array> {
    const { clock } = this.#it
    const encoder = new TextEncoder()
    this.#relay = this.#relayOf(first)
    let pulled: Promise<unknown> = Promise.resolve()
    this.#stream = 'unread'
    const why = `nobody began to read it within ${formatDuration(longestUnreadMs)}`
    this.#callOffGivingUp = clock.after(longestUnreadMs, () => this.abort(givenUpUnread(why)))
    first.watchdog.hold()
    return streamOf({
      next: async () => {
        this.#callOffGivingUp()
        this.#stream = 'awaited'
        try {
          this.signal.throwIfAborted()
          const piece = this.#nextPiece()
          pulled = piece.catch(() => {})
          const text = await piece
          // Whoever aborted meanwhile may not read on.
          this.signal.throwIfAborted()
          if (text !== undefined) {
            this.#stream = 'resting'
            return encoder.encode(text)
          }
          this.#finish()
          return undefined
        } catch (error) {
          this.#finish()
          throw error
        }
      },
      cancel: async (reason) => {
        this.#abort.abort(reason)
        // Nobody is left to learn how it ends, but what is under way has to end before the next request.
        await pulled
        await this.#relay?.stop()
        this.#finish()
      },
    })
  }

  /** The next piece for the caller, over all attempts; undefined at the end. */
  async #nextPiece(): Promise<string | undefined> {
    while (!this.#isTold) {
      const relay = (this.#relay ??= this.#relayOf(await this.#nextStream()))
      const said = await relay.next()
      if (typeof said === 'string') return said
      this.#isTold = said.kind === 'answered'
      const text = said.kind === 'answered' ? said.rest : await this.#leave(relay, said)
      if (text !== '') return text
    }
    return undefined
  }

  #relayOf(answer: Answer): Relay {
    const { recorder, clock, isStructured, wantsVerdicts } = this.#it
    const { delivered, signal } = this
    return new Relay(answer, { recorder, delivered, clock, signal, isStructured, wantsVerdicts })
  }

  /** The last text of a broken attempt: the end of the answer that is kept, or the end of the block that was open. */
  async #leave(relay: Relay, { wire, whole, isCut, text }: Broken): Promise<string> {
    const { recorder } = this.#it
    const isKept = await this.#goOnOrThrow(wire)
    if (isKept && whole) {
      const requestId = relay.answer.response.headers.get('request-id') ?? undefined
      await recorder.answered({ message: whole, requestId, salvaged: isCut })
      this.#isTold = true
      return relay.release(whole)
    }
    if (isKept) {
      recorder.kept(text)
      this.delivered.lastKept = text.at(-1)
    }
    this.#relay = undefined
    return relay.leave(isKept)
  }

  async #nextStream(): Promise<Answer> {
    const { recorder, clock } = this.#it
    const again = await this.#nextAnswer()
    if (!('refusal' in again)) return again
    // The caller has a 200 already, so a refusal can only end its stream.
    const fault = classify(refusalSeen(again.refusal, await again.refusal.text(), clock))
    throw recorder.givenUp(fault, { kind: 'fail', reason: fault.message ?? fault.kind }, again.refusal.headers)
  }

  /** Whether what is left of the broken attempt is kept. Throws when nothing is sent any more. */
  async #goOnOrThrow(wire: Wire): Promise<boolean> {
    this.signal.throwIfAborted()
    const { fault, decision } = await this.#it.recorder.faulted(wire, this.signal)
    if (decision.kind === 'fail' || decision.kind === 'suspend')
      throw this.#it.recorder.givenUp(fault, decision, wire.headers)
    return decision.kind === 'keep-and-continue'
  }

  /** The whole body: its text, the message in it, and what to judge it by when there is none. */
  async #readWhole({ response, watchdog }: Answer): Promise<{ text: string; message?: AssistantMessage; wire: Wire }> {
    const { clock } = this.#it
    const { status, headers } = response
    const seen = { phase: 'body', status, headers, contentType: contentTypeOf(headers), eventsSeen: 0 } as const
    try {
      const text = await orAborted(response.text(), watchdog.signal)
      const streamed = messageInEvents(text)
      const message = streamed ?? messageIn(text)
      return {
        text: streamed ? answerText(streamed) : text,
        ...(message && { message }),
        wire: { ...seen, body: text, sleptMs: watchdog.sleptMs, now: clock.now() },
      }
    } catch (error) {
      this.signal.throwIfAborted()
      return { text: '', wire: { ...seen, ...brokenBy(error, watchdog), now: clock.now() } }
    } finally {
      watchdog.stop()
    }
  }
}

/** With a line for the person before the words of the answer. */
function withNote(message: AssistantMessage, note: string | undefined): AssistantMessage {
  const at = message.content.findIndex((block) => !isThinking(block))
  if (note === undefined || at < 0) return message
  return { ...message, content: message.content.toSpliced(at, 0, { type: 'text', text: note }) }
}

/** What to judge an answer by that is complete but falls short. Its body is not an error's. */
function seenOf(message: AssistantMessage, shortfall: Shortfall | undefined): Partial<Wire> {
  return { answer: shortfall, tokens: costOf(message.usage), stopReasonSeen: true, body: undefined }
}
