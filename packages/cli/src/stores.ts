/**
 * Which store a command uses, and why.
 *
 * 1. Order: `--store`, `LASTGOOD_STORE`, `REDIS_URL`, the configuration file, the local folder. The first one that is
 *    set is used; if it cannot be reached, that is an error, never a reason to look elsewhere.
 * 2. This file closes what it opens. No password reaches a message.
 */
import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LastgoodError, shellWord, type Store } from '@lastgood/core'
import { fileStore, stateDir } from '@lastgood/core/file'
import { made, type LoadedConfig } from './config.ts'
import type { CliContext } from './context.ts'
import { ConfigError } from './failure.ts'
import { shownAddress } from './shown-address.ts'
import { safeLine } from './text.ts'

export interface StoreChoice {
  /** What chose it, for people: `--store`, `LASTGOOD_STORE`, a file's path. */
  readonly source: string
  /** Where it is, without a password; described in words if only code knows. */
  readonly shown: string
  /** How to choose it on a command line; empty where no flag is needed. */
  readonly flag: string
  /**
   * The address for a process in any folder. Never shown: it may hold a password. Absent if only code can make the
   * store.
   */
  readonly address?: string
  open(): Promise<OpenStore>
}

export interface OpenStore {
  readonly store: Store
  readonly source: string
  close(): Promise<void>
}

/** For people: where the store is, and what chose it. */
export function placeText(location: string, source: string): string {
  return `${safeLine(location)} (${safeLine(source)})`
}

/** The same as a line of its own. */
export const storeLine = (location: string, source: string): string => `store    ${placeText(location, source)}`

/** The folder of a store of files that is not there: mistyped, or on a disk that is not mounted. It looks empty. */
export function missingFolder(location: string): string | undefined {
  const folder = location.startsWith('file:') ? location.slice('file:'.length) : undefined
  return folder !== undefined && !existsSync(folder) ? folder : undefined
}

/** Every configured store, beginning with the one to use. There is always one. */
export function storeChoices(
  context: CliContext,
  option: string | undefined,
  loaded: LoadedConfig | undefined,
): [StoreChoice, ...StoreChoice[]] {
  const choices: StoreChoice[] = []
  if (option !== undefined)
    choices.push(addressed(context, '--store', option, `--store ${shellWord(shownAddress(option))}`))
  for (const name of ['LASTGOOD_STORE', 'REDIS_URL']) {
    const address = context.env[name]
    if (address) choices.push(addressed(context, name, address, `--store "$${name}"`))
  }
  const configured = loaded?.config.store
  if (loaded && configured !== undefined) choices.push(fromConfig(context, loaded, configured))
  const dir = stateDir(context.env, context.home)
  const local: StoreChoice = {
    source: 'the default',
    shown: `file:${dir}`,
    flag: `--store ${shellWord(`file:${dir}`)}`,
    address: `file:${dir}`,
    open: async () => fromFolder(context, dir, 'the default'),
  }
  // Programs do not read the environment: the store that they make with fileStore() is there.
  const programs = stateDir({}, context.home)
  const ofPrograms = addressed(context, 'programs', `file:${programs}`, `--store ${shellWord(`file:${programs}`)}`)
  // The first one needs no flag, unless a flag chose it.
  const [first, ...others] = [...choices, local, ...(programs === dir ? [] : [ofPrograms])]
  return [{ ...(first ?? local), flag: option === undefined ? '' : (first?.flag ?? '') }, ...others]
}

/** An address that names no place is a choice too; opening it fails and says why. `field`: where it comes from. */
function addressed(
  context: CliContext,
  source: string,
  address: string,
  flag: string,
  field: string = source,
): StoreChoice {
  if (!isFolder(address)) {
    const open = () => openRemote(context, address, source, field)
    return { source, shown: shownAddress(address), flag, address, open }
  }
  try {
    const dir = folderOf(context, address, field)
    const shown = `file:${dir}`
    return { source, shown, flag, address: shown, open: async () => fromFolder(context, dir, source) }
  } catch (error) {
    return { source, shown: shellWord(address), flag, open: () => Promise.reject(error) }
  }
}

function fromConfig(context: CliContext, { path }: LoadedConfig, store: string | object): StoreChoice {
  if (typeof store === 'string') {
    // The file may have been found in a folder above: its paths are relative to its own folder.
    const beside = { ...context, cwd: dirname(path) }
    const choice = addressed(beside, path, store, `--store ${shellWord(shownAddress(store))}`, `${path}: store`)
    const { address } = choice
    return isFolder(store) && address !== undefined ? { ...choice, flag: `--store ${shellWord(address)}` } : choice
  }
  return {
    source: path,
    shown: 'a store that the file makes',
    flag: '',
    async open() {
      const opened = await made(store as Store | (() => Store), `${path}: store`)
      if (typeof opened?.summary !== 'function') {
        throw new ConfigError(`${path}: store is not a store`, {
          hint: "write an address (store: 'redis://127.0.0.1:6379') or a store (store: fileStore({ dir }))",
        })
      }
      return { store: opened, source: path, close: () => opened.close() }
    },
  }
}

async function openRemote(context: CliContext, address: string, source: string, field: string): Promise<OpenStore> {
  const [, scheme = ''] = remote.exec(address) ?? []
  if (!/^rediss?$/i.test(scheme)) {
    throw new LastgoodError('bad-option', `${field} names a store of an unknown kind: ${safeLine(scheme)}`, {
      hint: addressForms,
    })
  }
  // Loaded only here: most commands start without it.
  const [{ redisStore }, { connectRedis }] = await Promise.all([import('@lastgood/redis'), import('./redis-client.ts')])
  const client = await connectRedis(address, context.clock, field)
  // Every command was awaited, so nothing is lost; QUIT would wait for a server that may be gone.
  const close = async () => client.disconnect()
  return { store: redisStore(client), source, close }
}

const addressForms = 'write redis://host:6379, rediss://host:6379, file:<folder>, or the path of a folder'

/** Errors: `bad-option`. */
function folderOf({ cwd, home }: CliContext, address: string, field: string): string {
  // An empty path would mean the current folder, which nobody wants: it comes from an unset variable in a script.
  if (/^(?:file:(?:\/\/)?)?\s*$/i.test(address)) {
    throw new LastgoodError('bad-option', `${field} is empty; is the variable set?`, { hint: addressForms })
  }
  if (!/^file:\/\//i.test(address)) return resolve(cwd, address.replace(/^file:/i, '').replace(/^~(?=\/|$)/, home))
  try {
    return fileURLToPath(address)
  } catch {
    throw new LastgoodError('bad-option', `${field} is not a folder on this machine: ${safeLine(address)}`, {
      hint: 'write file:<folder>, or file:/// and a path from the root',
    })
  }
}

const remote = /^(?!file:)([a-z][a-z0-9+.-]+):/i
const isFolder = (address: string): boolean => !remote.test(address)

function fromFolder({ stderr, clock }: CliContext, dir: string, source: string): OpenStore {
  const store = fileStore({
    dir,
    clock,
    onWarning: ({ file, bytes }) =>
      stderr.write(
        `note: ${safeLine(file)}: its last ${bytes} bytes were never acknowledged (a crash) and are left out\n`,
      ),
  })
  return { store, source, close: () => store.close() }
}
