import { Cluster, Redis } from 'ioredis'
import { expect, it, onTestFinished } from 'vitest'
import { limitFindings } from './client-limits.ts'

const both = { commandTimeout: 5000, socketTimeout: 10_000 }
const nodes = [{ host: '127.0.0.1', port: 1 }]

const clients = {
  Redis: (options: object) => new Redis({ lazyConnect: true, ...options }),
  Sentinel: (options: object) => new Redis({ lazyConnect: true, sentinels: nodes, name: 'm', ...options }),
  Cluster: (redisOptions: object) => new Cluster(nodes, { lazyConnect: true, redisOptions }),
}

function found(client: Redis | Cluster) {
  onTestFinished(() => client.disconnect())
  return limitFindings(client)
}

it.each(['Redis', 'Sentinel', 'Cluster'] as const)(
  'a client of a %s with both limits of time is no finding',
  (kind) => {
    expect(found(clients[kind](both))).toEqual([])
  },
)

it.each([
  ['Redis', 'new Redis(…, { commandTimeout: 5000, socketTimeout: 10_000 })'],
  ['Sentinel', 'new Redis(…, { commandTimeout: 5000, socketTimeout: 10_000 })'],
  ['Cluster', 'new Cluster(…, { redisOptions: { commandTimeout: 5000, socketTimeout: 10_000 } })'],
] as const)('a client of a %s without them is a warning, with the options that set them', (kind, mend) => {
  expect(found(clients[kind]({}))).toMatchObject([{ severity: 'warning', mend }])
  expect(found(clients[kind]({ socketTimeout: 1 }))).toMatchObject([
    { what: expect.stringMatching(/has no commandTimeout(?! and)/) },
  ])
  expect(found(clients[kind]({ commandTimeout: 1 }))).toMatchObject([
    { what: expect.stringMatching(/has no socketTimeout/), risk: expect.stringContaining('for ever') },
  ])
})

it('limits that a Cluster was given beside its redisOptions do not count, as it does not use them', () => {
  const client = new Cluster(nodes, { lazyConnect: true, ...both } as object)
  expect(found(client)).toMatchObject([
    { what: 'the Redis client has no commandTimeout and no socketTimeout in its redisOptions' },
  ])
})
