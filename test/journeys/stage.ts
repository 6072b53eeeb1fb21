/**
 * Where a journey takes place: an API that fails as scripted, its own home and project, and the built commands and the
 * project's programs as real processes.
 *
 * 1. The processes see nothing of this machine: no home, no variable, no status page, no network but the lab.
 * 2. No process outlives its journey.
 * 3. With `LASTGOOD_SCREENS=<folder>` the last content of each screen is saved there, as text.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withBlobs, type Entry, type EntryType, type Store } from '@lastgood/core'
import { fileStore } from '@lastgood/core/file'
import { startLab, type Lab, type LabOptions } from '@lastgood/outage-lab'
import { onTestFinished, vi } from 'vitest'
import { newFolder } from '../support/folder.ts'
import { startNode, type Ended, type RunningProcess } from '../support/running-process.ts'
import { openTerminal, type TestTerminal } from '../support/terminal.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

// A journey starts a dozen processes, on machines that may be busy.
vi.setConfig({ testTimeout: 90_000 })

/** Must appear in no log, export or screen. */
export const apiKey = 'sk-ant-api03-journey-secret-0123456789'

export type Env = Readonly<Record<string, string>>

/** `lastgood …`, `resume …`, or a program of the project. */
export type Command = 'lastgood' | 'resume' | 'main' | 'loop' | (string & {})

export class Journey {
  readonly lab: Lab
  readonly home: string
  /** The folder of the project, with `ran.log`. */
  readonly cwd: string
  readonly #env: Env

  constructor(lab: Lab, folder: string, env: Env) {
    this.lab = lab
    this.home = join(folder, 'home')
    this.cwd = newProject(join(folder, 'project'))
    mkdirSync(this.home)
    this.#env = env
  }

  get env(): Record<string, string> {
    return {
      PATH: process.env['PATH'] ?? '',
      HOME: this.home,
      LANG: 'C.UTF-8',
      LAB_URL: this.lab.url,
      ANTHROPIC_API_KEY: apiKey,
      LASTGOOD_STATUS_URL: 'off',
      ...this.#env,
    }
  }

  get store(): Store {
    return fileStore({ dir: join(this.home, '.local/state/lastgood') })
  }

  /** Without a terminal: a script, a CI job. */
  start(command: Command, argv: readonly string[] = [], changes: { env?: Env; cwd?: string } = {}): RunningProcess {
    const { cwd = this.cwd } = changes
    return startNode([fileOf(command, cwd), ...argv], { cwd, env: { ...this.env, ...changes.env } })
  }

  /** At a terminal; `sh` runs a line as a person types it, with `$lastgood` for the command. */
  terminal(
    command: Command,
    argv: readonly string[] = [],
    { env = {}, ...size }: { env?: Env; columns?: number; rows?: number } = {},
  ): TestTerminal {
    const words: [string, ...string[]] =
      command === 'sh'
        ? ['sh', '-c', argv.join(' ').replaceAll('$lastgood', `${process.execPath} ${fileOf('lastgood', this.cwd)}`)]
        : [process.execPath, fileOf(command, this.cwd), ...argv]
    return openTerminal(words, { cwd: this.cwd, env: { ...this.env, ...env }, ...size })
  }

  async run(command: Command, argv: readonly string[] = [], changes: { env?: Env; cwd?: string } = {}): Promise<Ended> {
    return this.start(command, argv, changes).ended
  }

  /** The one document on stdout. */
  async json<T = Record<string, unknown>>(
    command: Command,
    argv: readonly string[] = [],
    changes: { env?: Env; cwd?: string } = {},
  ): Promise<T & { code: number | null }> {
    const { code, stdout, stderr } = await this.run(command, [...argv, '--json'], changes)
    if (!stdout.startsWith('{')) throw new Error(`${command} ${argv.join(' ')} gave no document:\n${stdout}${stderr}`)
    return { ...(JSON.parse(stdout) as T), code }
  }

  /** What the tools did, in order. */
  get ran(): string[] {
    const log = join(this.cwd, 'ran.log')
    return existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []
  }

  async entries(id = 'fix-auth'): Promise<Entry[]> {
    const { store } = this
    const entries: Entry[] = []
    for await (const entry of withBlobs(store, id, store.read(id))) entries.push(entry)
    return entries
  }

  async entriesOf<T extends EntryType>(type: T, id?: string): Promise<(Entry & { type: T })[]> {
    return (await this.entries(id)).filter((entry): entry is Entry & { type: T } => entry.type === type)
  }

  async head(id = 'fix-auth') {
    return (await this.store.summary(id))?.head
  }
}

export async function journey(lab: LabOptions, env: Env = {}): Promise<Journey> {
  const running = await startLab(lab)
  onTestFinished(() => running.close())
  return new Journey(running, newFolder(), env)
}

/** A folder with the programs of a project, and the packages that they import. */
export function newProject(path: string): string {
  cpSync(join(import.meta.dirname, 'project'), path, { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(path, 'node_modules'))
  return path
}

function fileOf(command: Command, cwd: string): string {
  return command === 'lastgood' || command === 'resume'
    ? join(root, 'packages/cli/dist/bin', `${command}.js`)
    : join(cwd, `${command}.mjs`)
}

export const lastLine = (text: string): string | undefined => text.trimEnd().split('\n').at(-1)

/** Saves what a person saw last. */
export function keepScreen(name: string, screen: string): void {
  const folder = process.env['LASTGOOD_SCREENS']
  if (!folder) return
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, `${name}.txt`), `${screen.trimEnd()}\n`)
}
