/**
 * Many sessions over many workers: BullMQ carries session ids, the journals keep the truth.
 *
 *     const fleet = runFleet({ store, connection, agents: { coder } })          // in each worker process
 *     await fleet.submit('fix-auth', 'Make the tests green', { agent: 'coder' })  // or fleetClient(…) anywhere
 */
export { type FleetClient, type FleetStatus, type QueueCounts, fleetClient } from './client.ts'
export { type ScriptConnection } from './commands.ts'
export { type FleetConnection } from './connection.ts'
export { type Priority } from './due-index.ts'
export { type FleetEvent } from './events.ts'
export { type Fleet, runFleet } from './fleet.ts'
export { type ClientOptions, type FleetAgent, type FleetOptions } from './options.ts'
export { type LimiterOptions, redisLimiter } from './redis-limiter.ts'
export { type SubmitOptions, type Submitted } from './submit.ts'
