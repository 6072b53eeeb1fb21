/**
 * The task of the scenarios: the model counts to four, the second and third at once, looks before it continues after a
 * call of unknown outcome, and succeeds if each count happened once.
 */
import { reply, text, toolResults, toolUse, userTurns, type Conversation, type Outage } from '@lastgood/outage-lab'

export const opus = 'claude-opus-5-5'
export const all = ['1', '2', '3', '4']

/** A count is done if it is in a result, or was seen by looking after the last result of unknown outcome. */
export function counting(conversation: Conversation) {
  const results = toolResults(conversation)
  const unknownAt = results.findLastIndex((result) => /outcome is unknown/.test(result.text))
  const lookedAt = results.findLastIndex((result) => result.name === 'peek' && !result.isError)
  if (unknownAt > lookedAt) return reply([toolUse('peek', {})])
  const seen = lookedAt < 0 ? [] : results[lookedAt]!.text.split(',')
  const counted = [...results.flatMap((result) => /^counted (\d)$/.exec(result.text)?.[1] ?? []), ...seen]
  const missing = all.filter((n) => !counted.includes(n))
  if (missing.length === 0) return reply(text('done'))
  const next = missing.length === 3 ? missing.slice(0, 2) : missing.slice(0, 1)
  // No tool has this name: a call that is refused.
  const strange = results.length === 0 ? [toolUse('vanished', {})] : []
  return reply([text('Counting.'), ...next.map((n) => toolUse('count', { n })), ...strange])
}

/** One turn of counting, then answers to whatever else is said. */
export function companion(conversation: Conversation) {
  const said = userTurns(conversation).at(-1) ?? ''
  return said.startsWith('Count') ? counting(conversation) : reply(text(`You said: ${said}`))
}

export const status = (n: number, code: number): Outage => ({
  when: { request: n },
  fault: { kind: 'status', status: code },
})
export const refused = (n: number, message: string): Outage => ({
  when: { request: n },
  fault: { kind: 'status', status: 400, type: 'invalid_request_error', message },
})
