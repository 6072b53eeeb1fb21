/**
 * A child with everything that it starts, as one thing to end.
 *
 * 1. The child leads a process group of its own: a Ctrl+C of the terminal does not reach it, `kill` reaches all of it.
 * 2. Where there are no process groups (Windows) the child alone is killed; what it runs ends with its pipes.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import type { Env } from '../context.ts'

export interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
}

export interface GroupOptions {
  cwd: string
  env: Env
  /** Lines of its stdout. Its stderr is the demo's, unless it is quiet. */
  onLine: (line: string) => void
  onErrorText: (text: string) => void
}

export class ProcessGroup {
  readonly pid: number
  readonly exited: Promise<Exit>
  readonly #child: ChildProcess
  #hasExited = false

  /** Starts `node <args>`. */
  constructor(args: readonly string[], { cwd, env, onLine, onErrorText }: GroupOptions) {
    const child = spawn(process.execPath, args, {
      cwd,
      env: { ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
    })
    this.#child = child
    this.pid = child.pid ?? 0
    // A child that is gone does not read.
    child.stdin.on('error', () => {})
    child.stderr.setEncoding('utf8').on('data', onErrorText)
    // Whatever ends this process, a second Ctrl+C too, ends the group.
    const kill = () => this.kill()
    process.once('exit', kill)
    let rest = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      lines.forEach(onLine)
    })
    this.exited = new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('exit', () => {
        this.#hasExited = true
        process.off('exit', kill)
      })
      // 'close': its output has been read to the end, too.
      child.on('close', (code, signal) => resolve({ code, signal }))
    })
  }

  get hasExited(): boolean {
    return this.#hasExited
  }

  /** Asks the child alone, so that it can bring its own to an end. */
  interrupt(): void {
    if (!this.#hasExited) this.#child.kill('SIGINT')
  }

  /** SIGKILL to all of the group, also to what the child left behind. */
  kill(): void {
    if (this.pid === 0) return
    try {
      process.kill(process.platform === 'win32' ? this.pid : -this.pid, 'SIGKILL')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
}
