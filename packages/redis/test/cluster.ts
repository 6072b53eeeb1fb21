// A Redis Cluster of three masters on this machine, made with nothing but the client; with `replicas`, one for each.
import { Redis } from 'ioredis'
import { type RunningRedis, startRedis } from '../../../test/support/redis-server.ts'

export interface RunningCluster {
  /** The masters. */
  nodes: RunningRedis[]
  /** The replica of each. */
  replicas: RunningRedis[]
  stop(): Promise<void>
}

const slots = 16_384
const args = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000', '--repl-diskless-sync-delay', '0']

export async function startCluster({ replicas: hasReplicas = false } = {}): Promise<RunningCluster> {
  const start = () => Promise.all([0, 1, 2].map(() => startRedis({ args })))
  const [nodes, replicas] = await Promise.all([start(), hasReplicas ? start() : []])
  const all = [...nodes, ...replicas]
  const stop = async () => {
    // At once: asked to end, a master first waits for replicas that are behind.
    await Promise.all(all.map((node) => node.kill()))
    await Promise.all(all.map((node) => node.stop()))
  }
  const clients = all.map(({ url }) => new Redis(url))
  const masters = clients.slice(0, nodes.length)
  try {
    await Promise.all(
      masters.map(async (redis, i) => {
        const [from, to] = [Math.floor((slots * i) / 3), Math.floor((slots * (i + 1)) / 3)]
        await redis.cluster('ADDSLOTS', ...Array.from({ length: to - from }, (_, slot) => from + slot))
        await redis.cluster('SET-CONFIG-EPOCH', i + 1)
      }),
    )
    for (const { port } of all.slice(1)) await clients[0]?.cluster('MEET', '127.0.0.1', port)
    await Promise.all(clients.map(allSlotsKnown))
    await Promise.all(
      replicas.map(async (_, i) => {
        const [replica, master] = [clients[nodes.length + i], masters[i]]
        if (replica && master) await follow(replica, await master.cluster('MYID'))
      }),
    )
    return { nodes, replicas, stop }
  } catch (error) {
    await stop()
    throw error
  } finally {
    for (const redis of clients) redis.disconnect()
  }
}

async function allSlotsKnown(redis: Redis): Promise<void> {
  await until('the cluster came together', async () => /cluster_state:ok/.test(await redis.cluster('INFO')))
}

async function follow(replica: Redis, masterId: string): Promise<void> {
  await until('the replica knows its master', async () => String(await replica.cluster('NODES')).includes(masterId))
  await replica.cluster('REPLICATE', masterId)
  await until('the replica is in step', async () => /master_link_status:up/.test(await replica.info('replication')))
}

async function until(what: string, reached: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (await reached()) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`not within 10 s: ${what}`)
}
