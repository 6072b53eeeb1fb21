/**
 * Level 2: lastgood runs the loop. The same lines each time, whatever happened before.
 *
 *     node main.mjs <session> <what to do>…
 *
 * `AGO_MS`: its clock is behind by this, for a session that was left long ago. `LAPTOP`: it claims to be another host.
 */
import { randomUUID } from 'node:crypto'
import { openSession } from '@lastgood/anthropic'
import { systemClock } from '@lastgood/core'
import { fileStore } from '@lastgood/core/file'
import { coder } from './agent.mjs'
import { policy } from './policy.mjs'

const { AGO_MS = '0', LAPTOP, LEASE_MS = '30000', REDIS_URL } = process.env
const [id, ...prompts] = process.argv.slice(2)

const session = await openSession(id, {
  policy,
  leaseMs: Number(LEASE_MS),
  store: REDIS_URL === undefined ? fileStore() : await shared(REDIS_URL),
  clock: ago(Number(AGO_MS)),
  ...(LAPTOP !== undefined && { owner: { id: randomUUID(), host: LAPTOP, realm: LAPTOP, pid: process.pid } }),
})
for (const [at, prompt] of prompts.entries()) {
  const reply = await session.run(coder(), prompt, { turn: at + 1 })
  console.log(reply.text)
}
await session.close()
process.exit(0)

async function shared(url) {
  const [{ redisStore }, { Redis }] = await Promise.all([import('@lastgood/redis'), import('ioredis')])
  return redisStore(new Redis(url))
}

function ago(ms) {
  const sleepUntil = (instant, options) => systemClock.sleepUntil(instant + ms, options)
  return { ...systemClock, now: () => systemClock.now() - ms, sleepUntil }
}
