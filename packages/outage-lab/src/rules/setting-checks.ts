/** Checks of settings against the model and the API version. */
import { isObject, stringOf } from '../json.ts'
import type { Found, Transcript } from '../transcript.ts'

export function findSampling({ request, card, modern }: Transcript): Found | undefined {
  const defaults = { temperature: 1, top_p: undefined, top_k: undefined }
  const given = Object.entries(defaults).find(
    ([field, value]) => request[field] !== undefined && (modern || (!card.habits.sampling && request[field] !== value)),
  )
  return given && { field: given[0] }
}

export function findThinkingType({ card, thinkingType }: Transcript): Found | undefined {
  const known = card.habits.thinking.some((type) => type === thinkingType)
  return thinkingType === undefined || thinkingType === 'adaptive' || known ? undefined : { type: thinkingType }
}

/** With it, the window is the limit: https://platform.claude.com/docs/en/build-with-claude/extended-thinking. */
const INTERLEAVED_BETA = 'interleaved-thinking-2025-05-14'

export function findBudget({ request, thinkingType, betas, tools }: Transcript): Found | undefined {
  const thinking = request['thinking']
  if (thinkingType !== 'enabled' || !isObject(thinking)) return undefined
  if (tools.length > 0 && betas.includes(INTERLEAVED_BETA)) return undefined
  return Number(thinking['budget_tokens']) >= Number(request['max_tokens']) ? {} : undefined
}

export function findMaxTokens({ request, card }: Transcript): Found | undefined {
  const asked = Number(request['max_tokens'])
  return asked > card.maxTokens ? { asked, limit: card.maxTokens, model: card.id } : undefined
}

export function findForcedTool({ request, card }: Transcript): Found | undefined {
  const choice = request['tool_choice']
  const forced = isObject(choice) && ['any', 'tool'].includes(stringOf(choice['type']))
  return forced && !card.habits.forcedToolChoice ? {} : undefined
}

export function findCacheOrder({ markers }: Transcript): Found | undefined {
  const short = markers.findIndex(({ ttl }) => ttl === '5m')
  const bad = short < 0 ? undefined : markers.slice(short).find(({ ttl }) => ttl === '1h')
  return bad && { path: bad.path }
}
