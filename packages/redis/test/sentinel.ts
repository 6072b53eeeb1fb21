// A master, a replica and one sentinel that promotes the replica half a second after the master is gone.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { onTestFinished } from 'vitest'
import { freePort } from '../../../test/support/free-port.ts'
import { findRedisServer, type RunningRedis, startRedis } from '../../../test/support/redis-server.ts'

/** The port of a server that takes connections and never answers, as a sentinel does that hangs. */
export async function silentPort(): Promise<number> {
  const silent = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1')
  onTestFinished(() => void silent.close())
  await once(silent, 'listening')
  return (silent.address() as AddressInfo).port
}

export interface RunningSentinel {
  master: RunningRedis
  sentinelPort: number
  stop(): Promise<void>
}

export async function startSentinel(): Promise<RunningSentinel> {
  const master = await startRedis({ args: ['--repl-diskless-sync-delay', '0'] })
  const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(master.port)] })
  const sentinelPort = await freePort()
  const dir = await mkdtemp(join(tmpdir(), 'lastgood-sentinel-'))
  const sentinel = await launch(dir, sentinelPort, master.port)
  const ended = once(sentinel, 'exit')
  const toSentinel = new Redis(sentinelPort)
  toSentinel.on('error', () => undefined)

  const stop = async () => {
    toSentinel.disconnect()
    sentinel.stdin?.end()
    await Promise.all([ended, master.stop(), replica.stop()])
    await rm(dir, { recursive: true, force: true })
  }
  try {
    await until('the sentinel knows the replica', async () => {
      const replicas = JSON.stringify(await toSentinel.call('SENTINEL', 'REPLICAS', 'main'))
      return replicas.includes(String(replica.port)) && replicas.includes('"master-link-status","ok"')
    })
  } catch (error) {
    await stop()
    throw error
  }
  return { master, sentinelPort, stop }
}

/** The shell ends the sentinel when its input closes, which also happens when this process dies. */
async function launch(dir: string, port: number, masterPort: number): Promise<ChildProcess> {
  const { command, env } = await findRedisServer()
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${dir}`,
    `sentinel monitor main 127.0.0.1 ${masterPort} 1`,
    'sentinel down-after-milliseconds main 500',
    'sentinel failover-timeout main 3000',
  ]
  const file = join(dir, 'sentinel.conf')
  await writeFile(file, `${lines.join('\n')}\n`)
  const script = '"$0" "$1" --sentinel & read -r _; kill -9 $!'
  return spawn('sh', ['-c', script, command, file], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'ignore', 'ignore'],
  })
}

async function until(what: string, reached: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if (await reached()) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`not within 15 s: ${what}`)
}
