/** The length of an answer: less where the API demands it, more where an answer was cut. */
import type { ModelCard } from '../../ladder/model-card.ts'
import type { Outgoing, Repaired } from '../outgoing.ts'
import { repairedBy, refusalRule, type RefusalRule } from './refusal-rule.ts'
import { charsOf } from './shorten.ts'

/** With fewer tokens an answer is not worth asking for. */
const leastTokens = 1_024
/** What is new may have more tokens for its length than what was counted. */
const denser = 1.5

export const clampMaxTokens = refusalRule({
  name: 'clamp-max-tokens',
  row: 35,
  does: 'Sets max_tokens to the limit of the model that the API named.',
  reach: 'model',
  repair(outgoing, { card, fault }, argument) {
    const asked = outgoing.params['max_tokens']
    const named = /max_tokens: \d+ > (\d+)/.exec(fault?.message ?? '')?.[1]
    const limit = Number(argument ?? named ?? card.maxOutputTokens)
    if (argument === undefined && named === undefined) {
      const room = fitMaxTokens.repair(outgoing, { card, fault })
      if (room) return room
    }
    if (typeof asked !== 'number' || !(limit < asked)) return undefined
    return limited(this, outgoing, limit, String(limit))
  },
})

/** The card with the limits that the API has named since: no answer may be longer. */
export function withinLimits(rules: readonly string[], card: ModelCard): ModelCard {
  const name = `${clampMaxTokens.name}:`
  const limits = rules.flatMap((rule) => (rule.startsWith(name) ? Number(rule.slice(name.length)) : []))
  return { ...card, maxOutputTokens: Math.min(card.maxOutputTokens, ...limits) }
}

/**
 * The room that is left changes with every request, so the argument has what it is estimated from: the window, and the
 * input that the API counted, in tokens and in characters.
 */
export const fitMaxTokens = refusalRule({
  name: 'fit-max-tokens',
  row: 34,
  does: 'Sets max_tokens to the room that the input leaves in the window.',
  reach: 'model',
  repair(outgoing, { fault }, argument) {
    const asked = outgoing.params['max_tokens']
    const [, counted, , limit] = /exceed context limit: (\d+) \+ (\d+) > (\d+)/.exec(fault?.message ?? '') ?? []
    const size = charsOf(outgoing)
    const facts = argument ?? [limit, counted, size].join(',')
    const [window, input, chars] = facts.split(',').map(Number)
    if (typeof asked !== 'number' || !window || !input || !chars) return undefined
    const grown = ((size - chars) * input) / chars
    const room = Math.floor(window - input - grown * (grown > 0 ? denser : 1))
    if (room < leastTokens || room >= asked) return undefined
    return limited(this, outgoing, room, facts)
  },
})

export const raiseMaxTokens = refusalRule({
  name: 'raise-max-tokens',
  does: 'Sets max_tokens to the limit of the model, after an answer that was cut in a tool call.',
  reach: 'turn',
  yields: true,
  repair(outgoing, { card }, argument) {
    const asked = outgoing.params['max_tokens']
    if (typeof asked !== 'number') return undefined
    // To the limit in one step: a limit costs nothing, an answer that is cut again does.
    const most = Number.isFinite(card.maxOutputTokens) ? card.maxOutputTokens : asked * 4
    const raised = Number(argument ?? most)
    if (!(raised > asked)) return undefined
    return limited(this, outgoing, raised, String(raised))
  },
})

function limited(rule: RefusalRule, outgoing: Outgoing, limit: number, argument: string): Repaired {
  const { params } = outgoing
  const what = `max_tokens ${limit} instead of ${String(params['max_tokens'])}`
  return repairedBy(rule, { ...outgoing, params: { ...params, max_tokens: limit } }, what, { argument })
}
