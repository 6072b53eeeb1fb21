/** Many sessions over many workers: BullMQ carries session ids, core and the store keep the truth. */
export { type Bucket, type Ramp, type Taken, type Taking, take } from './limit.ts'
export { type LimiterConnection, type LimiterOptions, redisLimiter } from './redis-limiter.ts'
