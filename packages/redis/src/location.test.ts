import { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { redisStore } from './redis-store.ts'

describe('location', () => {
  const lazy = { lazyConnect: true }
  it.each([
    [new Redis({ ...lazy }), 'redis://localhost:6379/0'],
    [new Redis('redis://user:hunter2@example.com:6380/3', lazy), 'redis://example.com:6380/3'],
    [new Redis('rediss://:hunter2@example.com', lazy), 'rediss://example.com:6379/0'],
    [new Redis({ ...lazy, host: '::1' }), 'redis://[::1]:6379/0'],
    [new Redis({ ...lazy, path: '/run/redis.sock', db: 2 }), 'unix:/run/redis.sock?db=2'],
    [
      new Redis({ ...lazy, sentinels: [{ host: 'a' }, { host: 'b' }], name: 'main', password: 'hunter2' }),
      'redis+sentinel://a:26379/main/0',
    ],
    [new Redis.Cluster([{ host: 'a', port: 7000 }, 'b:7001'], lazy), 'redis://a:7000'],
    [new Redis.Cluster(['redis://:hunter2@c:7000'], lazy), 'redis://c:7000'],
    [new Redis.Cluster([7005], lazy), 'redis://127.0.0.1:7005'],
  ])('has no credentials', (redis, location) => {
    expect(redisStore(redis).location).toBe(location)
    redis.disconnect()
  })
})
