/** Whether a client gives up on a server that does not answer. Pure: of its options. */
import type { Finding } from '@lastgood/core'
import type { RedisLike, RedisLikeOptions } from './client.ts'

/** The worst first. */
const limits = [
  {
    name: 'socketTimeout',
    set: 'socketTimeout: 10_000',
    risk: 'it keeps the connection to a host that is gone for a quarter of an hour, and to a server that hangs for ever',
  },
  {
    name: 'sentinelCommandTimeout',
    set: 'sentinelCommandTimeout: 2000',
    risk: 'it asks a sentinel that hangs for ever, and finds no master, although the other sentinels know it',
  },
  {
    name: 'commandTimeout',
    set: 'commandTimeout: 5000',
    risk: 'what asks a server that hangs, other than a session, waits until the socketTimeout',
  },
] as const

/** One finding at most, for all limits that are not set. */
export function limitFindings({ options, nodes }: Pick<RedisLike, 'options' | 'nodes'>): Finding[] {
  // A Cluster makes its connections with these alone.
  const given: RedisLikeOptions = nodes === undefined ? options : (options.redisOptions ?? {})
  const lacked = limits.filter(
    ({ name }) => !given[name] && (name !== 'sentinelCommandTimeout' || Boolean(given.sentinels)),
  )
  const [worst] = lacked
  if (!worst) return []
  const values = `{ ${lacked.map(({ set }) => set).join(', ')} }`
  return [
    {
      severity: 'warning',
      what: `the Redis client has no ${lacked.map(({ name }) => name).join(' and no ')}${nodes === undefined ? '' : ' in its redisOptions'}`,
      risk: `P6: ${worst.risk}`,
      mend: nodes === undefined ? `new Redis(…, ${values})` : `new Cluster(…, { redisOptions: ${values} })`,
    },
  ]
}
