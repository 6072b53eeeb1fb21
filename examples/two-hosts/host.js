// @ts-check
/**
 * The program that runs on each host. The hosts share Redis and nothing else.
 *
 *     REDIS_URL=redis://127.0.0.1:6379 node host.js <name of the host> <session> <address of the API> [--takeover]
 */
import { randomUUID } from 'node:crypto'
import { openSession } from '@lastgood/anthropic'
import { isLastgoodError } from '@lastgood/core'
import { redisStore } from '@lastgood/redis'
import { Redis } from 'ioredis'
import { deployer } from './agent.js'

const [host = '', id = '', api = '', takeover] = process.argv.slice(2)
const redis = new Redis(process.env['REDIS_URL'] ?? '', { commandTimeout: 5_000 })
redis.on('error', () => {}) // the failed command reports the same error

try {
  const session = await openSession(id, {
    store: redisStore(redis),
    takeover: takeover === '--takeover',
    // Set only because both processes are on one machine here; by default it names this process and its host.
    owner: { id: randomUUID(), host, realm: host, pid: process.pid },
  })
  session.subscribe((event) => {
    if (event.type === 'entry') console.log(`${String(event.entry.seq).padStart(2)} ${event.entry.type}`)
  })
  const agent = deployer({ api, redis, deployments: `${id}:deployments`, host })
  const reply = await session.run(agent, 'Deploy version 1.7.', { turn: 1 })
  console.log(`reply: ${reply.text}`)
  await session.close()
} catch (error) {
  if (!isLastgoodError(error)) throw error
  console.log(`${error.code}: ${error.message}\n  next: ${error.hint}`)
} finally {
  redis.disconnect()
}
