/**
 * The spans of one session.
 *
 * 1. There is no span of a model call here: the Anthropic SDK has one; `turn-span.ts` says how the two relate.
 * 2. A wait is a span from event to event, with the times of the journal.
 * 3. No content: names, numbers and kinds. An error is named, but neither its message nor its stack is recorded.
 */
import type { Happening, RunWork, WatchedSession, Work } from '@lastgood/core'
import { context, trace, SpanStatusCode, type Attributes, type Span, type Tracer } from '@opentelemetry/api'
import { agentName, conversationId, errorType, operationName, toolCallId, toolName } from './genai-names.ts'
import { fallbackAttributes, resumedAttributes, suspendedAttributes, waitAttributes } from './span-attributes.ts'
import { TurnSpan, type TurnSpanOptions } from './turn-span.ts'

export class SessionTrace {
  readonly #session: WatchedSession
  readonly #tracer: Tracer
  readonly #turn: TurnSpan

  constructor(options: TurnSpanOptions) {
    this.#session = options.session
    this.#tracer = options.tracer
    this.#turn = new TurnSpan(options)
    const cutOff = () => harmless(() => this.#turn.end(this.#now, 'interrupted'))
    this.#session.signal.addEventListener('abort', cutOff, { once: true })
  }

  readonly run: RunWork = (work, run) => {
    switch (work.kind) {
      case 'run':
        return this.#runAgent(work.agent, run)
      case 'request':
        return context.with(this.#turn.place(), run)
      case 'tool':
        return this.#runTool(work, run)
    }
  }

  /** `facts` are the attributes that the turn's span gets at its end. */
  take(happening: Happening, facts: Attributes): void {
    const { at } = happening
    this.#turn.facts = facts
    switch (happening.kind) {
      case 'resumed':
        this.#turn.resumed(at, resumedAttributes(happening))
        return
      case 'turn-started':
        this.#turn.begin(at)
        return
      case 'attempt':
        this.#turn.find(at)
        return
      case 'waiting':
        this.#turn.startWaiting(at, waitAttributes(happening))
        return
      case 'waited':
        this.#turn.stopWaiting(at)
        return
      case 'fallback':
        this.#turn.tell('lastgood.fallback', at, fallbackAttributes(happening))
        return
      case 'suspended':
        this.#turn.tell('lastgood.suspended', at, suspendedAttributes(happening))
        this.#turn.end(at, 'suspended', happening.reason)
        return
      case 'failed':
        this.#turn.end(at, 'failed', happening.reason)
        return
      case 'turn-ended':
        this.#turn.tell('lastgood.checkpoint', at, {
          'lastgood.turn.index': happening.turn,
          'lastgood.store': this.#session.store.location.replace(/:.*/s, ''),
        })
        this.#turn.end(at, happening.outcome)
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
      case 'backfilled':
      case 'step-in-doubt':
        return
    }
  }

  async #runAgent<Result>(agent: string, run: () => Promise<Result>): Promise<Result> {
    const span = this.#tracer.startSpan(`invoke_agent ${agent}`, {
      startTime: new Date(this.#now),
      attributes: {
        [operationName]: 'invoke_agent',
        [agentName]: agent,
        [conversationId]: this.#session.id,
        'lastgood.telemetry.version': 1,
      },
    })
    const mine = trace.setSpan(context.active(), span)
    this.#turn.run = mine
    try {
      return await context.with(mine, run)
    } catch (error) {
      failed(span, error)
      throw error
    } finally {
      const now = this.#now
      this.#turn.end(now, 'interrupted')
      this.#turn.run = undefined
      span.end(new Date(now))
    }
  }

  async #runTool<Result>(work: Work & { kind: 'tool' }, run: () => Promise<Result>): Promise<Result> {
    const { signal } = this.#session
    const span = this.#startTool(work.name, work.toolUseId, work.again ? 'reasked' : 'executed')
    const end = (error?: string) => {
      if (!span.isRecording()) return
      if (error !== undefined) span.setAttribute(errorType, error).setStatus({ code: SpanStatusCode.ERROR })
      span.end(new Date(this.#now))
    }
    // A tool that ignores the end of its session may never return.
    const cutOff = () => harmless(() => end('interrupted'))
    signal.addEventListener('abort', cutOff, { once: true })
    try {
      const result = await context.with(trace.setSpan(context.active(), span), run)
      const isError = typeof result === 'object' && result !== null && 'is_error' in result && result.is_error === true
      end(isError ? 'tool_error' : undefined)
      return result
    } catch (error) {
      end(nameOf(error))
      throw error
    } finally {
      signal.removeEventListener('abort', cutOff)
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
    const options = { startTime: new Date(this.#now), attributes }
    return this.#tracer.startSpan(`execute_tool ${name}`, options, this.#turn.place())
  }

  get #now(): number {
    return this.#session.clock.now()
  }
}

/** For listeners of a signal: an error thrown in one would end the process. */
function harmless(job: () => void): void {
  try {
    job()
  } catch (error) {
    process.emitWarning(`a span could not be ended: ${nameOf(error)}`, { code: 'LASTGOOD_WATCHER' })
  }
}

function failed(span: Span, error: unknown): void {
  span.setAttribute(errorType, nameOf(error)).setStatus({ code: SpanStatusCode.ERROR })
}

/** The error's code or class. */
function nameOf(error: unknown): string {
  const { code, name } = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>
  const isWord = (text: unknown): text is string => typeof text === 'string' && /^[\w.-]{1,64}$/.test(text)
  return [code, name].find(isWord) ?? '_OTHER'
}
