/**
 * `bench capacity`: the constants of docs/scaling.md. What a session takes in Redis, what a command takes of the
 * server's processor, and what an open session takes of a worker's memory.
 */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { formatTable, surroundingsLine, type Surroundings } from '../../support/report.ts'
import { forms, measureKept, measureServed, type Kept, type Served } from './redis.ts'

export interface CapacityOptions {
  readonly sessions: number
  readonly commands: number
}

interface Held {
  readonly steps: number
  /** Per open session. */
  readonly bytes: number
}

export interface CapacityResults extends CapacityOptions {
  readonly kept: readonly Kept[]
  readonly served: readonly Served[]
  readonly held: readonly Held[]
}

const lengths = [1, 20, 100]

export async function benchCapacity(
  options: CapacityOptions,
  onProgress: (line: string) => void,
): Promise<CapacityResults> {
  const { sessions, commands } = options
  const kept: Kept[] = []
  for (const form of forms) {
    for (const steps of lengths) {
      kept.push(await measureKept(form, sessions, steps))
      onProgress(`${sessions} sessions of ${steps} steps in Redis, ${form}`)
    }
  }
  const served = await measureServed(commands)
  onProgress('what commands take')
  const held: Held[] = []
  for (const steps of lengths) {
    held.push({ steps, bytes: await heldBy(sessions, steps) })
    onProgress(`${sessions} open sessions of ${steps} steps`)
  }
  return { ...options, kept, served, held }
}

async function heldBy(sessions: number, steps: number): Promise<number> {
  const program = fileURLToPath(new URL('worker-process.js', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--expose-gc',
    program,
    String(sessions),
    String(steps),
  ])
  return Number(stdout)
}

export function capacityReport({ kept, served, held }: CapacityResults, isMarkdown: boolean, at: Surroundings): string {
  const kb = (bytes: number) => (bytes / 1000).toFixed(1)
  const us = (value: number) => value.toFixed(0)
  return [
    formatTable(
      ['in Redis', 'steps', 'content, KB', 'memory, KB', 'vs content', 'log, KB', 'vs content'],
      kept.map(({ form, steps, content, memory, log }) => [
        form,
        String(steps),
        kb(content),
        kb(memory),
        `${(memory / content).toFixed(2)}x`,
        kb(log),
        `${(log / content).toFixed(2)}x`,
      ]),
      isMarkdown,
    ),
    formatTable(
      ['command', 'server, µs', 'client, µs', 'at most, per second'],
      served.map(({ command, server, client }) => [command, us(server), us(client), us(1_000_000 / server)]),
      isMarkdown,
    ),
    formatTable(
      ['open in a worker', 'memory, KB'],
      held.map(({ steps, bytes }) => [`${steps} ${steps === 1 ? 'step' : 'steps'}`, kb(bytes)]),
      isMarkdown,
    ),
    surroundingsLine(at),
  ].join('\n\n')
}
