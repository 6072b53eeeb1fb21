/**
 * The configuration file: where sessions are kept, and the agents that can go on with them, by name.
 *
 * 1. It is the only code that `resume` runs; nothing read from a store is ever executed.
 * 2. An agent may be a function, so that a command that needs no agent creates none.
 */
import { existsSync, lstatSync } from 'node:fs'
import { dirname, extname, join, resolve } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import type { CodingAgent } from '@lastgood/anthropic'
import { LastgoodError, type PolicyOptions, type StatusPageOptions, type Store } from '@lastgood/core'
import type { FleetConnection } from '@lastgood/fleet'
import type { CliContext } from './context.ts'
import type { Prices } from './cost/prices.ts'
import { ConfigError } from './failure.ts'
import { nearest } from './nearest.ts'

type Lazy<T> = T | (() => T | Promise<T>)

export interface LastgoodConfig {
  /**
   * Where sessions are kept: an address (`redis://…`, `file:<dir>`, a path) or a store. Default: the local folder.
   * `--store`, `LASTGOOD_STORE` and `REDIS_URL` override it.
   */
  store?: string | Lazy<Store>
  /** The agents by name. Default: none, as for sessions of clients behind the gateway. */
  agents?: Readonly<Record<string, Lazy<CodingAgent>>>
  /**
   * The Redis of a fleet's queue: an address, or an ioredis client, e.g. for Sentinel or a Cluster. Default: the
   * store's. `--queue` overrides it; so does a store named by a flag or a variable.
   */
  queue?: string | Lazy<FleetConnection>
  /** How faults are handled by `resume`, `gateway`, `run` and `worker`; `--max-wait` overrides its `horizonMs`. */
  policy?: PolicyOptions
  /**
   * The API's status page, shown during an outage and by `lastgood status`. `urls`: addresses of `summary.json`; the
   * first that answers counts. `everyMs`: minimum time between two polls, default 900,000 ms (15 min), capped at
   * 120,000 ms while an outage is waited out. False: it is never polled. Default: Anthropic's. `--no-page` and
   * `LASTGOOD_STATUS_URL` override it.
   */
  statusPage?: false | Pick<StatusPageOptions, 'urls' | 'everyMs'>
  /** Input prices of models, by requested model name; they override the built-in ones. USD. */
  prices?: Prices
  /** `resume` asks first if what it will read costs more than this; `--yes` answers. USD. Default: it never asks. */
  confirmAboveUsd?: number
  /** Requests per minute of all workers of a fleet together, by requested model. Default: no limit. */
  perMinute?: Readonly<Record<string, number>>
  /** `SessionOptions.machineVersion` of the sessions that `resume` opens. Default: the release's own. */
  machineVersion?: string
}

/** Types the default export of `lastgood.config.*`. */
export function defineConfig(config: LastgoodConfig): LastgoodConfig {
  return config
}

export interface LoadedConfig {
  readonly path: string
  readonly config: LastgoodConfig
}

const fileNames = ['ts', 'mts', 'mjs', 'js'].map((extension) => `lastgood.config.${extension}`)
const namesFile = 'give --config the path of a lastgood.config.mjs'
const example = "export default defineConfig({ agents: { coder: defineAgent({ name: 'coder', … }) } })"

/**
 * The configuration file named by `--config`, else the next one from the working folder upwards; undefined if none. One in
 * TypeScript that cannot be imported here gives way to one in JavaScript beside it.
 */
export async function loadConfig(context: CliContext, option: string | undefined): Promise<LoadedConfig | undefined> {
  // An empty path would mean the current folder, which nobody wants: it comes from an unset variable in a script.
  if (option?.trim() === '') {
    throw new LastgoodError('bad-option', '--config is empty; is the variable set?', { hint: namesFile })
  }
  const named = option === undefined ? undefined : resolve(context.cwd, option)
  if (named !== undefined && !existsSync(named)) {
    throw new ConfigError(`there is no configuration file ${named}`, { hint: namesFile })
  }
  let refused: ConfigError | undefined
  for (const path of named === undefined ? findConfigs(context.cwd) : [named]) {
    let module: { default?: unknown }
    try {
      module = (await settled(() => import(pathToFileURL(path).href), path)) as typeof module
    } catch (cause) {
      if (cause instanceof ConfigError) throw cause
      if (!isUnknownForm(path, cause)) {
        throw new ConfigError(`${path} could not be loaded`, {
          hint: `${isTakenForCommonJs(cause) ? makesModule : 'correct it'}; this shows more: node ${path}`,
          cause,
        })
      }
      refused ??= new ConfigError(`${path}: this Node (${context.node.version}) cannot import TypeScript`, {
        hint: 'use Node 22.18 or newer, or write the file as lastgood.config.mjs',
      })
      continue
    }
    return { path, config: await checkedConfig(path, module.default) }
  }
  if (refused) throw refused
  return undefined
}

