/**
 * Tool calls and steps that were in doubt, and what became of them. A fold of entries; it remembers only the calls that
 * are under way.
 */
import type { Entry } from '@lastgood/core'

export interface AskedAgain {
  /** The model was told that the outcome is unknown. */
  told: number
  /** Run once more, by their rule or by a person's decision. */
  rerun: number
  /** The tool could verify the outcome. */
  verified: number
}

export const nothingAsked = (): AskedAgain => ({ told: 0, rerun: 0, verified: 0 })

export class CallsUnderWay {
  readonly #started = new Set<string>()

  take(entry: Entry): keyof AskedAgain | undefined {
    switch (entry.type) {
      case 'tool-started':
        return this.#begun(entry.toolUseId)
      case 'step-started':
        return this.#begun(entry.stepId)
      case 'tool-finished':
        return this.#finished(entry.toolUseId, entry.outcome)
      case 'step-finished':
        return this.#finished(entry.stepId, entry.outcome)
      default:
        return undefined
    }
  }

  #begun(id: string): 'rerun' | undefined {
    if (this.#started.has(id)) return 'rerun'
    this.#started.add(id)
    return undefined
  }

  #finished(id: string, outcome: string): 'told' | 'verified' | undefined {
    this.#started.delete(id)
    return outcome === 'in-doubt' ? 'told' : outcome === 'verified' ? 'verified' : undefined
  }
}
