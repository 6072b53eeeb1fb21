/** Changes to settings, tools and betas that another model does not accept. */
import { isRecord, recordsIn, without } from '../json.ts'
import type { ModelCard } from './model-card.ts'
import { type Step } from './step.ts'

export const tools: Step = (outgoing, { to }) => {
  const { params } = outgoing
  const declared = Array.isArray(params['tools']) ? (params['tools'] as unknown[]) : []
  const taken = declared.filter((tool) => !isUnsupported(tool, to))
  if (taken.length === declared.length) return undefined
  const names = declared.filter((tool) => isUnsupported(tool, to)).map(typeOf)
  const left = taken.length > 0 ? { ...params, tools: taken } : without(params, ['tools', 'tool_choice'])
  return { outgoing: { ...outgoing, params: left }, what: `left out tools: ${names.join(', ')}` }
}

export const toolChoice: Step = (outgoing, { to }) => {
  const { params } = outgoing
  const choice = params['tool_choice']
  if (!isRecord(choice) || (choice['type'] !== 'any' && choice['type'] !== 'tool')) return undefined
  const isDeclared = choice['type'] === 'any' || recordsIn(params['tools']).some(({ name }) => name === choice['name'])
  if (to.forcedToolChoice && isDeclared) return undefined
  const free = { ...without(choice, ['name']), type: 'auto' }
  return {
    outgoing: { ...outgoing, params: { ...params, tool_choice: free } },
    what: `tool_choice auto instead of ${choice['type']}`,
  }
}

export const sampling: Step = (outgoing, { to }) =>
  to.sampling ? undefined : leaveOut(outgoing, ['temperature', 'top_p', 'top_k'])

/**
 * Fast mode has its own limits, and a list of models for refusals belongs to one first model.
 * https://platform.claude.com/docs/en/build-with-claude/refusals-and-fallback
 */
export const ownOptions: Step = (outgoing) => leaveOut(outgoing, ['speed', 'fallbacks', 'fallback_credit_token'])

export const maxTokens: Step = (outgoing, { to }) => {
  const asked = outgoing.params['max_tokens']
  if (typeof asked !== 'number' || asked <= to.maxOutputTokens) return undefined
  return {
    outgoing: { ...outgoing, params: { ...outgoing.params, max_tokens: to.maxOutputTokens } },
    what: `max_tokens ${to.maxOutputTokens} instead of ${asked}`,
  }
}

/** https://platform.claude.com/docs/en/api/beta-headers */
const betasOfOneModel = /^(context-1m|output-128k|fast-mode|server-side-fallback|fallback-credit)-/
const bindingBeta = /^thinking-binding-controls-/

export const betas: Step = (outgoing, { to }) => {
  const taken = outgoing.betas.filter(
    (beta) => !betasOfOneModel.test(beta) && (to.preservedThinking || !bindingBeta.test(beta)),
  )
  if (taken.length === outgoing.betas.length) return undefined
  const left = outgoing.betas.filter((beta) => !taken.includes(beta))
  return { outgoing: { ...outgoing, betas: taken }, what: `left out betas: ${left.join(', ')}` }
}

function leaveOut(outgoing: Parameters<Step>[0], names: readonly string[]): ReturnType<Step> {
  const given = names.filter((name) => outgoing.params[name] !== undefined)
  if (given.length === 0) return undefined
  return { outgoing: { ...outgoing, params: without(outgoing.params, given) }, what: `left out ${given.join(', ')}` }
}

function isUnsupported(tool: unknown, { unsupportedTools = [] }: ModelCard): boolean {
  const type = typeOf(tool)
  return unsupportedTools.includes(type) || unsupportedTools.includes(type.replace(/_\d{8}$/, ''))
}

function typeOf(tool: unknown): string {
  return isRecord(tool) && typeof tool['type'] === 'string' ? tool['type'] : 'custom'
}
