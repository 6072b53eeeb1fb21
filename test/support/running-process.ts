import { spawn, type ChildProcess } from 'node:child_process'
import { onTestFinished } from 'vitest'
import { endProcess } from './end-process.ts'
import type { OnFinished } from './folder.ts'

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** A process of its own whose output is read; killed with its test. */
export interface RunningProcess {
  readonly child: ChildProcess
  readonly pid: number
  /** So far. */
  readonly written: { readonly stdout: string; readonly stderr: string }
  /** When all its output has been read. */
  readonly ended: Promise<Ended>
  /** Resolves when stderr or stdout has contained this; rejects if it ends without it. */
  saw(text: string | RegExp): Promise<unknown>
  /** Of stdout; rejects if it ends without one. */
  firstLine(): Promise<string>
  kill(signal?: NodeJS.Signals): Promise<Ended>
}

export interface ProcessOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly onFinished?: OnFinished
}

export const startNode = (argv: readonly string[], options?: ProcessOptions) =>
  startProcess(process.execPath, argv, options)

export function startProcess(
  file: string,
  argv: readonly string[],
  { onFinished = onTestFinished, ...options }: ProcessOptions = {},
): RunningProcess {
  const child = spawn(file, argv, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  onFinished(() => endProcess(child, { signal: 'SIGKILL' }))
  const written = { stdout: '', stderr: '' }
  const looks = new Set<() => void>()
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      written[name] += text
      for (const look of looks) look()
    })
  }
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal, ...written }))
  })
  const until = <Found>(find: () => Found | undefined, what: string): Promise<Found> =>
    new Promise((resolve, reject) => {
      const look = () => {
        const found = find()
        if (found !== undefined) resolve(found)
      }
      looks.add(look)
      look()
      ended.then(() => reject(new Error(`it ended without ${what}:\n${written.stderr}${written.stdout}`)), reject)
    })
  return {
    child,
    pid: child.pid ?? NaN,
    written,
    ended,
    saw(text) {
      const isIn = (said: string) => (typeof text === 'string' ? said.includes(text) : text.test(said))
      return until(() => isIn(written.stderr) || isIn(written.stdout) || undefined, String(text))
    },
    firstLine: () => until(() => /^(.*)\n/.exec(written.stdout)?.[1], 'a line'),
    kill(signal = 'SIGKILL') {
      child.kill(signal)
      return ended
    },
  }
}
