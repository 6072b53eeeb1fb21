/**
 * Faults that happen in front of the API: the request is not looked at.
 */
import type { OutgoingHttpHeaders } from 'node:http'
import { errorBody, modelMissing, usualError } from './api-error.ts'
import { stall } from './delivery.ts'
import { errorPage, faultPage, htmlPage, type Page } from './error-page.ts'
import type { Exchange } from './exchange.ts'
import { stringOf } from './json.ts'
import type { Fault, Happening } from './outage.ts'
import type { OpenRecord } from './record.ts'

export interface Breaking {
  /** The model that was asked for. */
  readonly model: string
  readonly record: OpenRecord
  readonly headers: OutgoingHttpHeaders
  readonly streaming: boolean
}

/** True if the fault has taken the request: it has answered, or never will. */
export async function breakBefore(
  exchange: Exchange,
  outage: Happening,
  { model, record, headers, streaming }: Breaking,
): Promise<boolean> {
  const { fault } = outage
  const page = fault.kind === 'withdrawn' ? errorPage(modelMissing(model), headers) : pageOf(fault, headers)
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
  if (fault.kind === 'status') return faultPage(fault, headers)
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

export async function answerPage(
  exchange: Exchange,
  record: OpenRecord,
  outage: Happening | undefined,
  page: Page,
): Promise<void> {
  record.outcome = { ...(outage ? faultOutcome(outage) : { kind: 'fault' }), status: page.status }
  await exchange.answer(page.status, page.headers, page.body)
}

export function faultOutcome({ fault, name }: Happening): { kind: 'fault'; fault: Fault; outage?: string } {
  return { kind: 'fault', fault, ...(name !== undefined && { outage: name }) }
}
