/**
 * Every setting of the command line: its effective value, and where that came from.
 *
 * 1. Of a secret, only whether it is set is read and shown. No address is shown with its password.
 * 2. Nothing is opened or queried: a store that is down is still shown.
 */
import { defaultStatusUrls, resolvePolicy } from '@lastgood/core'
import { stateDir } from '@lastgood/core/file'
import type { CommonOptions } from '../common-options.ts'
import type { LoadedConfig } from '../config.ts'
import type { CliContext, Env } from '../context.ts'
import { spent } from '../durations.ts'
import { shownAddress } from '../shown-address.ts'
import type { StoreChoice } from '../stores.ts'
import { terminalOf } from '../terminal.ts'

export interface Setting {
  readonly name: string
  /** For a secret: whether it is set. */
  readonly value: string | boolean | null
  readonly from: 'flag' | 'environment' | 'file' | 'default'
  /** The flag, the variable, or the path of the file. */
  readonly by: string | null
}

export interface Known {
  options: CommonOptions
  /** The store in use; undefined if a file that cannot be loaded would decide. */
  store: StoreChoice | undefined
  loaded: LoadedConfig | undefined
}

export function settingsOf(context: CliContext, { options, store, loaded }: Known): Setting[] {
  const { env, home, stdout } = context
  const policy = resolvePolicy(loaded?.config.policy)
  const inFile = (value: unknown) =>
    value === undefined || !loaded ? byDefault : { from: 'file' as const, by: loaded.path }
  const { config = {} } = loaded ?? {}
  return [
    { name: 'store', value: store?.shown ?? 'unknown: the configuration cannot be loaded', ...originOf(store) },
    {
      name: 'configuration',
      value: loaded?.path ?? null,
      ...(options.config === undefined ? byDefault : byFlag('--config')),
    },
    { name: 'agents', value: Object.keys(config.agents ?? {}).join(', ') || null, ...inFile(config.agents) },
    {
      name: 'state folder',
      value: stateDir(env, home),
      ...byVariable(env, ['XDG_STATE_HOME'], env['XDG_STATE_HOME']?.startsWith('/')),
    },
    {
      name: 'colours',
      value: terminalOf(stdout, env, options.color).palette.isColorSupported ? 'yes' : 'no',
      ...colourOrigin(env, options, stdout.isTTY),
    },
    { name: 'status page', ...statusPageOf(env, loaded) },
    {
      name: 'wait out an outage',
      value: Number.isFinite(policy.horizonMs) ? spent(policy.horizonMs) : 'forever',
      ...inFile(config.policy?.horizonMs),
    },
    {
      name: 'confirm above',
      value: config.confirmAboveUsd === undefined ? null : `$${config.confirmAboveUsd}`,
      ...inFile(config.confirmAboveUsd),
    },
    { name: 'queue of the fleet', ...queueOf(loaded, originOf(store)) },
    { name: 'requests a minute', value: perMinuteIn(config), ...inFile(config.perMinute) },
    { name: 'own prices', value: Object.keys(config.prices ?? {}).join(', ') || null, ...inFile(config.prices) },
    { name: 'machine version', value: config.machineVersion ?? "the release's own", ...inFile(config.machineVersion) },
    { name: 'gateway token', ...secret(env, ['LASTGOOD_GATEWAY_TOKEN']) },
    { name: 'dashboard token', ...secret(env, ['LASTGOOD_DASHBOARD_TOKEN']) },
    { name: 'gateway proxy', ...proxyOf(env) },
    { name: 'log', value: env['LASTGOOD_LOG'] || 'text', ...byVariable(env, ['LASTGOOD_LOG']) },
    { name: 'API key', ...secret(env, ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN']) },
    { name: 'debug', value: Boolean(env['LASTGOOD_DEBUG']), ...byVariable(env, ['LASTGOOD_DEBUG']) },
  ]
}

type Origin = Pick<Setting, 'from' | 'by'>

const byDefault: Origin = { from: 'default', by: null }
const byFlag = (flag: string): Origin => ({ from: 'flag', by: flag })

function byVariable(env: Env, names: readonly string[], isValid = true): Origin {
  const name = names.find((one) => env[one])
  return name === undefined || !isValid ? byDefault : { from: 'environment', by: name }
}

function secret(env: Env, names: readonly string[]): Pick<Setting, 'value'> & Origin {
  return { value: names.some((name) => env[name]), ...byVariable(env, names) }
}

function originOf(store: StoreChoice | undefined): Origin {
  if (!store || store.source === 'the default') return byDefault
  if (store.source === '--store') return byFlag('--store')
  if (/^[A-Z_]+$/.test(store.source)) return { from: 'environment', by: store.source }
  return { from: 'file', by: store.source }
}

/** In the same order as `terminalOf`. */
function colourOrigin(env: Env, { color }: CommonOptions, isTerminal = false): Origin {
  if (color !== 'auto') return byFlag('--color')
  const name = ['NO_COLOR', 'FORCE_COLOR'].find((one) => env[one])
  if (name !== undefined) return { from: 'environment', by: name }
  return isTerminal && env['TERM'] === 'dumb' ? { from: 'environment', by: 'TERM' } : byDefault
}

function statusPageOf(env: Env, loaded: LoadedConfig | undefined): Pick<Setting, 'value'> & Origin {
  const url = env['LASTGOOD_STATUS_URL']
  if (url) return { value: shownAddress(url), ...byVariable(env, ['LASTGOOD_STATUS_URL']) }
  const chosen = loaded?.config.statusPage
  if (loaded && chosen === false) return { value: 'off', from: 'file', by: loaded.path }
  const urls = (chosen || {}).urls
  const shown = (urls ?? defaultStatusUrls).map(shownAddress).join(', ')
  return { value: shown, ...(loaded && urls ? { from: 'file' as const, by: loaded.path } : byDefault) }
}

/** The file's queue belongs to its store: it does not count if a flag or a variable names another store. */
function queueOf(loaded: LoadedConfig | undefined, { from }: Origin): Pick<Setting, 'value'> & Origin {
  const queue = loaded?.config.queue
  if (!loaded || queue === undefined || from === 'flag' || from === 'environment')
    return { value: 'that of the store', ...byDefault }
  const value = typeof queue === 'string' ? shownAddress(queue) : 'a client that it makes'
  return { value, from: 'file', by: loaded.path }
}

function perMinuteIn({ perMinute = {} }: Partial<LoadedConfig['config']>): string | null {
  return (
    Object.entries(perMinute)
      .map(([model, most]) => `${model} ${most}`)
      .join(', ') || null
  )
}

function proxyOf(env: Env): Pick<Setting, 'value'> & Origin {
  const name = ['https_proxy', 'HTTPS_PROXY'].find((one) => env[one] !== undefined)
  const address = name === undefined ? '' : (env[name] ?? '')
  return {
    value: address === '' ? null : shownAddress(address),
    ...(name !== undefined && address !== '' ? { from: 'environment' as const, by: name } : byDefault),
  }
}
