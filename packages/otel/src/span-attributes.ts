/** The attributes of spans and events for a happening. Pure; names, numbers and kinds, never content. */
import type { Happening, TurnTally } from '@lastgood/core'
import type { Attributes } from '@opentelemetry/api'
import { errorType, httpStatus } from './genai-names.ts'

type Of<Kind extends Happening['kind']> = Extract<Happening, { kind: Kind }>

export function waitAttributes({
  at,
  until,
  reason,
  attempt,
  fault,
  status,
  errorType: type,
}: Of<'waiting'>): Attributes {
  return {
    'lastgood.wait.reason': reason,
    'lastgood.wait.planned_s': Math.max(0, until - at) / 1_000,
    'lastgood.attempt': attempt,
    ...(fault !== undefined && { 'lastgood.fault': fault, [errorType]: type ?? fault }),
    ...(status !== undefined && { [httpStatus]: status }),
  }
}

export function fallbackAttributes({ from, to, rung, reason }: Of<'fallback'>): Attributes {
  return {
    'lastgood.fallback.from': from,
    'lastgood.fallback.to': to,
    'lastgood.fallback.rung': rung,
    ...(reason !== undefined && { 'lastgood.fallback.reason': reason }),
  }
}

export function resumedAttributes({ turn, downtimeMs, isRefolded }: Of<'resumed'>): Attributes {
  return {
    'lastgood.resumed.turn': turn,
    ...(downtimeMs !== undefined && { 'lastgood.resumed.downtime_s': downtimeMs / 1_000 }),
    'lastgood.resumed.refolded': isRefolded,
  }
}

export function suspendedAttributes({ reason, attempts, retryAt }: Of<'suspended'>): Attributes {
  return {
    'lastgood.suspended.reason': reason,
    'lastgood.attempts': attempts,
    ...(retryAt !== undefined && { 'lastgood.suspended.retry_at': new Date(retryAt).toISOString() }),
  }
}

export function turnAttributes({ attempts, requested, served }: TurnTally): Attributes {
  return {
    'lastgood.attempts': attempts,
    ...(requested !== undefined && { 'lastgood.model.requested': requested }),
    ...(served !== undefined && { 'lastgood.model.served': served }),
  }
}
