/**
 * Says of the entries that a journal has most of that they are sound: a long session is opened by reading all of it. See
 * `surely.ts`. Pure.
 */
import { isRecord } from '../json.ts'
import { isInstant } from './instant.ts'
import {
  areBlocks,
  areMessages,
  areTexts,
  isBlock,
  hasJust,
  isOneOf,
  isOwner,
  isText,
  isTrue,
  isWhole,
  isWholeFrom,
  type Check,
  type Fields,
} from './surely.ts'

const isAnswer = (value: unknown): boolean =>
  isRecord(value) &&
  value['role'] === 'assistant' &&
  isText(value['id']) &&
  isText(value['model']) &&
  (value['stop_reason'] === null || isText(value['stop_reason'])) &&
  (value['usage'] === undefined || isRecord(value['usage'])) &&
  areBlocks(value['content'])
const isEnvelope: Check = (value) =>
  isRecord(value) &&
  hasJust(value, {
    body: [(body) => isRecord(body) && isText(body['model'])],
    apiVersion: [isText, true],
    betas: [areTexts],
  })

const kinds: ReadonlyMap<unknown, Fields> = new Map<string, Fields>([
  ['session-opened', { owner: [isOwner], cwd: [isText, true], writer: [isText] }],
  ['session-resumed', { owner: [isOwner], refolded: [isTrue, true] }],
  [
    'session-suspended',
    { reason: [isOneOf('interrupted', 'needs-input', 'exhausted')], detail: [isText], retryAt: [isInstant, true] },
  ],
  ['envelope-changed', { envelope: [isEnvelope] }],
  ['request-held', { until: [isInstant], reason: [isText] }],
  ['rung-changed', { rung: [isWholeFrom(0)], model: [isText], reason: [isText] }],
  ['turn-started', { turn: [isWhole], agent: [isText, true], messages: [areMessages] }],
  ['turn-continued', { messages: [areMessages] }],
  ['request-sent', { model: [isText], attempt: [isWhole] }],
  ['response-received', { message: [isAnswer], requestId: [isText, true] }],
  ['tool-started', { toolUseId: [isText], name: [isText], inDoubt: [isOneOf('rerun', 'report', 'ask')] }],
  ['tool-finished', { toolUseId: [isText], result: [isBlock], outcome: [isOneOf('ran', 'in-doubt', 'refused')] }],
  ['step-started', { stepId: [isText], name: [isText], inDoubt: [isOneOf('rerun', 'report', 'ask')] }],
  [
    'step-finished',
    {
      stepId: [isText],
      name: [isText, true],
      outcome: [isOneOf('ran', 'verified', 'failed', 'in-doubt')],
      value: [() => true, true],
    },
  ],
  ['turn-ended', { turn: [isWhole] }],
])

/** Of the stamp, and the kind. */
const stampFields = 6
const isFromOne = isWholeFrom(1)

/** Whether `value` is surely an entry of version `v`. */
export function isSurelyEntry(value: unknown, v: number): boolean {
  if (!isRecord(value)) return false
  const isStamped =
    value['v'] === v &&
    value['lane'] === 'main' &&
    isInstant(value['at']) &&
    isFromOne(value['seq']) &&
    isFromOne(value['fence'])
  const fields = kinds.get(value['type'])
  return isStamped && fields !== undefined && hasJust(value, fields, stampFields)
}
