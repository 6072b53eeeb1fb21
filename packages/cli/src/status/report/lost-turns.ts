/**
 * Turns that are gone from a session: lost, if it had to go back to go on at all; taken back, if somebody wanted it. A
 * fold of entries.
 *
 * Only turns that somebody saw count: one that had ended, or an open one that had an answer. If the caller replaced its
 * whole history (a compaction), no turn is gone.
 */
import type { Entry } from '@lastgood/core'

export interface GoneTurn {
  readonly turn: number
  readonly was: 'ended' | 'open'
  /** Epoch ms. */
  readonly at: number
  readonly reason: string
}

export interface GoneTurns {
  readonly lost: readonly GoneTurn[]
  readonly takenBack: readonly GoneTurn[]
}

const none: GoneTurns = { lost: [], takenBack: [] }

export class TurnsSoFar {
  #turn = 0
  #lastGood = 0
  #isAnswered = false
  /** Nothing has been answered since the last failure. */
  #isStuck = false

  /** The turns that `entry` removed. */
  take(entry: Entry): GoneTurns {
    switch (entry.type) {
      case 'turn-started':
        this.#turn = entry.turn
        this.#isAnswered = false
        return none
      case 'turn-ended':
        this.#lastGood = entry.turn
        return none
      case 'response-received':
        this.#isAnswered = true
        this.#isStuck = false
        return none
      case 'fault-observed':
        this.#isStuck = true
        return none
      case 'rewound':
        return this.#rewound(entry)
      default:
        return none
    }
  }

  #rewound({ turn, lastGoodTurn, at, reason }: Entry & { type: 'rewound' }): GoneTurns {
    const gone: GoneTurn[] = []
    for (let one = lastGoodTurn + 1; one <= this.#lastGood; one += 1) gone.push({ turn: one, was: 'ended', at, reason })
    if (this.#turn > this.#lastGood && turn < this.#turn && this.#isAnswered) {
      gone.push({ turn: this.#turn, was: 'open', at, reason })
    }
    const isStuck = this.#isStuck
    this.#turn = turn
    this.#lastGood = lastGoodTurn
    this.#isAnswered = false
    this.#isStuck = false
    return isStuck ? { lost: gone, takenBack: [] } : { lost: [], takenBack: gone }
  }
}
