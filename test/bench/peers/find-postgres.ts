/**
 * Finds the programs of a PostgreSQL server, and fetches them if there are none: from Debian's packages, unpacked into
 * a folder, as `test/support/find-redis-server.ts` does. Nothing is installed.
 */
import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { chmod, lstat, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cacheFolder } from './packages.ts'

const run = promisify(execFile)

export interface Postgres {
  /** The folder with `postgres` and `initdb`. */
  readonly bin: string
  readonly version: string
  readonly env: Readonly<Record<string, string>>
}

/** Errors: what was tried. */
export async function findPostgres(): Promise<Postgres> {
  const named = process.env['POSTGRES_BIN']
  for (const bin of named ? [named] : binIn('/')) return probe(bin, {})
  const folder = await unpacked().catch((error: Error) => {
    const hint = 'install one, or name its folder of programs in POSTGRES_BIN'
    throw new Error(`no PostgreSQL server, and none from Debian's packages; ${hint}: ${error.message}`, {
      cause: error,
    })
  })
  const [bin = ''] = binIn(folder)
  const lib = join(folder, 'usr/lib')
  const libraries = readdirSync(lib).filter((one) => one.endsWith('-linux-gnu'))
  return probe(bin, { LD_LIBRARY_PATH: libraries.map((one) => join(lib, one)).join(':') })
}

/** Debian keeps one folder for each version; the newest first. */
function binIn(root: string): string[] {
  const versions = join(root, 'usr/lib/postgresql')
  if (!existsSync(versions)) return []
  const found = readdirSync(versions).sort((one, other) => Number(other) - Number(one))
  return found.map((version) => join(versions, version, 'bin')).filter((bin) => existsSync(join(bin, 'initdb')))
}

async function probe(bin: string, env: Record<string, string>): Promise<Postgres> {
  const { stdout } = await run(join(bin, 'postgres'), ['--version'], { env: { ...process.env, ...env } })
  return { bin, version: /\d+(?:\.\d+)+/.exec(stdout)?.[0] ?? stdout.trim(), env }
}

async function unpacked(): Promise<string> {
  const parent = await sharedFolder()
  const folder = join(parent, 'postgres')
  if (existsSync(folder)) return folder
  const fresh = await mkdtemp(join(parent, 'fetching-'))
  const work = join(fresh, 'apt')
  try {
    await mkdir(join(work, 'lists/partial'), { recursive: true })
    await mkdir(join(work, 'cache/archives/partial'), { recursive: true })
    const own = ['-o', `Dir::State::Lists=${work}/lists`, '-o', `Dir::Cache=${work}/cache`, '-o', 'APT::Sandbox::User=']
    const limits = { cwd: work, timeout: 300_000, maxBuffer: 64 * 1024 * 1024 }
    await run('apt-get', ['update', '-q', ...own], limits)
    const wanted = ['install', '-s', '-q', '--no-install-recommends', ...own, 'postgresql']
    const { stdout } = await run('apt-get', wanted, limits)
    const packages = [...stdout.matchAll(/^Inst (\S+)/gm)].map((match) => match[1] ?? '')
    await run('apt-get', ['download', '-q', ...own, ...packages], limits)
    for (const file of readdirSync(work).filter((one) => one.endsWith('.deb'))) {
      await run('dpkg-deb', ['-x', join(work, file), fresh], limits)
    }
    if (binIn(fresh).length === 0) throw new Error('they have no server')
    await rm(work, { recursive: true, force: true })
    await chmod(fresh, 0o755)
    await rename(fresh, folder)
    return folder
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
}

/** PostgreSQL does not run as root, and another user cannot read root's home. */
async function sharedFolder(): Promise<string> {
  if (process.getuid?.() !== 0) {
    await mkdir(cacheFolder(), { recursive: true })
    return cacheFolder()
  }
  const folder = '/var/tmp/lastgood-peers'
  await mkdir(folder, { recursive: true, mode: 0o755 })
  const found = await lstat(folder)
  if (!found.isDirectory() || found.uid !== 0) throw new Error(`${folder} belongs to somebody else`)
  return folder
}
