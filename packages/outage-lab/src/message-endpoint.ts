/**
 * Answers POST /v1/messages: the outage first, then the transcript's own faults, then the model.
 * 1. A fault that happens in front of the API (status, reset, page) hides what is wrong with the transcript; one that
 *    happens to an answer needs a transcript good enough to be answered.
 * 2. The cache is written when the response begins, the thread when all of it was handed over.
 */
import type { OutgoingHttpHeaders } from 'node:http'
import { errorBody, invalid, statusOfType, usualError, type ApiError } from './api-error.ts'
import type { Block } from './conversation.ts'
import { deliver, stall } from './delivery.ts'
import { errorPage, htmlPage, statusPage, type Page } from './error-page.ts'
import type { Exchange } from './exchange.ts'
import { framesOf, type Frame } from './frames.ts'
import { isObject, stringOf } from './json.ts'
import { pickOutage, type Fault, type Outage } from './outage.ts'
import type { Judgement } from './check.ts'
import type { OpenRecord, ServedMessage } from './record.ts'
import { reply, type Reply } from './reply.ts'
import { makeMessage } from './served-message.ts'
import type { LabState } from './state.ts'
import { StoryError } from './story.ts'
import type { Transcript } from './transcript.ts'

export interface MessageCall {
  readonly record: OpenRecord
  readonly headers: OutgoingHttpHeaders
  readonly prepared: Judgement | undefined
  readonly problem: ApiError | undefined
  readonly reject: (error: ApiError) => Promise<void>
}

export async function answerMessage(state: LabState, exchange: Exchange, call: MessageCall): Promise<void> {
  const { record, headers, prepared, problem } = call
  const { options } = state
  const asked = isObject(record.body) ? record.body : {}
  const streaming = asked['stream'] === true
  const occasion = {
    n: record.n,
    sinceStartMs: record.at - state.startedAt,
    model: stringOf(asked['model']),
    raw: record.raw,
    seed: options.seed,
  }
  const outage = pickOutage(state.outages, occasion)
  if (outage && (await breakBefore(exchange, outage, { record, headers, streaming }))) return
  if (problem || !prepared) return call.reject(problem ?? invalid('Invalid request'))

  const { transcript } = prepared
  const said = ask(state, transcript)
  if ('status' in said) {
    record.violation = said
    return call.reject(said)
  }
  const measurement = state.cache.measure(transcript.conversation)
  const message = makeMessage(said, transcript, {
    seed: options.seed,
    n: record.n,
    toolIds: options.toolIds,
    measurement,
  })
  const fault = outage?.fault
  if (fault?.kind === 'error-event' && !streaming)
    return answerPage(exchange, record, outage, errorPage({ ...fault, status: statusOfType(fault.type) }, headers))
  record.outcome = { kind: 'ok', status: 200, message, usage: message.usage }
  if (fault) record.outcome = { ...record.outcome, ...faultOutcome(outage) }
  exchange.begin(200, {
    ...headers,
    'content-type': streaming ? 'text/event-stream; charset=utf-8' : 'application/json',
    'cache-control': 'no-cache',
  })
  state.cache.commit(measurement)
  if (message.stop_reason === 'pause_turn') state.rememberPause([...endingOf(transcript), ...message.content])
  if (fault?.kind === 'reset') return exchange.reset()
  if (fault?.kind === 'delay' && fault.headers) await exchange.wait(fault.ms)

  const frames = streaming ? framesOf(message) : jsonFrames(message)
  const { completed, hit } = await deliver(exchange, {
    frames,
    streaming,
    fault,
    chunkDelayMs: options.chunkDelayMs,
    requestId: record.requestId,
  })
  // A point that this answer does not have, or one at its very end, harmed nobody.
  if (fault && !hit && fault.kind !== 'delay' && fault.kind !== 'stall')
    record.outcome = { kind: 'ok', status: 200, message, usage: message.usage }
  record.completed = completed
  if (completed) state.threads.store(transcript.request, message)
}

interface Breaking {
  readonly record: OpenRecord
  readonly headers: OutgoingHttpHeaders
  readonly streaming: boolean
}

/** True if the fault has answered, or never will. */
async function breakBefore(
  exchange: Exchange,
  outage: Outage,
  { record, headers, streaming }: Breaking,
): Promise<boolean> {
  const { fault } = outage
  const page = pageOf(fault, headers)
  if (page) {
    await answerPage(exchange, record, outage, page)
    return true
  }
  if (fault.kind === 'reset' && fault.at === 'before-headers') {
    record.outcome = faultOutcome(outage)
    await exchange.reset()
    return true
  }
  const waits =
    (fault.kind === 'stall' && fault.after === 'before-headers') || (fault.kind === 'delay' && !fault.headers)
  if (waits) {
    record.outcome = faultOutcome(outage)
    await (fault.kind === 'delay' ? exchange.wait(fault.ms) : stall(exchange, fault, streaming))
  }
  return exchange.gone
}

function pageOf(fault: Fault, headers: OutgoingHttpHeaders): Page | undefined {
  if (fault.kind === 'status') return statusPage(fault, headers)
  if (fault.kind === 'html') return htmlPage(fault.status ?? 200)
  if (fault.kind === 'empty')
    return { status: 200, headers: { ...headers, 'content-type': 'text/event-stream; charset=utf-8' }, body: '' }
  if (fault.kind !== 'json-error') return undefined
  const usual = usualError(500)
  const { type = usual.type, message = usual.message } = fault
  return {
    status: 200,
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(errorBody({ type, message }, stringOf(headers['request-id']))),
  }
}

async function answerPage(
  exchange: Exchange,
  record: OpenRecord,
  outage: Outage | undefined,
  page: Page,
): Promise<void> {
  record.outcome = { ...(outage ? faultOutcome(outage) : { kind: 'fault' }), status: page.status }
  await exchange.answer(page.status, page.headers, page.body)
}

function faultOutcome({ fault, name }: Outage): { kind: 'fault'; fault: Fault; outage?: string } {
  return { kind: 'fault', fault, ...(name !== undefined && { outage: name }) }
}

/** The model's reply, or the error that says why there is none. */
function ask({ options }: LabState, { conversation }: Transcript): Reply | ApiError {
  // A request for no tokens warms the cache and says nothing.
  if (conversation.request['max_tokens'] === 0) return reply([], { stopReason: 'max_tokens' })
  try {
    return options.model(conversation)
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause)
    return invalid(cause instanceof StoryError ? text : `the model function threw: ${text}`, {
      rule: cause instanceof StoryError ? 'story' : 'model-function',
    })
  }
}

/** What the assistant's unfinished turn has already said. */
function endingOf({ turns }: Transcript): readonly Block[] {
  const last = turns.at(-1)
  return last?.role === 'assistant' ? last.blocks.map(({ block }) => block) : []
}

/** A JSON answer in one piece. */
function jsonFrames(message: ServedMessage): readonly Frame[] {
  return [{ event: 'json', bytes: Buffer.from(JSON.stringify(message)) }]
}
