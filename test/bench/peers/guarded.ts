/** Servers other than Redis: each ends with the process that started it, even if that is killed. */
import { spawn } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { endProcess } from '../../support/end-process.ts'

export interface GuardedServer {
  readonly pid: number
  /** Ends it, and removes its folder. */
  stop(): Promise<void>
}

export interface Start {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly uid?: number
  readonly gid?: number
  /** Removed when it ends. */
  readonly folder: string
  /** The signal that ends it. */
  readonly signal: NodeJS.Signals
}

const startingMs = 60_000

/** Resolves when `isReady`, called with its output so far, says so. Errors: its output. */
export async function startGuarded(
  { command, args, env, cwd, uid, gid, folder, signal }: Start,
  isReady: (said: string) => Promise<boolean>,
): Promise<GuardedServer> {
  const user = { ...(uid !== undefined && { uid }), ...(gid !== undefined && { gid }) }
  const server = spawn(command, args, { env, cwd, ...user, stdio: ['ignore', 'pipe', 'pipe'] })
  const script = 'trap "" INT TERM HUP; read -r _; kill -9 "$1"; rm -rf "$2"'
  const guard = spawn('sh', ['-c', script, 'guard', String(server.pid), folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  server.on('error', () => {}) // it has no pid then
  let said = ''
  for (const stream of [server.stdout, server.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4000)))
  }
  const hasEnded = () => server.exitCode !== null || server.signalCode !== null || server.pid === undefined
  const stop = async () => {
    await endProcess(server, { signal, patienceMs: 10_000 })
    guard.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  }
  const until = performance.now() + startingMs
  while (!hasEnded() && performance.now() < until) {
    if (await isReady(said)) return { pid: server.pid ?? NaN, stop }
    await sleep(50)
  }
  await stop()
  throw new Error(`${command} did not start: ${said.trim().replaceAll(/\s+/g, ' ').slice(-500)}`)
}
