/** The API behind every contender. */
import { once } from 'node:events'
import { join } from 'node:path'
import { addressIn, first, startNode } from './child.ts'

export type AnswerPlan =
  | { readonly kind: 'whole' }
  | { readonly kind: 'held' }
  | { readonly kind: 'stream'; readonly deltas: number; readonly everyMs: number; readonly call: boolean }

export interface Lab {
  readonly url: string
  /** How it answers from now on. */
  answer(plan: AnswerPlan): Promise<void>
  /** Ends the streams that it holds. */
  release(): Promise<void>
  stop(): Promise<void>
}

export async function startLab(): Promise<Lab> {
  const child = startNode({ args: [join(import.meta.dirname, 'lab-process.mjs')] })
  const tell = async (told: object) => {
    const done = once(child.process, 'message')
    child.process.send(told)
    await done
  }
  return {
    url: await first(child, addressIn),
    answer: tell,
    release: () => tell({ kind: 'release' }),
    stop: () => child.stop(),
  }
}
