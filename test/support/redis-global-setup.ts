// One Redis server for all tests of the project; `inject('redisUrl')` is its address. A test that kills or stops
// servers starts its own with startRedis().

import type { TestProject } from 'vitest/node'
import { startRedis } from './redis-server.ts'

declare module 'vitest' {
  interface ProvidedContext {
    redisUrl: string
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const redis = await startRedis({ parent: project.config.env['TMPDIR'] })
  project.provide('redisUrl', redis.url)
  return () => redis.stop()
}
