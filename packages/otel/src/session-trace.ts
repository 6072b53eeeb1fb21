/**
 * The spans of one session.
 *
 * 1. There is no span of a model call here: the Anthropic SDK has one. Where lastgood runs the loop it is a child of
 *    `lastgood.turn`. In a loop of one's own there is no turn of ours: waits are children of the SDK's span, and events
 *    are on it. Where nobody has a span that records (a gateway), the turn has one again.
 * 2. A wait is a span from event to event, with the times of the journal.
 * 3. No content: names, numbers and kinds. What was thrown is named, and neither its message nor its stack is told.
 */
import type { Happening, RunWork, TurnOutcome, WatchedSession, Work } from '@lastgood/core'
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
import { agentName, conversationId, errorType, operationName, toolCallId, toolName } from './genai-names.ts'
import type { InterruptedSpan } from './interrupted-spans.ts'
import { fallbackAttributes, resumedAttributes, suspendedAttributes, waitAttributes } from './span-attributes.ts'

interface Opened {
  readonly span: Span
  readonly context: Context
}

interface Resumed {
  readonly attributes: Attributes
  readonly at: number
}

export interface SessionTraceOptions {
  session: WatchedSession
  tracer: Tracer
  kept: InterruptedSpan
  /** The span of the turn that another process left open. */
  interrupted: SpanContext | undefined
}

export class SessionTrace {
  readonly #session: WatchedSession
  readonly #tracer: Tracer
  readonly #kept: InterruptedSpan
  #run: Opened | undefined
  #turn: Opened | undefined
  /** The SDK's, or whatever else records, where the turn is not ours. */
  #theirs: Span | undefined
  #wait: Span | undefined
  /** What the next span is linked to, and what it is told. */
  #interrupted: SpanContext | undefined
  #resumed: Resumed | undefined
  #turnFacts: Attributes = {}
  /** The span of this part of the turn is known to whoever goes on with it. */
  #isKept = false

