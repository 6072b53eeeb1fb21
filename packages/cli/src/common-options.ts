/** Options that several commands share, in the same words. Each declares its own: commander's root swallows them. */
import { Option, type Command } from 'commander'
import { shellWord } from '@lastgood/core'
import { loadConfig, type LastgoodConfig, type LoadedConfig } from './config.ts'
import type { CliContext } from './context.ts'
import { storeChoices, type StoreChoice } from './stores.ts'
import { colorModes, type ColorMode } from './terminal.ts'

/** Those of `withStoreOptions`. */
export interface StoreOptions {
  store?: string
  config?: string
}

export interface CommonOptions extends StoreOptions {
  color: ColorMode
  json?: boolean
}

/** The description of an argument that names one session. */
export const sessionWords = "a session id, or last: this folder's most recently written session"

/** For commands that neither draw nor print a document. */
export function withStoreOptions(command: Command): Command {
  return command
    .option('--store <url>', 'redis://host, file:<folder> or a path (LASTGOOD_STORE)')
    .option('--config <path>', 'default: lastgood.config.* here or in a folder above')
}

/** For commands whose output never ends, and so is not a document. */
export function withLiveOptions(command: Command): Command {
  return withStoreOptions(command).addOption(
    new Option('--color <when>', 'colours').choices(colorModes).default('auto'),
  )
}

export function withCommonOptions(command: Command): Command {
  return withLiveOptions(command).option('--json', 'one JSON document on stdout')
}

export function jsonlOption(what: string): Option {
  return new Option('--jsonl', what).conflicts('json')
}

/** What the command line and the configuration file say. */
export interface SetUp {
  /** Undefined if there is none; throws the error that occurred while loading it. */
  config(): LoadedConfig | undefined
  /** No flag and no variable names a store, so the configuration may. */
  readonly hasWordOnStore: boolean
  readonly choices: [StoreChoice, ...StoreChoice[]]
  /** The flag that names the same configuration; empty where it is found without one. */
  readonly configFlag: string
  /** The flags that lead a later command to the same place. */
  readonly flags: readonly string[]
}

/**
 * With `wantsConfig` the configuration is loaded even where it does not choose the store; an error in it is then thrown
 * only by `config()`.
 */
export async function setUp(context: CliContext, options: StoreOptions, wantsConfig: boolean): Promise<SetUp> {
  const { LASTGOOD_STORE, REDIS_URL } = context.env
  const isChosen = options.store !== undefined || Boolean(LASTGOOD_STORE || REDIS_URL)
  let loaded: LoadedConfig | undefined
  let failure: { reason: unknown } | undefined
  try {
    if (wantsConfig || !isChosen) loaded = await loadConfig(context, options.config)
  } catch (reason) {
    if (!isChosen) throw reason
    failure = { reason }
  }
  const choices = storeChoices(context, options.store, loaded)
  const configFlag = options.config === undefined ? '' : `--config ${shellWord(options.config)}`
  return {
    choices,
    hasWordOnStore: !isChosen,
    configFlag,
    flags: [choices[0].flag, configFlag].filter((flag) => flag !== ''),
    config() {
      if (failure) throw failure.reason
      return loaded
    },
  }
}

/** For callers that can do without a configuration: undefined also for one that cannot be loaded. */
export function configOrNone({ config }: Pick<SetUp, 'config'>): LastgoodConfig | undefined {
  try {
    return config()?.config
  } catch {
    return undefined
  }
}
