// Finds a real redis-server for the tests, and fetches one if there is none.
//
// 1. The order is REDIS_SERVER_BIN, PATH, our cache folder, Debian's packages unpacked into the cache folder.
// 2. Nothing is installed: no root, no service, no change outside the cache folder.
// 3. Two processes may fetch at once: each unpacks into a folder of its own, and one rename wins.
// 4. A binary counts only after it has reported its version, so a half-written folder is never used.

import { execFile } from 'node:child_process'
import { accessSync, constants, readdirSync, type Dirent } from 'node:fs'
import { lstat, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { homedir, tmpdir, userInfo } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const oldest = [6, 2] as const
const packages = ['redis-server', 'redis-tools', 'libjemalloc2', 'liblzf1']

export interface RedisServer {
  command: string
  version: string
  from: 'REDIS_SERVER_BIN' | 'PATH' | 'cache' | 'download'
  /** What a binary outside the system's folders needs to find its libraries. */
  env: Record<string, string>
}

export interface FindOptions {
  /** Default: process.env. */
  env?: Record<string, string | undefined>
  /** Unpacks a redis-server to `<folder>/usr/bin/redis-server`. Default: from Debian's packages. */
  download?: (folder: string) => Promise<void>
}

export async function findRedisServer(options: FindOptions = {}): Promise<RedisServer> {
  const env = options.env ?? process.env
  const download = options.download ?? downloadFromDebian

  if (env['REDIS_SERVER_BIN']) {
    const found = await probe(env['REDIS_SERVER_BIN'], 'REDIS_SERVER_BIN')
    if (typeof found === 'string') throw new Error(`REDIS_SERVER_BIN cannot be used: ${found}`)
    return found
  }

  const tried: string[] = []
  for (const command of onPath(env['PATH'] ?? '')) {
    const found = await probe(command, 'PATH')
    if (typeof found !== 'string') return found
    tried.push(found)
  }
  if (tried.length === 0) tried.push('PATH has neither redis-server nor valkey-server')

  try {
    const cache = await cacheFolder(env)
    const cached = await inCache(cache)
    return cached ?? (await fetchInto(cache, download))
  } catch (error) {
    tried.push(`it could not be fetched: ${lastLine(error)}`)
  }
  throw new Error(
    [
      'These tests need a real redis-server, version 6.2 or newer, and none was found:',
      ...tried.map((line) => `  - ${line}`),
      'Install one:  apt-get install redis-server   or   brew install redis',
      'or name one:  REDIS_SERVER_BIN=/path/to/redis-server',
    ].join('\n'),
  )
}

async function fetchInto(cache: string, download: (folder: string) => Promise<void>): Promise<RedisServer> {
  const folder = await mkdtemp(join(cache, 'fetching-'))
  try {
    await download(folder)
    const fresh = await probeTree(folder, 'download')
    if (typeof fresh === 'string') throw new Error(fresh)
    const home = join(cache, `redis-server-${fresh.version}`)
    try {
      await rename(folder, home)
    } catch {
      // Another process was faster (its copy is used), or a broken copy is in the way (it is removed).
      const other = await probeTree(home, 'download')
      if (typeof other !== 'string') return other
      await rm(home, { recursive: true, force: true })
      await rename(folder, home)
    }
    const moved = await probeTree(home, 'download')
    if (typeof moved === 'string') throw new Error(moved)
    return moved
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** `apt-get` as an ordinary user: lists and archives go to folders of our own, and dpkg only unpacks. */
async function downloadFromDebian(folder: string): Promise<void> {
  const work = join(folder, 'apt')
  await mkdir(join(work, 'lists/partial'), { recursive: true })
  await mkdir(join(work, 'cache/archives/partial'), { recursive: true })
  const own = [
    '-o',
    `Dir::State::Lists=${work}/lists`,
    '-o',
    `Dir::Cache=${work}/cache`,
    '-o',
    'APT::Sandbox::User=',
    '-q',
  ]
  const limits = { cwd: work, timeout: 120_000, maxBuffer: 64 * 1024 * 1024 }
  await run('apt-get', ['update', ...own], limits)
  // Also what this machine lacks besides the usual four: other releases link other libraries.
  const { stdout } = await run('apt-get', ['install', '-s', '--no-install-recommends', ...own, 'redis-server'], limits)
  const missing = [...stdout.matchAll(/^Inst (\S+)/gm)].map((match) => match[1] ?? '')
  await run('apt-get', ['download', ...own, ...new Set([...packages, ...missing])], limits)
  for (const file of readdirSync(work)) {
    if (file.endsWith('.deb')) await run('dpkg-deb', ['-x', join(work, file), folder], limits)
  }
  await rm(work, { recursive: true, force: true })
}

async function inCache(cache: string): Promise<RedisServer | undefined> {
  const names = readdirSync(cache).filter((name) => name.startsWith('redis-server-'))
  for (const name of names.sort().reverse()) {
    const found = await probeTree(join(cache, name), 'cache')
    if (typeof found !== 'string') return found
  }
  return undefined
}

function probeTree(root: string, from: RedisServer['from']): Promise<RedisServer | string> {
  const libraries = [join(root, 'usr/lib'), join(root, 'lib')].flatMap((folder) => [
    folder,
    ...entries(folder)
      .filter((entry) => entry.isDirectory() && entry.name.includes('-linux-'))
      .map((entry) => join(folder, entry.name)),
  ])
  return probe(join(root, 'usr/bin/redis-server'), from, { LD_LIBRARY_PATH: libraries.join(':') })
}

/** The server, or why this binary cannot be used. */
async function probe(
  command: string,
  from: RedisServer['from'],
  env: Record<string, string> = {},
): Promise<RedisServer | string> {
  let stdout: string
  try {
    ;({ stdout } = await run(command, ['--version'], { env: { ...process.env, ...env }, timeout: 10_000 }))
  } catch (error) {
    return `${command}: ${lastLine(error)}`
  }
  const version = /(?:Redis|Valkey) server v=(\d+\.\d+\.\d+)/.exec(stdout)?.[1]
  if (version === undefined) return `${command} did not tell a version: ${stdout.slice(0, 80).trim()}`
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) return `${command} is ${version}, too old`
  return { command, version, from, env }
}

function onPath(path: string): string[] {
  const folders = path.split(delimiter).filter((folder) => folder !== '')
  const candidates = ['redis-server', 'valkey-server'].flatMap((name) => folders.map((folder) => join(folder, name)))
  return candidates.filter((file) => {
    try {
      accessSync(file, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

async function cacheFolder(env: Record<string, string | undefined>): Promise<string> {
  const home = env['XDG_CACHE_HOME'] || join(env['HOME'] || homedir(), '.cache')
  try {
    const folder = join(home, 'lastgood')
    await mkdir(folder, { recursive: true })
    accessSync(folder, constants.W_OK)
    return folder
  } catch {
    // No writable home, as for the user `nobody`. Binaries in the folder are executed, so it must be ours alone.
    const user = userInfo().uid
    const folder = join(env['TMPDIR'] || tmpdir(), `lastgood-${user}`)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const found = await lstat(folder)
    if (!found.isDirectory() || found.uid !== user) throw new Error(`${folder} belongs to somebody else`)
    return folder
  }
}

function entries(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch {
    return []
  }
}

function lastLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.trim().split('\n').at(-1) ?? message
}
