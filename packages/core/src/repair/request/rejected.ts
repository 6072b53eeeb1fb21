/**
 * Repairs that the API's own refusal calls for (`Fault.repairs` names them). A rule that was refused its reason is not
 * applied: each gives undefined where it does not apply.
 *
 * 1. What a rule was applied with stands in the name of its repair, `clamp-max-tokens:64000`; that name can be applied
 *    again, without the refusal, to the same effect.
 * 2. A rule of `requestRules` can be called for as well: the API may know better than our own check.
 */
import type { Outgoing, RepairContext, Repaired } from '../outgoing.ts'
import { continueAfterPrefill, convertSystem, nudge } from './going-on.ts'
import { dropField } from './rejected-fields.ts'
import { clampMaxTokens, fitMaxTokens, raiseMaxTokens } from './rejected-limits.ts'
import { removeImages, shrinkImages } from './rejected-media.ts'
import { dropNewestBeta, dropParams } from './rejected-params.ts'
import { blockAsText } from './rejected-results.ts'
import type { RejectedRule } from './rejected-rule.ts'
import { dropBlock, restoreThinking, stripThinking, thinkingOff } from './rejected-thinking.ts'
import { requestRules } from './rules.ts'
import { dropContainer, dropFiles, dropThread, nameContainer } from './server-held.ts'
import { placeholderLastResults, shortenOldResults } from './shorten.ts'

export const rejectedRules: readonly RejectedRule[] = [
  restoreThinking,
  dropBlock,
  stripThinking,
  thinkingOff,
  dropField,
  { ...dropField, name: 'drop-block-field' },
  blockAsText,
  removeImages,
  shrinkImages,
  clampMaxTokens,
  fitMaxTokens,
  raiseMaxTokens,
  dropParams,
  dropNewestBeta,
  dropContainer,
  nameContainer,
  dropThread,
  dropFiles,
  shortenOldResults,
  placeholderLastResults,
  convertSystem,
  continueAfterPrefill,
  nudge,
]

/**
 * Rules whose repair holds for every further request of the session, with its argument: what the API does not take from
 * this account and model, it will not take next time either. The others are edits of messages, which are recorded as
 * edits, or are of one request only.
 */
export const standingRules: ReadonlySet<string> = new Set([
  'drop-block',
  'drop-field',
  'clamp-max-tokens',
  'drop-params',
  'drop-newest-beta',
  'drop-container',
  'convert-system',
])

/** Without what it was applied with: `drop-params` of `drop-params:temperature`. */
export const nameOfRule = (rule: string): string => rule.split(':', 1)[0] ?? rule

/** `rule` is a name, or a name with its argument: `drop-params:temperature`. Undefined when it does not apply. */
export function applyRejected(rule: string, outgoing: Outgoing, context: RepairContext): Repaired | undefined {
  const name = nameOfRule(rule)
  const argument = rule.length > name.length ? rule.slice(name.length + 1) : undefined
  const rejected = rejectedRules.find((one) => one.name === name)
  if (rejected) return rejected.repair(outgoing, context, argument)
  return requestRules.find((one) => one.name === name)?.repair(outgoing, context)
}

/**
 * Of the repairs that the refusal names, those that apply to this request, each by the name that carries what it was
 * applied with: in the place of `Fault.repairs` they can be chosen from, and done again later, without looking back.
 */
export function applicableRepairs(outgoing: Outgoing, context: RepairContext): string[] {
  const named = context.fault?.repairs ?? []
  return named.flatMap((rule) => applyRejected(rule, outgoing, context)?.repairs[0]?.rule ?? [])
}
