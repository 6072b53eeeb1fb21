/** The length of an answer: less where the API demands it, more where an answer was cut. */
import type { Outgoing, Repaired } from '../outgoing.ts'
import { repairedBy, refusalRule, type RefusalRule } from './refusal-rule.ts'

/** With fewer tokens an answer is not worth asking for. */
const leastTokens = 1_024

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
    return limited(this, outgoing, limit)
  },
})

/** The room that is left changes with every request, so this rule has a name and a reach of its own. */
export const fitMaxTokens = refusalRule({
  name: 'fit-max-tokens',
  row: 34,
  does: 'Sets max_tokens to the room that the input leaves in the window.',
  reach: 'request',
  repair(outgoing, { fault }, argument) {
    const asked = outgoing.params['max_tokens']
    const numbers = /exceed context limit: (\d+) \+ (\d+) > (\d+)/.exec(fault?.message ?? '')
    const room = argument === undefined ? numbers && Number(numbers[3]) - Number(numbers[1]) : Number(argument)
    if (typeof asked !== 'number' || !room || room < leastTokens || room >= asked) return undefined
    return limited(this, outgoing, room)
  },
})

export const raiseMaxTokens = refusalRule({
  name: 'raise-max-tokens',
  does: 'Sets max_tokens to the limit of the model, after an answer that was cut in a tool call.',
  reach: 'request',
  repair(outgoing, { card }, argument) {
    const asked = outgoing.params['max_tokens']
    if (typeof asked !== 'number') return undefined
    // To the limit in one step: a limit costs nothing, an answer that is cut again does.
    const most = Number.isFinite(card.maxOutputTokens) ? card.maxOutputTokens : asked * 4
    const raised = Number(argument ?? most)
    if (!(raised > asked)) return undefined
    return limited(this, outgoing, raised)
  },
})

function limited(rule: RefusalRule, outgoing: Outgoing, limit: number): Repaired {
  const { params } = outgoing
  const what = `max_tokens ${limit} instead of ${String(params['max_tokens'])}`
  return repairedBy(rule, { ...outgoing, params: { ...params, max_tokens: limit } }, what, { argument: String(limit) })
}
