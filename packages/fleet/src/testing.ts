/** For simulations: the arithmetic of `redisLimiter`, without a server. */
export { type Bucket, type Ramp, type Taken, type Taking, take } from './limit.ts'
