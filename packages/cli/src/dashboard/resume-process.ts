/**
 * A `lastgood resume` of its own process, and what it says: facts without content, line by line.
 *
 * 1. Its agent runs there and not in the server: what ends one does not end the other, and each session has its own folder.
 * 2. When the server ends, it is asked to stop, and suspends its session; see `resume.ts`.
 * 3. Of what it writes the last lines are kept. The reply of the model is none of them.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { withoutSecrets, type Clock, type FaultKind } from '@lastgood/core'
import type { StartedResume } from '@lastgood/dashboard'
import { iso } from '../durations.ts'
import { isOutageKind } from '../outages/outage-kinds.ts'
import { shorten } from '../text.ts'

export interface ResumeCommand {
  /** The program and its first arguments. */
  readonly command: readonly [string, ...string[]]
  readonly env: Readonly<Record<string, string | undefined>>
  /** That lead it to the same configuration. */
  readonly flags: readonly string[]
}

/** What it met. `begun`: it has written to the journal; `answered`, `failed`: the API answered, or met an outage. */
export type ResumeNews = 'begun' | 'answered' | 'failed'

export interface ResumeEnd {
  /** Null where a signal ended it. */
  readonly exitCode: number | null
  /** Why it failed, and what to do, as it said it. */
  readonly error: { readonly code: string; readonly message: string; readonly hint: string | null } | null
}

const keptLines = 40
const stopMs = 3_000

export class ResumeProcess {
  readonly ended: Promise<ResumeEnd>
  readonly #child: ChildProcess
  readonly #clock: Clock
  readonly #startedAt: string
  readonly #listeners = new Set<(news: ResumeNews) => void>()
  readonly #lines: string[] = []
  #exitCode: number | null | undefined
  #error: ResumeEnd['error'] = null

  constructor({ command, env, flags }: ResumeCommand, argv: readonly string[], cwd: string, clock: Clock) {
    const [file, ...first] = command
    this.#clock = clock
    this.#startedAt = iso(clock.now())
    // A group of its own: the Ctrl+C of the server's terminal is the server's to pass on, once.
    this.#child = spawn(file, [...first, ...argv, ...flags], {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      windowsHide: true,
    })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream) createInterface({ input: stream, crlfDelay: Infinity }).on('line', (line) => this.#take(line))
    }
    this.ended = new Promise((resolve) => {
      const end = (exitCode: number | null) => {
        this.#exitCode = exitCode
        resolve({ exitCode, error: this.#error })
      }
      this.#child.once('error', (error) => {
        this.#error = { code: 'not-started', message: error.message, hint: null }
        end(null)
      })
      this.#child.once('close', end)
    })
  }

  get isRunning(): boolean {
    return this.#exitCode === undefined
  }

  get standing(): StartedResume {
    const exitCode = this.#exitCode === undefined ? null : (this.#exitCode ?? -1)
    return { at: this.#startedAt, pid: this.#child.pid ?? 0, exitCode, lines: [...this.#lines] }
  }

  /** Calls `listener` for what it meets from now on; returns the way to stop. */
  onNews(listener: (news: ResumeNews) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Asks it to stop, and does not wait for ever. */
  async stop(): Promise<void> {
    if (!this.isRunning) return
    this.#child.kill('SIGTERM')
    const inTime = new AbortController()
    const late = this.#clock.sleepUntil(this.#clock.now() + stopMs, { signal: inTime.signal }).catch(() => {})
    await Promise.race([this.ended, late])
    inTime.abort()
    if (this.isRunning) this.#child.kill('SIGKILL')
  }

  #take(line: string): void {
    const facts = factsIn(line)
    this.#lines.push(shorten(withoutSecrets(facts ? JSON.stringify({ ...facts, text: undefined }) : line), 500))
    if (this.#lines.length > keptLines) this.#lines.shift()
    if (!facts) return
    if (facts['schema'] === 'lastgood.event/v1') {
      this.#tell('begun')
      if (facts['event'] === 'response-received') this.#tell('answered')
      const { kind } = (facts['fault'] ?? {}) as { kind?: FaultKind }
      if (facts['event'] === 'fault-observed' && kind !== undefined && isOutageKind(kind)) this.#tell('failed')
      return
    }
    const { code, message, hint } = (facts['error'] ?? {}) as Record<string, unknown>
    if (typeof code !== 'string' || typeof message !== 'string') return
    this.#error = { code, message, hint: typeof hint === 'string' ? hint : null }
  }

  #tell(news: ResumeNews): void {
    for (const listener of this.#listeners) listener(news)
  }
}

function factsIn(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const value = JSON.parse(line) as Record<string, unknown>
    return typeof value['schema'] === 'string' ? value : undefined
  } catch {
    return undefined
  }
}
