/**
 * A child and everything that it starts, ended as one.
 *
 * 1. The child leads its own process group: the terminal's Ctrl+C does not reach it, and `kill` reaches all of it.
 * 2. Where there are no process groups (Windows), only the child is killed; what it runs ends with its pipes.
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
  /** Lines of its stdout; `onErrorText` gets its stderr. */
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
    // A child that has exited reads nothing.
    child.stdin.on('error', () => {})
    child.stderr.setEncoding('utf8').on('data', onErrorText)
    // Whatever ends this process, even a second Ctrl+C, also ends the group.
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
      // 'close': its output has been read to the end.
      child.on('close', (code, signal) => resolve({ code, signal }))
    })
  }

  get hasExited(): boolean {
    return this.#hasExited
  }

  /** Interrupts only the child, so that it can end its own children. */
  interrupt(): void {
    if (!this.#hasExited) this.#child.kill('SIGINT')
  }

  /** SIGKILL to the whole group, including what the child left behind. */
  kill(): void {
    if (this.pid === 0) return
    try {
      process.kill(process.platform === 'win32' ? this.pid : -this.pid, 'SIGKILL')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
}
