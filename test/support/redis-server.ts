// Starts real Redis servers for tests.
//
// 1. Every server listens on 127.0.0.1 only, on a free port of its own, in a folder of its own.
// 2. By default it loses no acknowledged write: append-only file, fsync on every write, no snapshots.
// 3. No server outlives the process that started it, not even after SIGKILL: a guard holds a pipe to us and
//    kills the server, and removes its temporary folder, when the pipe closes.

import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { endProcess } from './end-process.ts'
import { findRedisServer, type RedisServer } from './find-redis-server.ts'
import { freePort } from './free-port.ts'

export { findRedisServer } from './find-redis-server.ts'

export interface StartOptions {
  /** Further arguments for redis-server; they come last, so they win. */
  args?: string[]
  /** Where the data lives. Default: a new temporary folder, which stop() removes. */
  dir?: string
  /** Where that temporary folder is made. Default: the system's place for them. */
  parent?: string | undefined
  /** Default: 'always', the only setting that survives a kill without losing an acknowledged write. */
  appendfsync?: 'always' | 'everysec' | 'no'
}

export interface RunningRedis {
  readonly url: string
  readonly port: number
  /** The process id; another one after restart(). */
  readonly pid: number
  readonly dir: string
  readonly version: string
  /** Ends the server, and removes its folder unless `dir` was given. May be called twice. */
  stop(): Promise<void>
  /** Sends a signal. Unless it is SIGSTOP or SIGCONT, resolves when the server is gone. Default: SIGKILL. */
  kill(signal?: NodeJS.Signals): Promise<void>
  /** Starts the server again on the same port and folder; ends it first if it still runs. */
  restart(): Promise<void>
}

interface Life {
  server: ChildProcess
  /** Resolves when the server and its guard have ended. */
  gone: Promise<void>
}

let found: Promise<RedisServer> | undefined

export async function startRedis(options: StartOptions = {}): Promise<RunningRedis> {
  const binary = await (found ??= findRedisServer())
  const dir = options.dir ?? (await mkdtemp(join(options.parent ?? tmpdir(), 'lastgood-redis-')))
  const temporary = options.dir === undefined ? dir : ''
  const place = (port: number): string[] => ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir]
  const durability = ['--save', '', '--appendonly', 'yes', '--appendfsync', options.appendfsync ?? 'always']
  const launch = (port: number): Promise<Life> =>
    begin(binary, temporary, [...place(port), ...durability, ...(options.args ?? [])])
  const clear = async (): Promise<void> => {
    if (temporary !== '') await rm(temporary, { recursive: true, force: true })
  }

  const first = await onFreePort(launch).catch(async (error: unknown) => {
    await clear()
    throw error
  })
  const { port } = first
  let { life } = first

  const kill = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    life.server.kill(signal)
    if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') await life.gone
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    get pid() {
      return life.server.pid as number
    },
    dir,
    version: binary.version,
    kill,
    async restart() {
      await end(life)
      life = await launch(port)
    },
    async stop() {
      await end(life)
      await clear()
    },
  }
}

/** A free port may be taken by another process before the server has it, so a failed start is tried on another one. */
async function onFreePort(launch: (port: number) => Promise<Life>): Promise<{ port: number; life: Life }> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    try {
      return { port, life: await launch(port) }
    } catch (error) {
      if (attempt === 5 || !/already in use|Failed listening/.test(String(error))) throw error
    }
  }
}

async function begin(binary: RedisServer, temporary: string, args: string[]): Promise<Life> {
  const server = spawn(binary.command, args, {
    env: { ...process.env, ...binary.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const script = 'trap "" INT TERM HUP; read -r _; kill -9 "$1"; [ -z "$2" ] || rm -rf "$2"'
  const guard = spawn('sh', ['-c', script, 'guard', String(server.pid), temporary], {
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  // The guard ends with its server: later the same process id may belong to another process.
  const unguarded = ended(guard)
  const gone = ended(server).then(() => {
    guard.kill('SIGKILL')
    return unguarded
  })
  const life = { server, gone }

  let log = ''
  const ready = new Promise<boolean>((resolve) => {
    for (const stream of [server.stdout, server.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        log = (log + text).slice(-4000)
        // The second one is the message of a server that was started with --sentinel.
        if (/Ready to accept connections|Sentinel ID is/.test(log)) resolve(true)
      })
    }
    void gone.then(() => resolve(false))
    setTimeout(() => resolve(false), 20_000).unref()
  })
  if (!(await ready)) {
    await end(life)
    throw new Error(`${binary.command} ${args.join(' ')} did not start:\n${log}`)
  }
  return life
}

async function end({ server, gone }: Life): Promise<void> {
  server.kill('SIGCONT')
  await endProcess(server)
  await gone
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
}
