/**
 * One round: sessions write, their server is killed at an instant that the seed chooses, and the acknowledged entries
 * are looked for in what comes back.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isLastgoodError } from '@lastgood/core'
import { redisStore } from '@lastgood/redis'
import { seededRandom } from '@lastgood/core/testing'
import { Redis } from 'ioredis'
import { type RunningRedis, startRedis } from '../support/redis-server.ts'
import type { Setting } from './settings.ts'
import { startWriting } from './writers.ts'

export interface Round {
  readonly acknowledged: number
  readonly lost: number
  /** Sessions whose journal does not fit its head. */
  readonly corrupt: number
}

/** The kill comes this long after the first acknowledgement. */
const earliestMs = 300
/** More than a second later, so that an fsync of everysec can fall in between. */
const usualLatestMs = 2_300

export async function playRound(setting: Setting, seed: number, latestMs = usualLatestMs): Promise<Round> {
  const random = seededRandom(seed)
  const server = await startRedis(setting.start)
  const replica = setting.back === 'replica promoted' ? await replicaOf(server, setting) : undefined
  const disk = setting.busyDisk ? busyDisk(server.dir) : undefined
  try {
    const { acknowledged, begun, ended } = await startWriting(server.url, setting, random)
    await Promise.race([begun, ended])
    await sleep(earliestMs + random() * (latestMs - earliestMs))
    await server.kill('SIGKILL')
    await ended
    await disk?.stop()
    if (replica) await promote(replica)
    else await server.restart()
    return await missing((replica ?? server).url, acknowledged)
  } finally {
    await disk?.stop()
    for (const one of [server, replica]) {
      await one?.kill()
      await one?.stop()
    }
  }
}

/** What was acknowledged and is not there. */
export async function missing(url: string, acknowledged: ReadonlyMap<string, number>): Promise<Round> {
  const client = new Redis(url)
  const store = redisStore(client)
  const found = { acknowledged: 0, lost: 0, corrupt: 0 }
  try {
    for (const [sessionId, count] of acknowledged) {
      let present = 0
      try {
        for await (const { seq } of store.read(sessionId)) present = seq
      } catch (error) {
        if (!isLastgoodError(error, 'journal-corrupt')) throw error
        found.corrupt += 1
      }
      found.acknowledged += count
      found.lost += Math.max(0, count - present)
    }
  } finally {
    client.disconnect()
  }
  return found
}

async function replicaOf(master: RunningRedis, { start }: Setting): Promise<RunningRedis> {
  const replica = await startRedis({ ...start, args: ['--replicaof', '127.0.0.1', String(master.port)] })
  await infoSays(master, /slave0:.*state=online/)
  return replica
}

/** Promotes the replica only when it has read all that its master had sent. */
async function promote(replica: RunningRedis): Promise<void> {
  await infoSays(replica, /master_link_status:down/)
  const client = new Redis(replica.url)
  await client.call('REPLICAOF', 'NO', 'ONE')
  client.disconnect()
}

async function infoSays({ url }: RunningRedis, pattern: RegExp): Promise<void> {
  const client = new Redis(url)
  try {
    for (let tries = 0; tries < 500; tries++) {
      if (pattern.test(await client.info('replication'))) return
      await sleep(20)
    }
  } finally {
    client.disconnect()
  }
  throw new Error(`the server did not say ${pattern} within 10 s`)
}

/** The shell and what it runs end when its input closes, which also happens when this process dies. */
function busyDisk(dir: string): { stop: () => Promise<void> } {
  const file = join(dir, 'other-program')
  const writing = 'while [ -e "$0" ]; do dd if=/dev/zero of="$0.data" bs=1M count=32 conv=fsync 2>/dev/null; done'
  const script = `: > "$0"; (${writing}) & read -r _; rm -f "$0"; wait; rm -f "$0.data"`
  const child = spawn('sh', ['-c', script, file], { stdio: ['pipe', 'ignore', 'ignore'] })
  const exited = once(child, 'exit')
  return {
    async stop() {
      child.stdin.end()
      await exited
    },
  }
}
