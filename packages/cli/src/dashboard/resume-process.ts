/**
 * A `lastgood resume` in a process of its own, and what it says: facts without content, line by line.
 *
 * 1. Its agent runs there and not in the server: what ends one does not end the other, and each session has its own
 *    folder.
 * 2. Asked to stop, it suspends its session; see `resume.ts`. Then the processes that its tools have started are ended
 *    with it.
 * 3. The last lines of its output are kept. What its agent prints, or the API quotes, is content; the reply of the
 *    model is in none of them.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { withoutSecrets, type Clock, type FaultKind } from '@lastgood/core'
import type { StartedResume } from '@lastgood/dashboard'
import { iso } from '../durations.ts'
import { orLate } from '../or-late.ts'
import { isHeldByOutage, isOutageKind } from '../outages/outage-kinds.ts'
import { shorten } from '../text.ts'

export interface ResumeCommand {
  /** The program and its first arguments. */
  readonly command: readonly [string, ...string[]]
  readonly env: Readonly<Record<string, string | undefined>>
  /** The flags that lead it to the same configuration. */
  readonly flags: readonly string[]
}

/** What it met. `begun`: it has written to the journal; `answered`, `failed`: the API answered, or met an outage. */
export type ResumeNews = 'begun' | 'answered' | 'failed'

export interface ResumeEnd {
  /** Null where a signal ended it. */
  readonly exitCode: number | null
  /** What it met last was an outage. */
  readonly metOutage: boolean
  /** Why it failed, and what to do, in its own words. */
  readonly error: { readonly code: string; readonly message: string; readonly hint: string | null } | null
}

const keptLines = 40
const stopMs = 3_000
/** For what it wrote last: a process that a tool has started may hold its output open for ever. */
const lastLinesMs = 1_000

export class ResumeProcess {
  readonly ended: Promise<ResumeEnd>
  readonly #child: ChildProcess
  readonly #clock: Clock
  readonly #startedAt: string
  readonly #listeners = new Set<(news: ResumeNews) => void>()
  /** The last lines, with content and without. */
  readonly #lines: Readonly<Record<'all' | 'facts', string[]>> = { all: [], facts: [] }
  readonly #left: Promise<unknown>
  #metOutage = false
  #isGone = false
  #exitCode: number | null | undefined
  #error: ResumeEnd['error'] = null

  constructor({ command, env, flags }: ResumeCommand, argv: readonly string[], cwd: string, clock: Clock) {
    const [file, ...first] = command
    this.#clock = clock
    this.#startedAt = iso(clock.now())
    // A process group of its own: a Ctrl+C in the server's terminal is the server's to pass on, once.
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
    this.#left = new Promise((resolve) => this.#child.once('exit', resolve).once('error', resolve))
    const closed = new Promise((resolve) => this.#child.once('close', resolve)).then(() => (this.#isGone = true))
    this.ended = new Promise((resolve) => {
      const end = (exitCode: number | null) => {
        this.#exitCode = exitCode
        resolve({ exitCode, metOutage: this.#metOutage, error: this.#error })
      }
      this.#child.once('error', (error) => {
        this.#error = { code: 'not-started', message: error.message, hint: null }
        end(null)
      })
      this.#child.once('exit', (exitCode) => {
        void orLate(clock, lastLinesMs, closed, () => {}).then(() => end(exitCode))
      })
    })
  }

  get isRunning(): boolean {
    return this.#exitCode === undefined
  }

  /** Nothing of it is left: no process that it has started holds its output. */
  get isGone(): boolean {
    return this.#isGone
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  standing(hasContent = false): StartedResume {
    const exitCode = this.#exitCode === undefined ? null : (this.#exitCode ?? -1)
    const lines = [...this.#lines[hasContent ? 'all' : 'facts']]
    return { at: this.#startedAt, pid: this.pid, exitCode, lines }
  }

  /** Calls `listener` for what it meets from now on; returns a function that stops it. */
  onNews(listener: (news: ResumeNews) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Asks it to stop, and does not wait for ever. */
  async stop(): Promise<void> {
    if (this.#isGone) return
    this.#child.kill('SIGTERM')
    await orLate(this.#clock, stopMs, this.#left, () => {})
    this.#killAll()
    // Only a process that has left its group can hold its pipes now.
    await orLate(this.#clock, stopMs, this.ended, () => {})
  }

  /** It leads a process group of its own, which contains the processes of its tools. */
  #killAll(): void {
    const { pid } = this.#child
    if (pid === undefined) return
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // The group is empty, or this system has no groups.
      this.#child.kill('SIGKILL')
    }
  }

  #take(line: string): void {
    const facts = factsIn(line)
    this.#keep('all', facts ? JSON.stringify({ ...facts, text: undefined }) : line)
    if (facts) this.#keep('facts', JSON.stringify({ ...facts, text: undefined, fault: withoutMessage(facts['fault']) }))
    else if (ownWords.test(line)) this.#keep('facts', line)
    if (!facts) return
    if (facts['schema'] === 'lastgood.event/v1') return this.#met(facts)
    const { code, message, hint } = (facts['error'] ?? {}) as Record<string, unknown>
    if (typeof code !== 'string' || typeof message !== 'string') return
    this.#error = { code, message, hint: typeof hint === 'string' ? hint : null }
  }

  #keep(kind: 'all' | 'facts', line: string): void {
    const lines = this.#lines[kind]
    lines.push(shorten(withoutSecrets(line), 500))
    if (lines.length > keptLines) lines.shift()
  }

  #met({ event, fault, reason }: Readonly<Record<string, unknown>>): void {
    this.#tell('begun')
    if (event === 'response-received') {
      this.#metOutage = false
      this.#tell('answered')
    }
    if (event === 'request-held' && typeof reason === 'string') this.#metOutage = isHeldByOutage(reason)
    if (event !== 'fault-observed') return
    const { kind } = (fault ?? {}) as { kind?: FaultKind }
    this.#metOutage = kind !== undefined && isOutageKind(kind)
    if (this.#metOutage) this.#tell('failed')
  }

  #tell(news: ResumeNews): void {
    for (const listener of this.#listeners) listener(news)
  }
}

/** How a command says that it failed; see `failure.ts`. */
const ownWords = /^(?:error| {2}cause| {2}next): /

/** The API may quote the conversation. */
const withoutMessage = (fault: unknown): unknown =>
  typeof fault === 'object' && fault !== null ? { ...fault, message: undefined } : fault

function factsIn(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const value = JSON.parse(line) as Record<string, unknown>
    return String(value['schema']).startsWith('lastgood.') ? value : undefined
  } catch {
    return undefined
  }
}
