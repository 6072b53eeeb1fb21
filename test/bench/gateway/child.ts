/** Processes that a bench starts and ends. */
import { spawn, type ChildProcess } from 'node:child_process'
import { endProcess } from '../../support/end-process.ts'

export interface Child {
  readonly pid: number
  readonly process: ChildProcess
  /** What it said last, for the message of an error. */
  readonly said: () => string
  stop(): Promise<void>
}

export interface Start {
  readonly args: readonly string[]
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** Default: the one that runs this. */
  readonly node?: string
}

/** Node with these arguments, a message channel, and of this environment only PATH. */
export function startNode({ args, cwd, env = {}, node = process.execPath }: Start): Child {
  const child = spawn(node, args, {
    ...(cwd !== undefined && { cwd }),
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  child.on('error', () => {}) // it has no pid then
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2000)))
  }
  return {
    pid: child.pid ?? NaN,
    process: child,
    said: () => said.trim().replaceAll(/\s+/g, ' '),
    stop: () => endProcess(child),
  }
}

/** The first message for which `read` returns a value. Rejects if it ends before, or says nothing for half a minute. */
export async function first<Value>(child: Child, read: (said: unknown) => Value | undefined): Promise<Value> {
  const { process: it } = child
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`${why}: ${child.said()}`))
    const late = setTimeout(() => fail('it did not start within 30 s'), 30_000)
    const take = (said: unknown) => {
      const value = read(said)
      if (value === undefined) return
      clearTimeout(late)
      resolve(value)
    }
    it.on('message', take)
    it.stdout?.on('data', take)
    it.once('error', (error) => fail(error.message))
    it.once('exit', (code) => fail(`it ended with ${code}`))
  })
}

export const addressIn = (said: unknown): string | undefined => /http:\/\/127\.0\.0\.1:\d+/.exec(String(said))?.[0]
