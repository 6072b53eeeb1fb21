/**
 * The steps of `bench store`, but with source code of this repository instead of repeated lines: some of the stores
 * compress, and should not gain more from it than with a real agent.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Block } from '@lastgood/core'
import { bodiesOf } from '../store/workload.ts'

export interface PeerStep {
  /** The answer, the intent of its call, its result, and the request that carries it: entries of lastgood. */
  readonly bodies: readonly object[]
  /** What every contender stores. */
  readonly messages: readonly object[]
}

const src = fileURLToPath(new URL('../src', import.meta.resolve('@lastgood/core')))

const source = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
  .sort()
  .map((file) => readFileSync(join(src, file), 'utf8'))
  .join('\n')

export function stepOf(step: number): PeerStep {
  const [answer, intent, result, request] = bodiesOf(step)
  if (answer?.type !== 'response-received' || result?.type !== 'tool-finished' || !intent || !request) {
    throw new Error('a step has an answer, an intent, a result and a request')
  }
  const [text, call] = answer.message.content as [Block, Block & { input: { path: string } }]
  const { path } = call.input
  // A different part of the source for each; after wrapping around it is cut at other places.
  const part = (length: number, from: number) => source.slice(from % (source.length - length)).slice(0, length)
  const content = [text, { ...call, input: { path, text: part(1_150, step * 7_001) } }]
  const block = { ...result.result, content: part(5_850, step * 7_001 + 1_150) }
  return {
    bodies: [{ ...answer, message: { ...answer.message, content } }, intent, { ...result, result: block }, request],
    messages: [
      { role: 'assistant', content },
      { role: 'user', content: [block] },
    ],
  }
}

/** The digest of all messages of the first `steps` steps, as every contender must return them. */
export function digestOf(steps: number): string {
  const messages = Array.from({ length: steps }, (_, step) => stepOf(step).messages).flat()
  return createHash('sha256').update(JSON.stringify(messages)).digest('hex')
}
