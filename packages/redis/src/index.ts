/**
 * Keeps lastgood sessions in Redis.
 *
 *   import { redisStore } from '@lastgood/redis'
 *   import { Redis } from 'ioredis'
 *
 *   const redis = new Redis('redis://127.0.0.1:6379')
 *   const store = redisStore(redis)          // or redisStore(redis, { prefix: 'team-a' })
 *   …
 *   await redis.quit()                       // the client stays yours
 */
export type { RedisLike, RedisLikeOptions } from './client.ts'
export { type RedisStoreOptions, redisStore } from './redis-store.ts'
