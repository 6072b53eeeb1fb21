/** Whether a client gives up on a server that does not answer. Pure: of its options. */
import type { Finding } from '@lastgood/core'
import type { RedisLike, RedisLikeOptions } from './client.ts'

const limits = { commandTimeout: '5000', socketTimeout: '10_000' } as const

/** One finding at most, for a limit that is not set. */
export function limitFindings({ options, nodes }: Pick<RedisLike, 'options' | 'nodes'>): Finding[] {
  // A Cluster makes its connections with these alone.
  const given: RedisLikeOptions = nodes === undefined ? options : (options.redisOptions ?? {})
  const lacked = (['commandTimeout', 'socketTimeout'] as const).filter((name) => !given[name])
  if (lacked.length === 0) return []
  const values = `{ ${lacked.map((name) => `${name}: ${limits[name]}`).join(', ')} }`
  return [
    {
      severity: 'warning',
      what: `the Redis client has no ${lacked.join(' and no ')}${nodes === undefined ? '' : ' in its redisOptions'}`,
      risk: lacked.includes('socketTimeout')
        ? 'P6: it keeps the connection to a host that is gone for a quarter of an hour, and to a server that hangs for ever'
        : 'P6: what asks a server that hangs, other than a session, waits until the socketTimeout',
      mend: nodes === undefined ? `new Redis(…, ${values})` : `new Cluster(…, { redisOptions: ${values} })`,
    },
  ]
}
