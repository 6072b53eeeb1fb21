/** A program of `test/fixtures` that reports in JSON lines on stdout. */
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { startNode, type RunningProcess } from './running-process.ts'

export interface ToldProcess<T> extends RunningProcess {
  /** What it has reported so far. */
  readonly told: readonly T[]
}

export function startTold<T>(fixture: string, plan: object): ToldProcess<T> {
  const program = fileURLToPath(new URL(`../fixtures/${fixture}`, import.meta.url))
  const running = startNode([program, JSON.stringify(plan)])
  running.child.stderr?.pipe(process.stderr)
  const told: T[] = []
  createInterface({ input: running.child.stdout! }).on('line', (line) => told.push(JSON.parse(line) as T))
  return { ...running, told }
}
