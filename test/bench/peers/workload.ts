/** The steps of `bench store`, as all contenders get them. */
import { createHash } from 'node:crypto'
import { bodiesOf, messagesOf } from '../store/workload.ts'

export interface PeerStep {
  /** The answer, the intent of its call, its result, and the request that carries it: entries of lastgood. */
  readonly bodies: readonly object[]
  /** What every contender stores. */
  readonly messages: readonly object[]
}

export function stepOf(step: number): PeerStep {
  return { bodies: bodiesOf(step), messages: messagesOf(step) }
}

/** The digest of all messages of the first `steps` steps, as every contender must return them. */
export function digestOf(steps: number): string {
  const messages = Array.from({ length: steps }, (_, step) => stepOf(step).messages).flat()
  return createHash('sha256').update(JSON.stringify(messages)).digest('hex')
}
