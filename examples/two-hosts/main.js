// @ts-check
/**
 * Host blue deploys and freezes half-way. Host green cannot know whether blue is still alive, so it takes the session
 * over only when told to. Then blue wakes up and can no longer write. (Freezing is SIGSTOP: not on Windows.)
 *
 *     REDIS_URL=redis://127.0.0.1:6379 npm start
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { reply, startLab, story, text, toolUse } from '@lastgood/outage-lab'
import { redisStore } from '@lastgood/redis'
import { Redis } from 'ioredis'

const redis = await connect(process.env['REDIS_URL'])
const program = fileURLToPath(new URL('host.js', import.meta.url))
const id = `two-hosts-${randomUUID()}`

/** What the model says. Told that the outcome of its call is unknown, it looks before it repeats anything. */
const lab = await startLab({
  model: story([
    reply([text('I deploy it.'), toolUse('deploy', { version: '1.7' })]),
    {
      expect: { toolResult: 'outcome is unknown' },
      reply: reply([text('Did that happen? I look.'), toolUse('deployments')]),
    },
    { expect: { toolResult: '1.7 by blue' }, reply: reply(text('Version 1.7 is deployed, once.')) },
  ]),
})

const blue = start('blue')
// A frozen process would outlive this one.
process.on('exit', () => blue.child.kill('SIGKILL'))
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))
try {
  await blue.says('deployed')
  blue.child.kill('SIGSTOP')
  console.log('-- blue is frozen; green tries')

  const refused = await start('green').ended
  assert(refused.some((line) => line.startsWith('session-busy')))

  console.log('-- somebody says that blue is gone')
  const done = await start('green', '--takeover').ended
  assert(done.includes('reply: Version 1.7 is deployed, once.'))

  console.log('-- blue wakes up')
  blue.child.kill('SIGCONT')
  const late = await blue.ended
  assert(late.some((line) => line.startsWith('lease-lost')))

  const deployments = await redis.lrange(`${id}:deployments`, 0, -1)
  console.log(`-- deployments: ${deployments.join(', ')}`)
  assert.deepEqual(deployments, ['1.7 by blue'])
} finally {
  blue.child.kill('SIGKILL')
  await blue.ended
  await lab.close()
  await redis.del(`${id}:deployments`)
  await redisStore(redis).remove(id)
  redis.disconnect()
}

/**
 * Runs the program as `host`, and prints its output.
 *
 * @param {string} host
 * @param {string[]} flags
 */
function start(host, ...flags) {
  const child = spawn(process.execPath, [program, host, id, lab.url, ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = /** @type {string[]} */ ([])
  const reader = createInterface(child.stdout).on('line', (line) => {
    console.log(`${host.padEnd(5)} | ${line}`)
    lines.push(line)
  })
  const ended = once(child, 'close').then(() => lines)
  /** @param {string} line */
  const says = async (line) => {
    while (!lines.includes(line)) {
      const gone = await Promise.race([once(reader, 'line').then(() => false), ended.then(() => true)])
      assert(!gone || lines.includes(line), `${host} ended without saying "${line}"`)
    }
  }
  return { child, ended, says }
}

/** @param {string | undefined} url */
async function connect(url) {
  const say = (/** @type {string} */ problem) => {
    console.error(`two-hosts: ${problem}. Start it with: REDIS_URL=redis://127.0.0.1:6379 npm start`)
    process.exit(1)
  }
  if (!url) return say('it needs a Redis server, and REDIS_URL is not set')
  const client = new Redis(url, { lazyConnect: true, commandTimeout: 5_000, retryStrategy: () => null })
  client.on('error', () => {}) // the failed command reports the same error
  await client.connect().catch(() => say('no Redis server answers at REDIS_URL'))
  return client
}
