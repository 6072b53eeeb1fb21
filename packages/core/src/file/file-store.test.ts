import { mkdtemp, rm, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openSession } from '../session/open-session.ts'
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

test('a list of what is new does not open what its file says is old, and finds all the rest', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'lastgood-file-'))
  onTestFinished(() => rm(dir, { recursive: true }))
  const store = fileStore({ dir })
  const before = Date.now()
  for (const id of ['old', 'new', 'Other']) {
    const session = await openSession(id, { store })
    await session.startTurn([{ role: 'user', content: 'Hi' }])
    await session.close()
  }
  const journal = store.journalAt('old')
  // As it would be had nobody written for an hour: that it was not opened shows in that it is not listed.
  await utimes(journal, new Date(before - 3_600_000), new Date(before - 3_600_000))
  const listed = async (updatedSince?: number) => {
    const ids = []
    for await (const { head } of store.list(updatedSince === undefined ? {} : { updatedSince }))
      ids.push(head.sessionId)
    return ids.sort()
  }
  expect(await listed(before)).toEqual(['Other', 'new'])
  expect(await listed()).toEqual(['Other', 'new', 'old'])
})