  constructor({ session, tracer, kept, interrupted }: SessionTraceOptions) {
    this.#session = session
    this.#tracer = tracer
    this.#kept = kept
    this.#interrupted = interrupted
    session.signal.addEventListener('abort', () => this.#endTurn(session.clock.now(), 'interrupted'), { once: true })
  }

  readonly run: RunWork = (work, run) => {
    switch (work.kind) {
      case 'run':
        return this.#runAgent(work.agent, run)
      case 'request':
        return context.with(this.#place(), run)
      case 'tool':
        return this.#runTool(work, run)
    }
  }

  take(happening: Happening): void {
    const { at } = happening
    switch (happening.kind) {
      case 'resumed':
        this.#resumed = { at, attributes: resumedAttributes(happening) }
        return
      case 'turn-started':
        this.#endTurn(at, 'interrupted')
        this.#interrupted = undefined
        this.#resumed = undefined
        this.#find(at)
        return
      case 'attempt':
        this.#find(at)
        return
      case 'waiting':
        this.#wait = this.#tracer.startSpan(
          'lastgood.wait',
          { startTime: new Date(at), attributes: waitAttributes(happening) },
          this.#turn?.context ?? (this.#theirs ? trace.setSpan(context.active(), this.#theirs) : context.active()),
        )
        return
      case 'waited':
        this.#wait?.end(new Date(at))
        this.#wait = undefined
        return
      case 'fallback':
        this.#tell('lastgood.fallback', at, fallbackAttributes(happening))
        return
      case 'suspended':
        this.#tell('lastgood.suspended', at, suspendedAttributes(happening))
        this.#endTurn(at, 'suspended', happening.reason)
        return
      case 'failed':
        this.#endTurn(at, 'failed', happening.reason)
        return
      case 'turn-ended':
        this.#tell('lastgood.checkpoint', at, {
          'lastgood.turn.index': happening.turn,
          'lastgood.store': this.#session.store.location.replace(/:.*/s, ''),
        })
        this.#endTurn(at, happening.outcome)
        this.#kept.forget()
        return
      case 'in-doubt':
        if (happening.did === 'rerun' || happening.did === 'verified-not-done') return
        this.#startTool(happening.tool, happening.toolUseId, 'journal', {
          'lastgood.tool.in_doubt': happening.did,
        }).end(new Date(at))
        return
      case 'attempt-failed':
      case 'answered':
      case 'recovered':
      case 'repaired':
      case 'rewound':
        return
    }
  }

  /** What the turn's span says at its end. */
  know(facts: Attributes): void {
    this.#turnFacts = facts
  }

  async #runAgent<Result>(agent: string, run: () => Promise<Result>): Promise<Result> {
    const { clock } = this.#session
    const span = this.#tracer.startSpan(`invoke_agent ${agent}`, {
      startTime: new Date(clock.now()),
      attributes: { ...this.#common(), [operationName]: 'invoke_agent', [agentName]: agent },
    })
    const mine: Opened = { span, context: trace.setSpan(context.active(), span) }
    this.#run = mine
    try {
      return await context.with(mine.context, run)
    } catch (error) {
      failed(span, error)
      throw error
    } finally {
      const now = clock.now()
      this.#endTurn(now, 'interrupted')
      this.#run = undefined
      span.end(new Date(now))
    }
  }

  async #runTool<Result>(work: Work & { kind: 'tool' }, run: () => Promise<Result>): Promise<Result> {
    const span = this.#startTool(work.name, work.toolUseId, work.again ? 'reasked' : 'executed')
    try {
      const result = await context.with(trace.setSpan(context.active(), span), run)
      const isError = typeof result === 'object' && result !== null && 'is_error' in result && result.is_error === true
      if (isError) span.setAttribute(errorType, 'tool_error').setStatus({ code: SpanStatusCode.ERROR })
      return result
    } catch (error) {
      failed(span, error)
      throw error
    } finally {
      span.end(new Date(this.#session.clock.now()))
    }
  }

  #startTool(name: string, toolUseId: string, source: 'executed' | 'journal' | 'reasked', more: Attributes = {}): Span {
    const attributes = {
      [operationName]: 'execute_tool',
      [toolName]: name,
      [toolCallId]: toolUseId,
      'lastgood.tool.source': source,
      ...more,
    }
    const startTime = new Date(this.#session.clock.now())
    return this.#tracer.startSpan(`execute_tool ${name}`, { startTime, attributes }, this.#place())
  }

  /** Whose child the next span is. */
  #place(): Context {
    this.#find(this.#session.clock.now())
    return this.#turn?.context ?? context.active()
  }

  /** The turn's span, or that of somebody else which stands for it here. */
  #find(at: number): void {
    const active = trace.getActiveSpan()
    if (!this.#turn && !this.#run && active?.isRecording() === true) this.#theirs = active
    else if (!this.#turn && this.#session.hasOpenTurn) this.#startTurn(at)
    else if (this.#turn && active && !this.#run) this.#linkTo(active.spanContext())
    const span = this.#turn?.span ?? this.#theirs
    if (!span || !this.#session.hasOpenTurn) return
    if (this.#interrupted && !this.#turn) span.addLink({ context: this.#interrupted })
    this.#interrupted = undefined
    if (this.#resumed) span.addEvent('lastgood.resumed', this.#resumed.attributes, new Date(this.#resumed.at))
    this.#resumed = undefined
    if (!this.#isKept) this.#kept.keep(this.#session.turn, span.spanContext())
    this.#isKept = true
  }

  #startTurn(at: number): void {
    this.#theirs = undefined
    this.#turnFacts = {}
    const parent = this.#run?.context ?? context.active()
    const span = this.#tracer.startSpan(
      'lastgood.turn',
      {
        startTime: new Date(at),
        attributes: { ...this.#common(), 'lastgood.turn.index': this.#session.turn },
        links: this.#interrupted ? [{ context: this.#interrupted }] : [],
      },
      parent,
    )
    this.#turn = { span, context: trace.setSpan(parent, span) }
  }

  /** A turn that goes on in another request of a traced client belongs to that one too. */
  #linkTo(other: SpanContext): void {
    const mine = this.#turn?.span.spanContext()
    if (other.isRemote === true && isSpanContextValid(other) && other.traceId !== mine?.traceId) {
      this.#turn?.span.addLink({ context: other })
    }
  }

  #endTurn(at: number, outcome: TurnOutcome, reason?: string): void {
    const end = new Date(at)
    this.#wait?.end(end)
    this.#wait = undefined
    const span = this.#turn?.span ?? this.#theirs
    const isOver = outcome.startsWith('ok')
    this.#isKept = false
    if (span && !isOver) this.#interrupted = span.spanContext()
    this.#theirs = undefined
    const mine = this.#turn?.span
    this.#turn = undefined
    if (!mine) return
    mine.setAttributes({ ...this.#turnFacts, 'lastgood.turn.outcome': outcome })
    if (reason !== undefined) mine.setAttribute(errorType, reason)
    if (outcome === 'suspended' || outcome === 'failed') mine.setStatus({ code: SpanStatusCode.ERROR })
    mine.end(end)
  }

  #tell(name: string, at: number, attributes: Attributes): void {
    // Who reads a stream does so in a context of his own: the call's span, while it lasts.
    const theirs = this.#theirs?.isRecording() === true ? this.#theirs : trace.getActiveSpan()
    const span = this.#turn?.span ?? theirs
    span?.addEvent(name, attributes, new Date(at))
  }

  #common(): Attributes {
    return { [conversationId]: this.#session.id, 'lastgood.telemetry.version': 1 }
  }
}

/** Its code or its class. */
function failed(span: Span, error: unknown): void {
  const { code, name } = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>
  const isWord = (text: unknown): text is string => typeof text === 'string' && /^[\w.-]{1,64}$/.test(text)
  span.setAttribute(errorType, [code, name].find(isWord) ?? '_OTHER').setStatus({ code: SpanStatusCode.ERROR })
}
