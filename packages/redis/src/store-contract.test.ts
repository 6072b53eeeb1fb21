import { storeContract } from '@lastgood/core/testing'
import { describe, expect, inject, it } from 'vitest'
import { client, openStore } from '../test/fixture.ts'
import { redisStore } from './redis-store.ts'

const url = inject('redisUrl')

describe.each([2, 3] as const)('redisStore keeps the store contract with RESP%i', (protocol) => {
  it.each(storeContract.map((one) => [one.name, one] as const))('%s', async (_, contractCase) => {
    const { store, redis, prefix, key } = openStore(url, { protocol })
    const kept = contractCase.run({
      store,
      another: async () => redisStore(client(url, { protocol }), { prefix }),
      elapse: async (sessionId, ms) => {
        await redis.hincrby(key(sessionId, 'session'), 'expiresAt', -ms)
      },
      close: () => store.close(),
    })
    await expect(kept).resolves.toBeUndefined()
  })
})
