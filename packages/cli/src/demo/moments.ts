/**
 * What lastgood did besides waiting, in words: another model took a turn, the first one took the next one back, a
 * request was mended. A fold of entries; a moment is told once its outcome is known, with the time it began.
 */
import type { Entry } from '@lastgood/core'
import { safeLine } from '../text.ts'

export interface Moment {
  /** Epoch ms. */
  readonly at: number
  readonly mark: '⇄' | '↑' | '✚'
  readonly words: string
}

/** The returned function takes a session's entries in order. */
export function moments(): (entry: Entry) => Moment[] {
  let refusal = ''
  let change: (Entry & { type: 'rung-changed' }) | undefined
  /** When the turn began; unset by its first answer. */
  let begunAt: number | undefined
  let wasTaken = false

  return (entry) => {
    switch (entry.type) {
      case 'turn-started':
        begunAt = entry.at
        return []
      case 'rung-changed':
        change = entry
        return []
      case 'fault-observed': {
        const { fault, decision } = entry
        if (decision.kind === 'repair') refusal = [fault.status, fault.kind].filter(Boolean).join(' ')
        return []
      }
      case 'transcript-repaired':
        return entry.repairs.map(({ what }) => {
          return { at: entry.at, mark: '✚', words: safeLine(`${refusal}: ${what}; sent again, and accepted`) }
        })
      case 'response-received':
        return onAnswer(entry.message.model)
      default:
        return []
    }
  }

  function onAnswer(model: string): Moment[] {
    const [from, startedAt] = [change, begunAt]
    change = undefined
    begunAt = undefined
    if (from) {
      wasTaken = true
      return [{ at: from.at, mark: '⇄', words: safeLine(`${from.reason}: ${model} takes the turn`) }]
    }
    if (!wasTaken || startedAt === undefined) return []
    wasTaken = false
    return [{ at: startedAt, mark: '↑', words: safeLine(`${model} takes back the next turn`) }]
  }
}
