/**
 * A provider that is down for a while, and at other times refuses what exceeds its capacity: a herd hurts it.
 *
 * It takes `capacity` requests a second, with slack for half a second of that.
 */
export interface Outage {
  readonly from: number
  readonly to: number
  /** The share of the requests that fail meanwhile. */
  readonly failing: number
  /** The share of its capacity that it has for `ms` after the outage. */
  readonly recovering: { readonly share: number; readonly ms: number } | undefined
}

const slackSeconds = 0.5

export class Provider {
  readonly #capacity: number
  readonly #outage: Outage
  readonly #random: () => number
  #slack = 0
  #at = 0

  constructor(capacity: number, outage: Outage, random: () => number) {
    this.#random = random
    this.#capacity = capacity
    this.#outage = outage
  }

  /** Whether a request that is sent now is answered. Instants must not go back. */
  takes(now: number): boolean {
    const { from, to, failing } = this.#outage
    if (now >= from && now < to && this.#random() < failing) return false
    const capacity = this.#capacity * this.#share(now)
    this.#slack = Math.min(capacity * slackSeconds, this.#slack + (capacity * (now - this.#at)) / 1000)
    this.#at = now
    if (this.#slack < 1) return false
    this.#slack -= 1
    return true
  }

  #share(now: number): number {
    const { to, recovering } = this.#outage
    return recovering && now >= to && now < to + recovering.ms ? recovering.share : 1
  }
}
