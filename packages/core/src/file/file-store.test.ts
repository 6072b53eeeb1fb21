import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'vitest'
import { ManualClock } from '../testing/manual-clock.ts'
import { storeContract } from '../testing/store-contract.ts'
import { fileStore } from './file-store.ts'

describe('fileStore keeps the store contract', () => {
  for (const { name, run } of storeContract) {
    test(name, async () => {
      const dir = await mkdtemp(join(tmpdir(), 'lastgood-file-'))
      const clock = new ManualClock()
      const store = fileStore({ dir, clock })
      try {
        await run({
          store,
          another: async () => fileStore({ dir, clock }),
          elapse: (_, ms) => clock.advance(ms),
          close: () => store.close(),
        })
      } finally {
        await rm(dir, { recursive: true })
      }
    })
  }
})