/** Only trying tells it: besides newer versions of Node, a loader (tsx, ts-node) imports TypeScript. */
const isUnknownForm = (path: string, error: unknown): boolean =>
  error instanceof Error &&
  (error as NodeJS.ErrnoException).code === 'ERR_UNKNOWN_FILE_EXTENSION' &&
  error.message.includes(`"${extname(path)}"`)

/** It, or a file that it imports, has `import` or `export` and is a `.js` or `.ts` where no package.json says `module`. */
const isTakenForCommonJs = (error: unknown): boolean =>
  error instanceof SyntaxError && /outside a module|Unexpected token 'export'/.test(error.message)
const makesModule = 'say "type": "module" in package.json, or end its name in .mjs (TypeScript: .mts)'

/** The error for a missing configuration file, which says what to write. */
export function missingConfig({ cwd }: CliContext, agent: string): ConfigError {
  return new ConfigError(`no configuration file in ${cwd} or above, so there is no agent ${JSON.stringify(agent)}`, {
    hint: `run this in the project of the session, or write lastgood.config.mjs: ${example}`,
  })
}

/** The agent that is called `name`. */
export async function agentNamed(name: string, { path, config }: LoadedConfig): Promise<CodingAgent> {
  const { agents = {} } = config
  const names = Object.keys(agents)
  const lazy = Object.hasOwn(agents, name) ? agents[name] : undefined
  if (lazy === undefined) {
    const meant = nearest(name, names)
    const there = names.length === 0 ? 'it has none' : `it has ${names.join(', ')}`
    throw new ConfigError(`${path} has no agent ${JSON.stringify(name)}; ${there}`, {
      hint: `add it under agents${meant === undefined ? '' : `; was ${JSON.stringify(meant)} renamed? Then keep the old name`}`,
    })
  }
  const agent = await made(lazy, `${path}: agents.${name}`)
  if (agent?.name === name && typeof agent.run === 'function') return agent
  const what = typeof agent?.run === 'function' ? `an agent called ${JSON.stringify(agent.name)}` : 'no agent'
  throw new ConfigError(`${path}: agents.${name} is ${what}`, {
    hint: `sessions find it by its name: write agents: { ${JSON.stringify(name)}: defineAgent({ name: ${JSON.stringify(name)}, … }) }`,
  })
}

/** The value of something that may be a function; an error names the place. */
export async function made<T extends object>(lazy: Lazy<T>, place: string): Promise<T> {
  if (typeof lazy !== 'function') return lazy
  try {
    return await settled(lazy, place)
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause
    throw new ConfigError(`${place} threw an error`, { hint: 'correct it, then run this again', cause })
  }
}

/**
 * Runs `work`, which is code from a configuration file. What it prints goes to stderr: stdout is for data. Errors:
 * `ConfigError` if it awaits something that never comes; the process would otherwise end silently.
 */
async function settled<T>(work: () => T | Promise<T>, place: string): Promise<T> {
  let tell = () => {}
  const never = new Promise<never>((_, reject) => {
    const hint = 'see what it waits for, then run this again'
    tell = () => reject(new ConfigError(`${place} waits for something that never comes`, { hint }))
  })
  process.once('beforeExit', tell)
  const done = printsAsTalk()
  try {
    return await Promise.race([work(), never])
  } finally {
    done()
    process.off('beforeExit', tell)
  }
}

let talking = 0
let printers: Partial<Console> = {}

/** Sends what is printed to stderr until every caller has called the function it got, in any order. */
function printsAsTalk(): () => void {
  const { log, info, debug, error } = console
  if (talking === 0) {
    printers = { log, info, debug }
    Object.assign(console, { log: error, info: error, debug: error })
  }
  talking += 1
  return () => {
    talking -= 1
    if (talking === 0) Object.assign(console, printers)
  }
}

/** All of the nearest folder that has any. */
function findConfigs(cwd: string): string[] {
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    const found = fileNames.map((name) => join(folder, name)).filter(isThere)
    if (found.length > 0 || folder === dirname(folder)) return found
  }
}

/** True also for a dangling link: it is reported, not skipped. */
function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined
  } catch {
    return false
  }
}

async function checkedConfig(path: string, value: unknown): Promise<LastgoodConfig> {
  if (value === undefined) throw new ConfigError(`${path} has no default export`, { hint: example })
  // Loaded only here: without a file, loading the checker would be a large part of a start.
  const { mistakeInConfig } = await import('./config-check.ts')
  const mistake = mistakeInConfig(value)
  if (mistake === undefined) return value as LastgoodConfig
  throw new ConfigError(`${path}: ${mistake.what}`, { hint: mistake.hint ?? example })
}

/** Names of the agents of a configuration. */
export const agentNames = (config: LastgoodConfig | undefined): ReadonlySet<string> =>
  new Set(Object.keys(config?.agents ?? {}))
