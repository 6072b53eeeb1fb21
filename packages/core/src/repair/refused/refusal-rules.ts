/**
 * Repairs that the API's own refusal calls for (`Fault.repairs` names them). A rule that does not apply gives
 * undefined.
 *
 * 1. The argument of a rule is part of its repair's name, `clamp-max-tokens:64000`; that name can be applied again,
 *    without the refusal, to the same effect.
 * 2. What a rule does at the end of a conversation has its place as argument: it is applied again to each request of the
 *    turn, and must not move on with the end.
 * 3. A refusal can call for a rule of `requestRules` as well: the API may know better than our own check.
 */
import type { Outgoing, RepairContext, Repaired } from '../outgoing.ts'
import { nameOfRule } from '../rule-name.ts'
import { continueAfterPrefill, convertSystem, nudge } from './going-on.ts'
import { keepingSignatures } from '../request/kept-signatures.ts'
import { compactionAsText } from './compaction.ts'
import { dropField } from './fields.ts'
import { clampMaxTokens, fitMaxTokens, raiseMaxTokens, withinLimits } from './limits.ts'
import { removeImages, shrinkImages } from './images.ts'
import { dropNewestBeta, dropParams } from './params.ts'
import { blockAsText, blockTypeAsText } from './results.ts'
import { unreadableResults } from './server-results.ts'
import type { Reach, RefusalRule } from './refusal-rule.ts'
import { dropBlock, restoreThinking, stripThinking, thinkingOff, thinkingOffWith } from './thinking.ts'
import { requestRules } from '../request/rules.ts'
import { dropContainer, dropFiles, dropThread, nameContainer } from './server-held.ts'
import { placeholderLastResults, shortenOldResults } from './shorten.ts'

export const refusalRules = [
  restoreThinking,
  dropBlock,
  stripThinking,
  thinkingOff,
  thinkingOffWith,
  dropField,
  blockAsText,
  blockTypeAsText,
  unreadableResults,
  compactionAsText,
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
] as const

/** A rule that a fault can call for. */
export type RuleName = (typeof refusalRules | typeof requestRules)[number]['name']

const refusalRuleOf = (rule: string): RefusalRule | undefined =>
  refusalRules.find(({ name }) => name === nameOfRule(rule))

/** Undefined for a rule of `requestRules`: it looks at each request by itself. */
export const reachOf = (rule: string): Reach | undefined => refusalRuleOf(rule)?.reach

/** `rule` is a name, or a name with its argument: `drop-params:temperature`. Undefined when it does not apply. */
export function applyRefusalRule(rule: string, outgoing: Outgoing, context: RepairContext): Repaired | undefined {
  const name = nameOfRule(rule)
  const argument = rule.length > name.length ? rule.slice(name.length + 1) : undefined
  const called = refusalRuleOf(rule)
  if (!called) return requestRules.find((one) => one.name === name)?.repair(outgoing, context)
  const repaired = called.repair(outgoing, context, argument)
  return repaired && !called.fitsSignatures ? keepingSignatures(outgoing, repaired, context.card) : repaired
}

/**
 * The repairs that the refusal names and that apply to this request, each by the name with its argument. In place of
 * `Fault.repairs` they can be chosen from, and applied again later without the refusal. None of them undoes a repair of
 * `tried`, which would then have something to do again, unless that yields.
 */
export function applicableRepairs(outgoing: Outgoing, known: RepairContext, tried: readonly string[] = []): string[] {
  const context = { ...known, card: withinLimits(tried, known.card) }
  const kept = tried.filter((rule) => !refusalRuleOf(rule)?.yields)
  const done = kept.filter((rule) => !applyRefusalRule(rule, outgoing, context))
  return (context.fault?.repairs ?? []).flatMap((rule) => {
    const repaired = applyRefusalRule(rule, outgoing, context)
    if (!repaired || done.some((one) => applyRefusalRule(one, repaired.outgoing, context))) return []
    return repaired.repairs[0]?.rule ?? []
  })
}
