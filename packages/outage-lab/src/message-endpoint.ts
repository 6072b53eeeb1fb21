/**
 * Answers POST /v1/messages: the outage first, then the transcript's own faults, then the model.
 * 1. A fault that happens in front of the API (status, reset, page) hides what is wrong with the transcript; one that
 *    happens to an answer needs a transcript good enough to be answered.
 * 2. The cache is written when the response begins, the thread when the whole response was handed over.
 */
import type { OutgoingHttpHeaders } from 'node:http'
import { invalid, statusOfType, type ApiError } from './api-error.ts'
import { answerPage, breakBefore, faultOutcome } from './break-before.ts'
import type { Judgement } from './check.ts'
import type { Block } from './conversation.ts'
import { deliver } from './delivery.ts'
import { errorPage } from './error-page.ts'
import type { Exchange } from './exchange.ts'
import { framesOf, type Frame } from './frames.ts'
import { isObject, stringOf } from './json.ts'
import { limitReply, type LimitedReply } from './limit-reply.ts'
import type { Fault } from './outage.ts'
import type { OpenRecord, ServedMessage } from './record.ts'
import { reply } from './reply.ts'
import { asksToCompact } from './rules/compaction-checks.ts'
import { makeMessage } from './served-message.ts'
import type { LabState } from './state.ts'
import { StoryError } from './story.ts'
import type { Transcript } from './transcript.ts'

/** Faults that leave the answer whole. */
const WHOLE: ReadonlySet<string> = new Set(['delay', 'stall', 'ended'])

export interface MessageCall {
  readonly record: OpenRecord
  readonly headers: OutgoingHttpHeaders
  readonly prepared: Judgement | ApiError
  readonly reject: (error: ApiError) => Promise<void>
}

export async function answerMessage(state: LabState, exchange: Exchange, call: MessageCall): Promise<void> {
  const { record, headers, prepared } = call
  const { options } = state
  const asked = isObject(record.body) ? record.body : {}
  const streaming = asked['stream'] === true
  const model = stringOf(asked['model'])
  const outage = state.outageFor({ endpoint: 'messages', n: record.n, model, raw: record.raw })
  if (outage && (await breakBefore(exchange, outage, { model, record, headers, streaming }))) return
  if ('status' in prepared) return call.reject(prepared)
  if (prepared.violation) return call.reject(prepared.violation)

  const { transcript } = prepared
  const fault = outage?.fault
  const said = ask(state, transcript, fault)
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
    container: state.objects.containerFor(transcript.request, record.n),
  })
  if (fault?.kind === 'error-event' && !streaming)
    return answerPage(exchange, record, outage, errorPage({ ...fault, status: statusOfType(fault.type) }, headers))
  record.outcome = { kind: 'ok', status: 200, message, usage: message.usage }
  if (outage) record.outcome = { ...record.outcome, ...faultOutcome(outage) }
  exchange.begin(200, {
    ...headers,
    'content-type': streaming ? 'text/event-stream; charset=utf-8' : 'application/json',
    'cache-control': 'no-cache',
  })
  state.cache.commit(measurement)
  if (message.stop_reason === 'pause_turn') state.rememberPause([...endingOf(transcript), ...message.content])
  if (fault?.kind === 'reset') return exchange.reset()
  if (fault?.kind === 'delay' && fault.headers) await exchange.wait(fault.ms)

  const frames = streaming ? framesOf(message, said.partialInput) : jsonFrames(message)
  const { completed, hit } = await deliver(exchange, {
    frames,
    streaming,
    fault,
    chunkDelayMs: options.chunkDelayMs,
    chunking: options.chunking,
    requestId: record.requestId,
  })
  // If this answer has no such point, or has it at its very end, no harm was done.
  if (fault && !hit && !WHOLE.has(fault.kind))
    record.outcome = { kind: 'ok', status: 200, message, usage: message.usage }
  record.completed = completed
  if (completed) state.threads.store(transcript.request, message)
}

/** The model's reply as far as its limits and the fault allow, or the error that says why there is none. */
function ask({ options }: LabState, transcript: Transcript, fault: Fault | undefined): LimitedReply | ApiError {
  const { conversation, request, card, tokens } = transcript
  if (asksToCompact(request)) {
    const content = `A summary of ${conversation.messages.length} messages.`
    return reply({ type: 'compaction', content }, { stopReason: 'compaction' })
  }
  const maxTokens = Number(request['max_tokens'])
  // A request for no tokens warms the cache and says nothing.
  if (maxTokens === 0) return reply([], { stopReason: 'max_tokens' })
  try {
    const { blocks, stopReason } = options.model(conversation)
    if (fault?.kind === 'ended') return { blocks: blocks.slice(0, fault.blocks), stopReason: fault.stopReason }
    return limitReply({ blocks, stopReason }, { maxTokens, windowTokens: card.maxInputTokens - tokens })
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
