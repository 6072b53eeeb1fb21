/** Where contenders store: a folder, Redis with both kinds of fsync, PostgreSQL, Restate. Started when first used. */
import { execFile } from 'node:child_process'
import { chown, mkdtemp, rm, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from '../../support/free-port.ts'
import { startRedis } from '../../support/redis-server.ts'
import { factsOf, sizeOf, type Facts } from './facts.ts'
import { findPostgres } from './find-postgres.ts'
import { startGuarded } from './guarded.ts'
import { installed } from './packages.ts'

export type ServerName = 'folder' | 'redis everysec' | 'redis always' | 'postgres' | 'restate'

/** What a contender's process gets; the server decides which fields it has. */
export interface Target {
  readonly dir?: string
  readonly url?: string
  readonly ingress?: string
  readonly admin?: string
  /** The port on which the contender has to listen. */
  readonly port?: number
}

export interface Server {
  readonly version: string
  /** A place of its own for this contender. */
  place(contender: string): Promise<Target>
  facts(): Facts
  /** Bytes of all that it stores. */
  stored(): Promise<number>
  stop(): Promise<void>
}

/** `dir`: a folder on the measured disk. Errors: why it cannot be started. */
export async function startServer(name: ServerName, dir: string): Promise<Server> {
  if (name === 'folder') return folderIn(dir)
  if (name === 'postgres') return postgres(dir)
  if (name === 'restate') return restate(dir)
  return redis(dir, name === 'redis always' ? 'always' : 'everysec')
}

function folderIn(dir: string): Server {
  let places = 0
  const files = join(dir, 'files')
  return {
    version: '',
    async place() {
      const own = join(files, String((places += 1)))
      await mkdir(own, { recursive: true })
      return { dir: own }
    },
    facts: () => factsOf(undefined),
    stored: () => sizeOf(files),
    stop: async () => {},
  }
}

async function redis(dir: string, appendfsync: 'always' | 'everysec'): Promise<Server> {
  const own = await mkdtemp(join(dir, 'redis-'))
  // No rewrite of the log while something is measured.
  const server = await startRedis({ appendfsync, dir: own, args: ['--auto-aof-rewrite-percentage', '0'] })
  return {
    version: `Redis ${server.version}`,
    place: async () => ({ url: server.url }),
    facts: () => factsOf(server.pid),
    stored: () => sizeOf(own),
    stop: () => server.stop(),
  }
}

/** With its default settings. It refuses to run as root, so then it runs as `nobody`, in a folder of that user. */
async function postgres(dir: string): Promise<Server> {
  const { bin, version, env: libraries } = await findPostgres()
  const isRoot = process.getuid?.() === 0
  const own = await mkdtemp(join(isRoot ? '/var/tmp' : dir, 'lastgood-postgres-'))
  const user = isRoot ? { uid: 65_534, gid: 65_534 } : {}
  const env = { PATH: process.env['PATH'] ?? '', ...libraries }
  const run = (program: string, ...args: string[]) =>
    promisify(execFile)(join(bin, program), args, { env, cwd: own, ...user })
  try {
    if (isRoot) await chown(own, 65_534, 65_534)
    const data = join(own, 'data')
    await run('initdb', '-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-locale', '--no-sync')
    const port = await freePort()
    const args = ['-D', data, '-h', '127.0.0.1', '-p', String(port), '-k', own, '-c', 'max_connections=200']
    const server = await startGuarded(
      { command: join(bin, 'postgres'), args, env, cwd: own, ...user, folder: own, signal: 'SIGINT' },
      async (said) => said.includes('ready to accept connections'),
    )
    return {
      version: `PostgreSQL ${version}`,
      async place(contender) {
        const database = contender.toLowerCase().replaceAll(/[^a-z]+/g, '_')
        await run('createdb', '-h', '127.0.0.1', '-p', String(port), '-U', 'postgres', database)
        return { url: `postgresql://postgres@127.0.0.1:${port}/${database}` }
      },
      facts: () => factsOf(server.pid),
      // Only the tables: the write-ahead log has a fixed size.
      stored: () => sizeOf(join(data, 'base')),
      stop: () => server.stop(),
    }
  } catch (error) {
    await rm(own, { recursive: true, force: true })
    throw error
  }
}

async function restate(dir: string): Promise<Server> {
  const folder = await installed('restate')
  const program = `@restatedev/restate-server-${process.platform}-${process.arch}/bin/restate-server`
  const own = await mkdtemp(join(dir, 'restate-'))
  const [ingress, admin, node, port] = [await freePort(), await freePort(), await freePort(), await freePort()]
  const at = (bound: number) => `127.0.0.1:${bound}`
  const server = await startGuarded(
    {
      command: join(folder, 'node_modules', program),
      args: ['--no-logo', '--listen-mode', 'tcp', '--base-dir', own],
      env: {
        RESTATE_BIND_ADDRESS: at(node),
        RESTATE_INGRESS__BIND_ADDRESS: at(ingress),
        RESTATE_ADMIN__BIND_ADDRESS: at(admin),
        RESTATE_DISABLE_TELEMETRY: 'true',
        DO_NOT_TRACK: '1',
      },
      cwd: own,
      folder: own,
      signal: 'SIGTERM',
    },
    () =>
      fetch(`http://${at(admin)}/health`).then(
        ({ ok }) => ok,
        () => false,
      ),
  )
  return {
    version: 'Restate 1.7.12',
    place: async () => ({ ingress: `http://${at(ingress)}`, admin: `http://${at(admin)}`, port }),
    facts: () => factsOf(server.pid),
    stored: () => sizeOf(own),
    stop: () => server.stop(),
  }
}
