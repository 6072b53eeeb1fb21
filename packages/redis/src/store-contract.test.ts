import { storeContract } from '@lastgood/core/testing'
import { inject, test } from 'vitest'
import { client, openStore } from '../test/fixture.ts'
import { redisStore } from './redis-store.ts'

const url = inject('redisUrl')

for (const protocol of [2, 3] as const) {
  for (const { name, run } of storeContract) {
    test(`RESP${protocol}: ${name}`, async () => {
      const { store, redis, prefix, key } = openStore(url, { protocol })
      await run({
        store,
        another: async () => redisStore(client(url, { protocol }), { prefix }),
        elapse: async (sessionId, ms) => {
          await redis.hincrby(key(sessionId, 'session'), 'expiresAt', -ms)
        },
        close: () => store.close(),
      })
    })
  }
}
