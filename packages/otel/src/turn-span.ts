/**
 * The span that stands for a session's turn here: the parent of waits, and the span that gets the events.
 *
 * 1. It is ours where lastgood runs the loop, and where no recording span is active (a gateway). In the caller's own
 *    loop it is the span of the sender of the request: the Anthropic SDK's.
 * 2. A turn that goes on is linked to the span of its earlier part, in this process or in another one.
 */
import type { TurnOutcome, WatchedSession } from '@lastgood/core'
import {
  context,
  isSpanContextValid,
  trace,
  SpanStatusCode,
  type Attributes,
  type Context,
  type Span,
  type SpanContext,
  type Tracer,
} from '@opentelemetry/api'
import { conversationId, errorType } from './genai-names.ts'
import type { InterruptedSpan } from './interrupted-spans.ts'

export interface TurnSpanOptions {
  session: WatchedSession
  tracer: Tracer
  kept: InterruptedSpan
  /** The span of the turn that another process left open. */
  interrupted: SpanContext | undefined
}

export class TurnSpan {
  /** The context of the current run; the spans of its turns are children of it. */
  run: Context | undefined
  /** The attributes that the span gets at its end. */
  facts: Attributes = {}
  readonly #session: WatchedSession
  readonly #tracer: Tracer
  readonly #kept: InterruptedSpan
  #ours: { readonly span: Span; readonly context: Context } | undefined
  #theirs: Span | undefined
  #wait: Span | undefined
  /** What the next span is linked to, and the event that it gets. */
  #interrupted: SpanContext | undefined
  #resumed: { readonly attributes: Attributes; readonly at: number } | undefined
  /** Whether the span of this part of the turn is kept for the process that goes on with it. */
  #isKept = false
  /** The last span of another trace that the turn is linked to. */
  #linkedTo: string | undefined

  constructor({ session, tracer, kept, interrupted }: TurnSpanOptions) {
    this.#session = session
    this.#tracer = tracer
    this.#kept = kept
    this.#interrupted = interrupted
  }

  /** Another turn begins: it has no part in what came before. */
  begin(at: number): void {
    this.end(at, 'interrupted')
    this.#interrupted = undefined
    this.#resumed = undefined
    this.find(at)
  }

  /** Becomes an event of the span that goes on. */
  resumed(at: number, attributes: Attributes): void {
    this.#resumed = { at, attributes }
  }

  /** Finds or makes the span, if a turn is open. */
  find(at: number): void {
    const active = trace.getActiveSpan()
    if (!this.#ours && !this.run && active?.isRecording() === true) this.#theirs = active
    else if (!this.#ours && this.#session.hasOpenTurn) this.#start(at)
    else if (this.#ours && active && !this.run) this.#linkTo(active.spanContext())
    const span = this.#ours?.span ?? this.#theirs
    if (!span || !this.#session.hasOpenTurn) return
    if (this.#interrupted && !this.#ours) span.addLink({ context: this.#interrupted })
    this.#interrupted = undefined
    if (this.#resumed) span.addEvent('lastgood.resumed', this.#resumed.attributes, new Date(this.#resumed.at))
    this.#resumed = undefined
    if (!this.#isKept) this.#kept.keep(this.#session.turn, span.spanContext())
    this.#isKept = true
  }

  /** The context that the next span of the turn belongs in. */
  place(): Context {
    this.find(this.#session.clock.now())
    return this.#ours?.context ?? context.active()
  }

  startWaiting(at: number, attributes: Attributes): void {
    const theirs = this.#theirs ? trace.setSpan(context.active(), this.#theirs) : context.active()
    const options = { startTime: new Date(at), attributes }
    this.#wait = this.#tracer.startSpan('lastgood.wait', options, this.#ours?.context ?? theirs)
  }

  stopWaiting(at: number): void {
    this.#wait?.end(new Date(at))
    this.#wait = undefined
  }

  tell(name: string, at: number, attributes: Attributes): void {
    // A stream is read in the reader's own context, so the call's span is used while it lasts.
    const theirs = this.#theirs?.isRecording() === true ? this.#theirs : trace.getActiveSpan()
    const span = this.#ours?.span ?? theirs
    span?.addEvent(name, attributes, new Date(at))
  }

  end(at: number, outcome: TurnOutcome, reason?: string): void {
    this.stopWaiting(at)
    const span = this.#ours?.span ?? this.#theirs
    if (outcome.startsWith('ok')) this.#kept.forget()
    else if (span) this.#interrupted = span.spanContext()
    const ours = this.#ours?.span
    this.#ours = undefined
    this.#theirs = undefined
    this.#isKept = false
    if (!ours) return
    ours.setAttributes({ ...this.facts, 'lastgood.turn.outcome': outcome })
    if (reason !== undefined) ours.setAttribute(errorType, reason)
    if (outcome === 'suspended' || outcome === 'failed') ours.setStatus({ code: SpanStatusCode.ERROR })
    ours.end(new Date(at))
  }

  #start(at: number): void {
    this.#theirs = undefined
    const parent = this.run ?? context.active()
    const attributes = {
      [conversationId]: this.#session.id,
      'lastgood.turn.index': this.#session.turn,
      'lastgood.telemetry.version': 1,
    }
    const links = this.#interrupted ? [{ context: this.#interrupted }] : []
    const span = this.#tracer.startSpan('lastgood.turn', { startTime: new Date(at), attributes, links }, parent)
    this.#ours = { span, context: trace.setSpan(parent, span) }
  }

  /** A turn that goes on in another request of a traced client belongs to that one too. */
  #linkTo(other: SpanContext): void {
    const ours = this.#ours?.span.spanContext()
    if (other.isRemote !== true || !isSpanContextValid(other) || other.traceId === ours?.traceId) return
    // Link once, however many attempts there are.
    if (other.spanId !== this.#linkedTo) this.#ours?.span.addLink({ context: other })
    this.#linkedTo = other.spanId
  }
}
