import { describe, test } from 'vitest'
import { memoryStore } from './memory-store.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { storeContract } from '../testing/store-contract.ts'

describe('memoryStore keeps the store contract', () => {
  for (const { name, run } of storeContract) {
    test(name, async () => {
      const clock = new ManualClock()
      const store = memoryStore({ clock })
      // One process only: the second handle is the store itself.
      await run({ store, another: async () => store, elapse: (_, ms) => clock.advance(ms), close: () => store.close() })
    })
  }
})
