import { describe, test } from 'vitest'
import { newFolder } from '../../../../test/support/folder.ts'
import { fileStore } from '../file/index.ts'
import { memoryStore } from '../store/memory-store.ts'
import type { Store } from '../store/store.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { storeContract } from '../testing/store-contract.ts'
import { compressed, encrypted } from './index.ts'
import { testKey } from './keys.fixture.ts'

const options = { current: testKey('2026-11'), others: [testKey('2026-10')] }

const decorators: Record<string, (store: Store) => Store> = {
  'compressed(store)': (store) => compressed(store, { minBytes: 0 }),
  'encrypted(store)': (store) => encrypted(store, options),
  'compressed(encrypted(store))': (store) => compressed(encrypted(store, options)),
  'encrypted(compressed(store))': (store) => encrypted(compressed(store), options),
}

for (const [name, decorate] of Object.entries(decorators)) {
  describe(`${name} keeps the store contract`, () => {
    test.each(storeContract)('in memory: $name', async ({ run }) => {
      const clock = new ManualClock()
      const inner = memoryStore({ clock })
      await run({
        store: decorate(inner),
        another: async () => decorate(inner),
        elapse: (_, ms) => clock.advance(ms),
        close: () => inner.close(),
      })
    })

    test.each(storeContract)('in files: $name', async ({ run }) => {
      const dir = newFolder()
      const clock = new ManualClock()
      const store = decorate(fileStore({ dir, clock }))
      await run({
        store,
        another: async () => decorate(fileStore({ dir, clock })),
        elapse: (_, ms) => clock.advance(ms),
        close: () => store.close(),
      })
    })
  })
}
