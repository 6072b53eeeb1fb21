/**
 * Recognises sound entries of the most frequent kinds quickly: opening a long session reads its whole journal. See
 * `surely.ts`. Pure.
 */
import { inDoubtRules, sealedCodecs, stepOutcomes, suspendReasons, toolOutcomes } from './entry-words.ts'
import { faultKinds } from '../faults/fault-kinds.ts'
import { isRecord } from '../json.ts'
import { isInstant } from './instant.ts'
import { isSessionId } from './session-id.ts'
import { isSha256 } from '../sha256.ts'
import {
  areBlocks,
  areMessages,
  areTexts,
  isBlock,
  hasJust,
  isNumber,
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
const isCount = isWholeFrom(0)
export const isOrigin: Check = (value) =>
  hasJust(value, {
    sessionId: [isSessionId],
    seq: [isWholeFrom(1)],
    at: [isInstant, true],
  })
const isBlobRef: Check = (value) => hasJust(value, { name: [isSha256], bytes: [isCount] })

const ofFault: Fields = {
  kind: [isOneOf(...faultKinds)],
  status: [isNumber, true],
  errorType: [isText, true],
  errorCode: [isText, true],
  message: [isText, true],
  requestId: [isText, true],
  retryAfterMs: [isNumber, true],
  shouldRetry: [isOneOf(true, false), true],
  causes: [areTexts, true],
  complete: [isOneOf('calls', 'text'), true],
  tokens: [isNumber, true],
  repairs: [areTexts, true],
  paths: [areTexts, true],
}
const decisions: ReadonlyMap<unknown, Fields> = new Map<string, Fields>([
  ['retry', { at: [isInstant] }],
  ['resend', {}],
  ['keep-and-continue', {}],
  ['fallback', { rung: [isCount] }],
  ['repair', { rule: [isText] }],
  ['suspend', { reason: [isText], retryAt: [isInstant, true] }],
  ['fail', { reason: [isText] }],
])
const isFault: Check = (value) => hasJust(value, ofFault)
const isDecision: Check = (value) => {
  const fields = isRecord(value) && decisions.get(value['kind'])
  return fields !== undefined && fields !== false && hasJust(value, fields, 1)
}

const kinds: ReadonlyMap<unknown, Fields> = new Map<string, Fields>([
  ['session-opened', { owner: [isOwner], cwd: [isText, true], writer: [isText] }],
  ['session-resumed', { owner: [isOwner], refolded: [isTrue, true] }],
  ['session-suspended', { reason: [isOneOf(...suspendReasons)], detail: [isText], retryAt: [isInstant, true] }],
  ['envelope-changed', { envelope: [isEnvelope] }],
  ['request-held', { until: [isInstant], reason: [isText] }],
  ['rung-changed', { rung: [isCount], model: [isText], reason: [isText] }],
  ['turn-started', { turn: [isWhole], agent: [isText, true], messages: [areMessages] }],
  ['turn-continued', { messages: [areMessages] }],
  ['request-sent', { model: [isText], attempt: [isWhole] }],
  ['response-received', { message: [isAnswer], requestId: [isText, true], salvaged: [isTrue, true] }],
  ['tool-started', { toolUseId: [isText], name: [isText], inDoubt: [isOneOf(...inDoubtRules)] }],
  ['tool-finished', { toolUseId: [isText], result: [isBlock], outcome: [isOneOf(...toolOutcomes)] }],
  ['step-started', { stepId: [isText], name: [isText], inDoubt: [isOneOf(...inDoubtRules)] }],
  [
    'step-finished',
    {
      stepId: [isText],
      name: [isText, true],
      outcome: [isOneOf(...stepOutcomes)],
      value: [() => true, true],
    },
  ],
  ['turn-ended', { turn: [isWhole] }],
  ['fault-observed', { fault: [isFault], decision: [isDecision] }],
  ['repairs-reverted', { reason: [isText] }],
  ['rewound', { messages: [isCount], turn: [isCount], lastGoodTurn: [isCount], reason: [isText] }],
  ['session-forked', { origin: [isOrigin], reason: [isText] }],
  [
    'retention-changed',
    { ttlMs: [(ms) => ms === null || (isNumber(ms) && Number(ms) > 0)], pinned: [isOneOf(true, false)] },
  ],
  ['kept-apart', { of: [isText], blob: [isBlobRef] }],
  ['sealed', { codec: [isOneOf(...sealedCodecs)], key: [isText, true], data: [isText] }],
])

/** The fields of the stamp, and `type`. */
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
