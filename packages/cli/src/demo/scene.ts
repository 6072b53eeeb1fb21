/**
 * What the acts of the demo share: where everything is, what is shown, and the only child that may be running.
 *
 * 1. After `end` nothing more is started, and nothing that was started is left.
 */
import type { Store } from '@lastgood/core'
import type { Lab } from '@lastgood/outage-lab'
import type { CliContext, Env } from '../context.ts'
import { orLate } from '../or-late.ts'
import type { ColorMode, Palette } from '../terminal.ts'
import { widthOf } from '../text.ts'
import type { DemoFolder } from './folder.ts'
import { labVariable } from './lab-client.ts'
import type { Pace } from './outages.ts'
import { ProcessGroup } from './process-group.ts'

export interface SceneParts {
  readonly context: CliContext
  readonly color: ColorMode
  readonly folder: DemoFolder
  /** The store's address, for the children. */
  readonly address: string
  readonly store: Store
  readonly sessionId: string
  /** Undefined with the real API. */
  readonly lab: Lab | undefined
  readonly pace: Pace
  /** Of stderr, where everything is shown. */
  readonly palette: Palette
}

/** How long a child may take to suspend or close its session. */
const restMs = 1_500
const bannerColumns = 79

export class Scene {
  readonly parts: SceneParts
  readonly #ended = new AbortController()
  #group: ProcessGroup | undefined
  #isQuiet = false

  constructor(parts: SceneParts) {
    this.parts = parts
  }

  /** Starts `node <args>` in the demo folder, as its own process group. */
  start(args: readonly string[], onLine: (line: string) => void): ProcessGroup {
    this.#ended.signal.throwIfAborted()
    this.#group = new ProcessGroup(args, {
      cwd: this.parts.folder.path,
      env: this.#childEnv(),
      onLine: (line) => {
        if (!this.#isQuiet) onLine(line)
      },
      onErrorText: (text) => this.write(text),
    })
    return this.#group
  }

  #childEnv(): Env {
    return { ...this.parts.context.env, ...(this.parts.lab && { [labVariable]: this.parts.lab.url }) }
  }

  /** Text for people. */
  write(text: string): void {
    if (!this.#isQuiet) this.parts.context.stderr.write(text)
  }

  say(...lines: string[]): void {
    for (const line of lines) this.write(`${line}\n`)
  }

  /** One of the big moments: a line across the screen, with its meaning below. */
  banner(title: string, paint: (text: string) => string, meaning: string): void {
    const rule = '━'.repeat(Math.max(2, bannerColumns - 6 - widthOf(title)))
    this.say('', paint(this.parts.palette.bold(`━━━━ ${title} ${rule}`)), meaning, '')
  }

  /** Time to read what was shown. */
  async pause(ms: number): Promise<void> {
    const { clock } = this.parts.context
    await clock.sleepUntil(clock.now() + (this.parts.pace === 'readable' ? ms : 0), { signal: this.#ended.signal })
  }

  /** Calls `look` every few ms until it finds something. */
  async until<T>(look: () => T | undefined): Promise<T> {
    const { clock } = this.parts.context
    for (;;) {
      const found = look()
      if (found !== undefined) return found
      await clock.sleepUntil(clock.now() + 40, { signal: this.#ended.signal })
    }
  }

  /** Lets the child suspend or close its session, then ends the child. */
  async interrupt(): Promise<void> {
    this.#isQuiet = true
    this.#ended.abort(new Error('the demo was interrupted'))
    const group = this.#group
    if (!group) return
    group.interrupt()
    await orLate(this.parts.context.clock, restMs, group.exited, () => {})
    group.kill()
    await group.exited
  }

  end(): void {
    this.#ended.abort(new Error('the demo has ended'))
    this.#group?.kill()
  }
}
