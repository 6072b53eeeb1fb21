/** Installs a client from the npm registry, once for each version, beside the project's own cache. */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ended, listen } from './child.ts'
import type { Client } from './clients.ts'
import { root } from './places.ts'

export type Installed = { readonly bin: string } | { readonly missing: string }

const cache = join(root, 'node_modules/.cache/lastgood-clients')
const folderOf = ({ name, version }: Client): string => join(cache, `${name}-${version}`)

const { CI, LASTGOOD_CLIENTS: asked = CI ? '1' : '' } = process.env

/** Clients are large: only in CI, with LASTGOOD_CLIENTS=1 (0: never), or if they are already installed. */
export const isWanted = (client: Client): boolean => asked !== '0' && (asked !== '' || existsSync(folderOf(client)))

/** The largest took 25 s where nothing was cached. */
const patienceMs = 120_000
/** A registry that does not answer is reported soon. */
const impatient = ['--fetch-retries=2', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=5000']

/** The installed clients by name. */
export async function installAll(clients: Iterable<Client>, signal?: AbortSignal): Promise<Map<string, Installed>> {
  const each = [...new Set(clients)].map(async (client) => [client.name, await install(client, signal)] as const)
  return new Map(await Promise.all(each))
}

async function install(client: Client, signal: AbortSignal | undefined): Promise<Installed> {
  const folder = folderOf(client)
  if (existsSync(folder)) return { bin: join(folder, 'node_modules/.bin') }
  mkdirSync(cache, { recursive: true })
  const begun = mkdtempSync(join(cache, '.begun-'))
  try {
    writeFileSync(join(begun, 'package.json'), '{ "private": true }\n')
    const args = ['install', '--no-audit', '--no-fund', '--loglevel=error', ...impatient, ...client.packages]
    const child = spawn('npm', args, { cwd: begun, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    const heard = listen(child)
    const patience = AbortSignal.any([AbortSignal.timeout(patienceMs), ...(signal ? [signal] : [])])
    const code = await ended(child, patience).catch((error: unknown) => String(error))
    if (code !== 0) return { missing: `npm install failed (${whyOf(code)}): ${reasonIn(heard())}` }
    moveTo(folder, begun)
    return { bin: join(folder, 'node_modules/.bin') }
  } finally {
    rmSync(begun, { recursive: true, force: true })
  }
}

/** Atomically: another process may have installed the same meanwhile, and be using it. */
function moveTo(folder: string, begun: string): void {
  try {
    renameSync(begun, folder)
  } catch (error) {
    if (!existsSync(folder)) throw error
  }
}

const whyOf = (code: number | string | null): string =>
  code === null ? `not done after ${patienceMs / 1000} s` : typeof code === 'number' ? `exit ${code}` : code

/** npm reports the reason in many lines: the longest says most. */
function reasonIn(said: string): string {
  const lines = said.split('\n').map((line) => line.replace(/^npm (error|ERR!) ?/, '').trim())
  return lines.reduce((longest, line) => (line.length > longest.length ? line : longest), '').slice(0, 200)
}
