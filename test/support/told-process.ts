/** A program of `test/fixtures` in a process of its own that reports in JSON lines on stdout; ended with the test. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

export interface ToldProcess<T> {
  readonly child: ChildProcess
  /** What it has reported so far. */
  readonly told: readonly T[]
  /** Its exit code and signal, when all its output has been read. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

export function startProcess<T>(fixture: string, plan: object): ToldProcess<T> {
  const program = fileURLToPath(new URL(`../fixtures/${fixture}`, import.meta.url))
  const child = spawn(process.execPath, [program, JSON.stringify(plan)], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const told: T[] = []
  createInterface({ input: child.stdout }).on('line', (line) => told.push(JSON.parse(line) as T))
  const ended = once(child, 'close').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
  }))
  return { child, told, ended }
}
