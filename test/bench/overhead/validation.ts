/**
 * The check of a conversation before it is sent, alone: first of a whole history, as after a resume, then of one more
 * step, as in each later request. The second must not depend on the length of the history.
 */
import { cardOf, type Message as CoreMessage } from '@lastgood/core'
import { TranscriptWatch } from '@lastgood/core/testing'
import { historyOf, resultOf } from './history.ts'

/** In ms. */
export interface Checked {
  readonly whole: number
  readonly step: number
}

const stepsAfter = 5

export function measureValidation(messages: number, runs: number): Checked[] {
  const context = { card: cardOf('claude-opus-5-5') }
  return Array.from({ length: runs + Math.ceil(runs / 5) }, () => {
    const watch = new TranscriptWatch()
    let out = { params: {}, messages: historyOf(messages) as CoreMessage[], betas: [] }
    const timed = (): number => {
      const startedAt = performance.now()
      watch.repair(out, context)
      return performance.now() - startedAt
    }
    const whole = timed()
    let steps = 0
    for (let at = 0; at < stepsAfter; at++) {
      const id = `toolu_more_${at}`
      const call = { role: 'assistant' as const, content: [{ type: 'tool_use', id, name: 'read', input: {} }] }
      out = { ...out, messages: [...out.messages, call, resultOf(id) as CoreMessage] }
      steps += timed()
    }
    return { whole, step: steps / stepsAfter }
  }).slice(-runs)
}
