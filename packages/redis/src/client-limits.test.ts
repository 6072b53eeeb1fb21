import { Cluster, Redis } from 'ioredis'
import { expect, it, onTestFinished } from 'vitest'
import { limitFindings } from './client-limits.ts'

const nodes = [{ host: '127.0.0.1', port: 1 }]

const clients = {
  Redis: (options: object) => new Redis({ lazyConnect: true, ...options }),
  Sentinel: (options: object) => new Redis({ lazyConnect: true, sentinels: nodes, name: 'm', ...options }),
  Cluster: (redisOptions: object) => new Cluster(nodes, { lazyConnect: true, redisOptions }),
}
const [all, both] = [
  'socketTimeout and no sentinelCommandTimeout and no commandTimeout',
  'socketTimeout and no commandTimeout',
]

function found(client: Redis | Cluster) {
  onTestFinished(() => client.disconnect())
  return limitFindings(client)
}

it.each([
  ['Redis', both, 'new Redis(…, { socketTimeout: 10_000, commandTimeout: 5000 })'],
  ['Sentinel', all, 'new Redis(…, { socketTimeout: 10_000, sentinelCommandTimeout: 2000, commandTimeout: 5000 })'],
  [
    'Cluster',
    `${both} in its redisOptions`,
    'new Cluster(…, { redisOptions: { socketTimeout: 10_000, commandTimeout: 5000 } })',
  ],
] as const)(
  'a client of a %s without limits of time is one warning, with the options that set them',
  (kind, lacked, mend) => {
    const what = `the Redis client has no ${lacked}`
    expect(found(clients[kind]({}))).toEqual([{ severity: 'warning', what, risk: expect.any(String), mend }])
    const limits = { commandTimeout: 5000, socketTimeout: 10_000, sentinelCommandTimeout: 2000 }
    expect(found(clients[kind](limits))).toEqual([])
    expect(found(clients[kind]({ ...limits, commandTimeout: undefined }))).toMatchObject([
      {
        what: expect.stringMatching(/has no commandTimeout/),
        risk: expect.stringContaining('until the socketTimeout'),
      },
    ])
  },
)

it('limits that a Cluster was given beside its redisOptions do not count, as it does not use them', () => {
  const client = new Cluster(nodes, { lazyConnect: true, commandTimeout: 5000, socketTimeout: 10_000 } as object)
  expect(found(client)).toMatchObject([{ what: `the Redis client has no ${both} in its redisOptions` }])
})
