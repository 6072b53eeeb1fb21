/**
 * The configuration file: where sessions are, and the agents that can go on with them, by name.
 *
 * 1. It is the only code that `resume` runs; nothing that was read from a store is ever executed.
 * 2. Agents may be functions, so that a command that needs none of them makes none.
 */
import { existsSync, lstatSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import type { CodingAgent } from '@lastgood/anthropic'
import { LastgoodError, type PolicyOptions, type StatusPageOptions, type Store } from '@lastgood/core'
import type { FleetConnection } from '@lastgood/fleet'
import type { CliContext } from './context.ts'
import type { Price } from './cost/prices.ts'
import { ConfigError } from './failure.ts'
import { nearest } from './nearest.ts'

type Lazy<T> = T | (() => T | Promise<T>)

export interface LastgoodConfig {
  /**
   * Where sessions are kept: an address (`redis://…`, `file:<dir>`, a path) or a store. Default: the local folder.
   * `--store`, `LASTGOOD_STORE` and `REDIS_URL` come before it.
   */
  store?: string | Lazy<Store>
  /** The agents by their names. Default: none, as for sessions of clients behind the gateway. */
  agents?: Readonly<Record<string, Lazy<CodingAgent>>>
  /**
   * The Redis of a fleet's queue: an address, or a client of ioredis, as for Sentinel or a Cluster. Default: that of the
   * store. `--queue` comes before it; so does the store that a flag or a variable names.
   */
  queue?: string | Lazy<FleetConnection>
  /** How faults are answered; `--max-wait` comes before its `horizonMs`. */
  policy?: PolicyOptions
  /**
   * The API's status page, shown while an outage lasts and by `lastgood status`. `urls`: addresses of `summary.json`, the
   * first that answers counts; `everyMs`: least time between two polls, default 900,000 ms (15 min), while an outage is
   * waited out 120,000 ms at most; false: it is never asked. Default: Anthropic's. `--no-page` and `LASTGOOD_STATUS_URL` come
   * before it.
   */
  statusPage?: false | Pick<StatusPageOptions, 'urls' | 'everyMs'>
  /** What models cost to read, before the built-in prices; by the model's name as it is asked for. USD. */
  prices?: Readonly<Record<string, Price>>
  /** `resume` asks first when what it will read costs more than this; `--yes` answers. USD. Default: it never asks. */
  confirmAboveUsd?: number
  /** Requests a minute of all workers of a fleet together, by the model that is asked for. Default: no limit. */
  perMinute?: Readonly<Record<string, number>>
  /** `SessionOptions.machineVersion` of the sessions that `resume` opens. Default: the release's own. */
  machineVersion?: string
}

/** Gives the type to what `lastgood.config.*` exports as its default. */
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

/** The configuration file named by `--config`, else the next one from the working folder upwards; undefined: none. */
export async function loadConfig(context: CliContext, option: string | undefined): Promise<LoadedConfig | undefined> {
  // It would be the current folder, which nobody means: a variable of a script has no value.
  if (option?.trim() === '') {
    throw new LastgoodError('bad-option', '--config is empty; is the variable set?', { hint: namesFile })
  }
  const path = option === undefined ? findConfig(context) : resolve(context.cwd, option)
  if (path === undefined) return undefined
  if (option !== undefined && !existsSync(path)) {
    throw new ConfigError(`there is no configuration file ${path}`, { hint: namesFile })
  }
  if (isTypeScript(path) && !context.node.importsTypeScript) {
    throw new ConfigError(`${path}: this Node (${context.node.version}) cannot import TypeScript`, {
      hint: 'use Node 22.18 or newer, or write the file as lastgood.config.mjs',
    })
  }
  let module: { default?: unknown }
  try {
    module = (await settled(() => import(pathToFileURL(path).href), path)) as typeof module
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause
    throw new ConfigError(`${path} could not be loaded`, { hint: `correct it; this shows more: node ${path}`, cause })
  }
  return { path, config: await checkedConfig(path, module.default) }
}

/** What is needed when there is no configuration file. */
export function missingConfig({ cwd }: CliContext, agent: string): ConfigError {
  return new ConfigError(
    `no configuration file in ${cwd} or above, so nobody knows the agent ${JSON.stringify(agent)}`,
    {
      hint: `run this in the project of the session, or write lastgood.config.mjs: ${example}`,
    },
  )
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

/** The value of something that may be a function; its error names the place. */
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
 * The result of `work`, which is code of a configuration file. What it prints goes to stderr: stdout is for data. Errors:
 * `ConfigError` where it waits for something that never comes; the process would otherwise end without a word.
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

/** Sends what is printed to stderr, until each caller has called the function that it got; the order does not matter. */
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

function findConfig({ cwd, node }: CliContext): string | undefined {
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    const found = fileNames.map((name) => join(folder, name)).filter(isThere)
    const first = found.find((path) => node.importsTypeScript || !isTypeScript(path)) ?? found[0]
    if (first !== undefined || folder === dirname(folder)) return first
  }
}

/** Also a link to nothing: it is told, and not passed over. */
function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined
  } catch {
    return false
  }
}

const isTypeScript = (path: string): boolean => /\.m?ts$/.test(path)

async function checkedConfig(path: string, value: unknown): Promise<LastgoodConfig> {
  if (value === undefined) throw new ConfigError(`${path} has no default export`, { hint: example })
  // Loaded only here: where there is no file, what checks one would be a large part of a start.
  const { mistakeInConfig } = await import('./config-check.ts')
  const mistake = mistakeInConfig(value)
  if (mistake === undefined) return value as LastgoodConfig
  throw new ConfigError(`${path}: ${mistake.what}`, { hint: mistake.hint ?? example })
}

/** Names of the agents of a configuration. */
export const agentNames = (config: LastgoodConfig | undefined): ReadonlySet<string> =>
  new Set(Object.keys(config?.agents ?? {}))
