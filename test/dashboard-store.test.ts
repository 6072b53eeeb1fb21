/** The built dashboard over a real Redis that goes and comes back. */
import type { Overview, OverviewChange } from '../packages/dashboard/src/index.ts'
import { openSession } from '@lastgood/core'
import { redisStore } from '@lastgood/redis'
import { Redis } from 'ioredis'
import { request } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { startDashboard, type DashboardProcess } from './support/dashboard-process.ts'
import { startRedis } from './support/redis-server.ts'

const inTime = { timeout: 10_000 }

/** What a viewer has got, as the page would have it. */
function viewer({ port, token }: DashboardProcess): { state: Overview | undefined } {
  const seen: { state: Overview | undefined } = { state: undefined }
  const asking = request({
    port,
    host: '127.0.0.1',
    path: '/api/events',
    headers: { authorization: `Bearer ${token}` },
  })
  onTestFinished(() => void asking.destroy())
  asking.on('error', () => {})
  asking.once('response', (response) => {
    let text = ''
    response.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      const blocks = text.split('\n\n')
      text = blocks.pop() ?? ''
      for (const block of blocks) {
        const data = JSON.parse(/^data: (.*)$/m.exec(block)?.[1] ?? '{}') as Overview & OverviewChange
        if (block.includes('event: overview')) seen.state = data
        else if (seen.state) seen.state = merged(seen.state, data)
      }
    })
  })
  asking.end()
  return seen
}

function merged(before: Overview, { sessions = [], removed = [], ...rest }: OverviewChange): Overview {
  const changed = new Set([...sessions.map(({ sessionId }) => sessionId), ...removed])
  return {
    ...before,
    ...rest,
    sessions: [...before.sessions.filter(({ sessionId }) => !changed.has(sessionId)), ...sessions],
  }
}

async function record(url: string, id: string): Promise<void> {
  const client = new Redis(url)
  const session = await openSession(id, { store: redisStore(client) })
  await session.startTurn([{ role: 'user', content: 'Go on' }], 'coder')
  await session.close()
  client.disconnect()
}

test('a Redis that is stopped leaves what was known, with the reason, and what was written meanwhile is there after it', async () => {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  await record(redis.url, 'fix-auth')
  const dashboard = await startDashboard(['--store', redis.url])
  const seen = viewer(dashboard)
  await expect
    .poll(() => seen.state?.sessions, inTime)
    .toMatchObject([{ sessionId: 'fix-auth', status: 'interrupted' }])
  await redis.kill()
  await expect.poll(() => seen.state?.store.trouble, inTime).toMatchObject({ code: 'store-unavailable' })
  expect(seen.state?.sessions).toMatchObject([{ sessionId: 'fix-auth' }])
  const { since } = seen.state?.store.trouble ?? {}
  await redis.restart()
  await record(redis.url, 'another')
  await expect.poll(() => seen.state?.store.trouble, inTime).toBeNull()
  await expect
    .poll(() => seen.state?.sessions.map(({ sessionId }) => sessionId).sort(), inTime)
    .toEqual(['another', 'fix-auth'])
  expect(Date.parse(since ?? '')).toBeLessThan(Date.now())
  dashboard.child.kill('SIGINT')
  expect(await dashboard.ended).toBe(0)
})

test('a server that is started while its Redis is down serves, and shows the sessions when it is up', async () => {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  await record(redis.url, 'fix-auth')
  await redis.kill()
  const dashboard = await startDashboard(['--store', redis.url])
  const seen = viewer(dashboard)
  const message = expect.stringContaining('no connection to Redis')
  const trouble = { code: 'store-unavailable', message, hint: expect.any(String) }
  await expect.poll(() => seen.state?.store, inTime).toMatchObject({ trouble })
  const { status, body } = await dashboard.ask('/api/sessions/fix-auth', {
    headers: { authorization: `Bearer ${dashboard.token}` },
  })
  expect({ status, body: JSON.parse(body) }).toMatchObject({
    status: 503,
    body: { error: { code: 'store-unavailable' } },
  })
  await redis.restart()
  await expect.poll(() => seen.state?.sessions, inTime).toMatchObject([{ sessionId: 'fix-auth' }])
  expect(seen.state?.store).toMatchObject({ location: `${redis.url}/0`, trouble: null })
})

test('the password of a store is told nobody', async () => {
  const dashboard = await startDashboard(['--store', 'redis://kim:s3cret-word@127.0.0.1:1'])
  const seen = viewer(dashboard)
  await expect.poll(() => seen.state?.store.trouble, inTime).toMatchObject({ code: 'store-unavailable' })
  expect(JSON.stringify(seen.state) + dashboard.written.stderr).not.toContain('s3cret-word')
})

test('a change is on the page within five seconds', async () => {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  const dashboard = await startDashboard(['--store', redis.url])
  const seen = viewer(dashboard)
  await expect.poll(() => seen.state, inTime).toBeDefined()
  await record(redis.url, 'fix-auth')
  await expect.poll(() => seen.state?.sessions, { timeout: 5_000 }).toMatchObject([{ sessionId: 'fix-auth' }])
})
