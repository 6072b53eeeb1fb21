/** The resumes that a server has started: one per session at a time, and all of them ended with the server. */
import { statSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import process from 'node:process'
import { type Clock, type Head, LastgoodError } from '@lastgood/core'
import type { StartedResume } from '@lastgood/dashboard'
import { orLate } from '../or-late.ts'
import { Refused } from './refusal.ts'
import { ResumeProcess, type ResumeCommand } from './resume-process.ts'

export interface ResumesOptions {
  readonly clock: Clock
  readonly resume: ResumeCommand
  /** Where a session is resumed if its own folder is not here. */
  readonly cwd: string
}

/** Processes at the same time. */
const mostRunning = 100
/** How long a resume may take to say anything before it is reported as silent. */
const beginMs = 20_000

export class Resumes {
  readonly #options: ResumesOptions
  /** The last one of each session. */
  readonly #processes = new Map<string, ResumeProcess>()
  /** Earlier ones whose tools have left processes behind. */
  readonly #leavers = new Set<ResumeProcess>()
  #isClosed = false

  constructor(options: ResumesOptions) {
    this.#options = options
  }

  /** The last resume of this session. */
  of(sessionId: string, hasContent: boolean): StartedResume | null {
    return this.#processes.get(sessionId)?.standing(hasContent) ?? null
  }

  /** Asks the running resume of this session to stop, if there is one. */
  async stop(sessionId: string): Promise<void> {
    await this.#processes.get(sessionId)?.stop()
  }

  /** Errors: `session-busy` if one is under way, `bad-option` if there are too many, `session-closed` after `close`. */
  start({ sessionId, cwd }: Head, inDoubt?: 'rerun' | 'report'): ResumeProcess {
    const { resume, clock, cwd: here } = this.#options
    if (this.#isClosed)
      throw new LastgoodError('session-closed', 'the dashboard is being stopped', { hint: 'start it again' })
    const before = this.#processes.get(sessionId)
    if (before?.isRunning) {
      throw new LastgoodError('session-busy', `session ${sessionId} is being resumed from here by pid ${before.pid}`, {
        hint: `see how it goes: lastgood watch ${sessionId}`,
      })
    }
    const running = [...this.#processes.values()].filter(({ isRunning }) => isRunning).length
    if (running >= mostRunning) {
      throw new LastgoodError('bad-option', `${running} sessions are being resumed from here, which is the limit`, {
        hint: `resume it in a terminal: lastgood resume ${sessionId}`,
      })
    }
    if (before && !before.isGone) this.#leavers.add(before)
    const answer = inDoubt === undefined ? [] : ['--in-doubt', inDoubt]
    const argv = ['resume', sessionId, '--yes', '--jsonl', '--quiet', ...answer]
    const started = new ResumeProcess(resume, argv, isOwnFolder(cwd) ? cwd : here, clock)
    this.#processes.set(sessionId, started)
    return started
  }

  /** Resolves when it has begun, ended well, or been silent for too long. Errors: what it failed with. */
  async begun(started: ResumeProcess): Promise<'begun' | 'ended' | 'silent'> {
    const { clock } = this.#options
    let stop = () => {}
    const news = new Promise<'begun'>((resolve) => (stop = started.onNews(() => resolve('begun'))))
    try {
      const first = await orLate(clock, beginMs, Promise.race([news, started.ended]), () => 'silent' as const)
      if (typeof first === 'string') return first
      if (first.exitCode === 0) return 'ended'
      throw notResumed(first, started.standing())
    } finally {
      stop()
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all([...this.#processes.values(), ...this.#leavers].map((one) => one.stop()))
  }
}

/** A resume that failed, in its own words if it had any. */
export class NotResumed extends Refused {
  constructor(code: string, message: string, hint: string | null) {
    super(409, code, message, hint)
  }
}

export function notResumed(end: Awaited<ResumeProcess['ended']>, { lines }: StartedResume): NotResumed {
  const { error, exitCode } = end
  if (error) return new NotResumed(error.code, error.message, error.hint)
  return new NotResumed(
    'resume-failed',
    `lastgood resume ended with ${exitCode ?? 'a signal'}: ${lines.at(-1) ?? 'it said nothing'}`,
    null,
  )
}

/**
 * The session's configuration is looked for in its folder, and is code: another user's folder is not used, whatever the
 * store says.
 */
function isOwnFolder(path: string | undefined): path is string {
  if (path === undefined || !isAbsolute(path)) return false
  const found = statSync(path, { throwIfNoEntry: false })
  return found?.isDirectory() === true && (process.getuid === undefined || found.uid === process.getuid())
}
