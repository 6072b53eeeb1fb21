/** What the attempts of one request tell provider health: of each attempt how it ended, and that once. */
import type { Clock } from '../clock.ts'
import type { Fault } from '../faults/fault.ts'
import type { Health } from '../health/health.ts'
import type { Outcome } from '../health/notes.ts'
import type { HealthKey } from '../health/record.ts'

export interface VitalsOptions {
  health: Health
  clock: Clock
  /** Who asks, by the name under which health admitted it. */
  who: string
  /** The model in use; undefined for what says nothing about a model. */
  key: () => HealthKey | undefined
}

export class Vitals {
  readonly #it: VitalsOptions
  #sentAt = 0
  #isTold = true

  constructor(options: VitalsOptions) {
    this.#it = options
  }

  /** An attempt leaves; it may be the probe. */
  sent(): void {
    this.#sentAt = this.#it.clock.now()
    this.#isTold = false
  }

  /** The model answers, whatever becomes of the answer. */
  async live(): Promise<void> {
    if (!this.#isTold) await this.#tell({ kind: 'ok', sentAt: this.#sentAt })
  }

  /** The attempt failed, even if its answer had begun. */
  fail({ kind: fault, retryAfterMs }: Fault): Promise<void> {
    return this.#tell({ kind: 'fault', fault, sentAt: this.#sentAt, retryAfterMs })
  }

  /** Nothing more will be known: a probe goes to the next session that asks. */
  end(): void {
    if (!this.#isTold) void this.#tell({ kind: 'abandoned' })
  }

  async #tell(outcome: Outcome): Promise<void> {
    this.#isTold = true
    const { health, who, key } = this.#it
    const model = key()
    if (model) await health.report(model, who, outcome)
  }
}
