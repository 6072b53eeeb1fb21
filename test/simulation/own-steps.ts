/**
 * The steps of a loop's own: without a key one before each request, and one inside each run of some tools, which a program
 * that starts again asks for again; with a key one beside the request.
 */
import { isLastgoodError, type InDoubt, type Session, type StepOptions } from '@lastgood/core'
import type { Process } from './process.ts'
import type { Referee } from './referee.ts'

/** Its rule for a step in doubt; `canTell`: it can tell what came of it. */
const kinds: readonly { name: string; rule: InDoubt; canTell?: true }[] = [
  { name: 'fetch', rule: 'rerun' },
  { name: 'build', rule: 'report' },
  { name: 'deploy', rule: 'report', canTell: true },
  { name: 'sign', rule: 'ask' },
  { name: 'read', rule: 'rerun', canTell: true },
]
type Kind = (typeof kinds)[number]

const failing = (value: string): boolean => value.endsWith('7')

export class OwnSteps {
  readonly #process: Process
  readonly #referee: Referee
  readonly #opened: Session
  /** How many of a kind have come to an outcome at a place. */
  readonly #outcomes = new Map<string, number>()

  constructor(process: Process, referee: Referee, opened: Session) {
    this.#process = process
    this.#referee = referee
    this.#opened = opened
  }

  /** It belongs to where the conversation stands: `isSure` that its journal tells where. */
  before(isSure: boolean): Promise<void> {
    const { place } = this.#referee.told(this.#opened.id)
    return this.#step(kinds[place % kinds.length]!, isSure ? `at ${place}` : undefined)
  }

  async inside(toolUseId: string): Promise<void> {
    const letter = toolUseId.charCodeAt(toolUseId.length - 1)
    if (letter % 3 === 0) await this.#step(kinds[letter % kinds.length]!, `in ${toolUseId}`)
  }

  beside(): Promise<void> {
    const number = this.#process.world.below(kinds.length)
    return this.#step(kinds[number]!, `with k${number}`, `k${number}`)
  }

  async #step({ name, rule, canTell }: Kind, place: string | undefined, key?: string): Promise<void> {
    const { world } = this.#process
    const [process, referee, opened] = [this.#process, this.#referee, this.#opened]
    const asked = `${name} ${place}`
    const number = key === undefined ? (this.#outcomes.get(asked) ?? 0) : 0
    let isPermitted = false
    const by = { who: process.name, ownerId: opened.owner.id, sessionId: opened.id }
    const options: StepOptions<string> = { inDoubt: rule }
    if (key !== undefined) options.key = key
    if (canTell)
      options.verify = (_input, { idempotencyKey }) =>
        process.contact(async () => {
          const result = referee.valueOf(idempotencyKey)
          if (result !== undefined) return { kind: 'done', result }
          isPermitted = true
          return { kind: 'not-done' }
        })
    if (process.isHealthy || world.chance(0.7))
      options.onInDoubt = async () => {
        isPermitted = world.chance(0.5)
        return isPermitted ? 'rerun' : 'report'
      }
    const told = (value: string) => {
      this.#outcomes.set(asked, number + 1)
      if (place !== undefined && !process.isDead) referee.toldStep(opened.id, `${asked} ${number}`, value)
    }
    try {
      const run = async ({ idempotencyKey }: { idempotencyKey: string }) => {
        const value = await process.contact(async () => {
          const isUnannounced = rule === 'rerun' && !canTell
          return referee.runsStep({
            ...by,
            id: idempotencyKey,
            mayRepeat: rule === 'rerun' || isPermitted,
            isUnannounced,
          })
        })
        await process.clock.sleepUntil(process.clock.now() + world.below(3_000))
        if (failing(value)) throw new Error(value)
        return value
      }
      told(await opened.step(name, {}, run, options))
    } catch (error) {
      if (isLastgoodError(error, 'step-in-doubt')) return
      const { message } = error as Error
      if (isLastgoodError(error) || !message.startsWith('value ')) throw error
      told(message)
    }
  }
}
