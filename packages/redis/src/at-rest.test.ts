import { compressed, encrypted } from '@lastgood/core/at-rest'
import { storeContract } from '@lastgood/core/testing'
import type { Store } from '@lastgood/core'
import { describe, expect, inject, it } from 'vitest'
import { client, openStore } from '../test/fixture.ts'
import { redisStore } from './redis-store.ts'

const url = inject('redisUrl')
const key = Buffer.from('0123456789abcdef0123456789abcdef')
const decorate = (store: Store) => compressed(encrypted(store, { current: { id: 'k', key } }))

describe('compressed(encrypted(redisStore)) keeps the store contract', () => {
  it.each(storeContract.map((one) => [one.name, one] as const))('%s', async (_, contractCase) => {
    const { store, redis, prefix, key } = openStore(url)
    const kept = contractCase.run({
      store: decorate(store),
      another: async () => decorate(redisStore(client(url), { prefix })),
      elapse: async (sessionId, ms) => {
        await redis.hincrby(key(sessionId, 'session'), 'expiresAt', -ms)
      },
      close: () => store.close(),
    })
    await expect(kept).resolves.toBeUndefined()
  })
})
