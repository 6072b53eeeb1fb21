// A Redis Cluster of three masters on this machine, made with nothing but the client.
import { Redis } from 'ioredis'
import { type RunningRedis, startRedis } from '../../../test/support/redis-server.ts'

export interface RunningCluster {
  nodes: RunningRedis[]
  stop(): Promise<void>
}

const slots = 16_384

export async function startCluster(): Promise<RunningCluster> {
  const args = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000']
  const nodes = await Promise.all([0, 1, 2].map(() => startRedis({ args })))
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.stop()))
  }
  const clients = nodes.map(({ url }) => new Redis(url))
  try {
    await Promise.all(
      clients.map(async (redis, i) => {
        const [from, to] = [Math.floor((slots * i) / 3), Math.floor((slots * (i + 1)) / 3)]
        await redis.cluster('ADDSLOTS', ...Array.from({ length: to - from }, (_, slot) => from + slot))
        await redis.cluster('SET-CONFIG-EPOCH', i + 1)
      }),
    )
    for (const { port } of nodes.slice(1)) await clients[0]?.cluster('MEET', '127.0.0.1', port)
    await Promise.all(clients.map(allSlotsKnown))
    return { nodes, stop }
  } catch (error) {
    await stop()
    throw error
  } finally {
    for (const redis of clients) redis.disconnect()
  }
}

async function allSlotsKnown(redis: Redis): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (/cluster_state:ok/.test(await redis.cluster('INFO'))) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('the cluster did not come together within 10 s')
}
