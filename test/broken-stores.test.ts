/** The contract has teeth: a store with one fault fails the cases about it. */
import { memoryStore, type Clock, type Store } from '@lastgood/core'
import { ManualClock, storeContract } from '@lastgood/core/testing'
import { expect, test } from 'vitest'
import {
  acknowledgesTooEarly,
  appendsInPieces,
  forgetsFences,
  isNotIdempotent,
  letsEverybodyIn,
  losesLastEntries,
} from './support/broken-stores.ts'

/** The names of the cases that stores of `open` do not keep. */
async function failing(open: (clock: Clock) => Store): Promise<string[]> {
  const names: string[] = []
  for (const { name, run } of storeContract) {
    const clock = new ManualClock()
    const store = open(clock)
    const kept = run({
      store,
      another: async () => store,
      elapse: (_, ms) => clock.advance(ms),
      close: () => store.close(),
    })
    await kept.catch(() => names.push(name))
  }
  return names
}

test('the contract has at least sixty cases, each with a name of its own', () => {
  const names = new Set(storeContract.map(({ name }) => name))
  expect(names.size).toBe(storeContract.length)
  expect(names.size).toBeGreaterThanOrEqual(60)
})

test('a store without a fault fails none', async () => {
  expect(await failing((clock) => memoryStore({ clock }))).toEqual([])
})

test.each([
  [
    'forgets the fence when it appends',
    forgetsFences,
    [
      'takeover with the fence of the live lease takes it, and fences the old writer off (P3)',
      'the holder may acquire again (its first answer was lost), and only its newest lease writes',
      'a stale fence is refused and nothing is added, neither entries nor head (P3, P5)',
      'an append that was applied and is repeated after a takeover is lease-lost, and stays where it is (P1, P3)',
      'a takeover in the middle of appends: what was acknowledged is there, whole, and nothing of it comes later (P1, P3)',
    ],
  ],
  [
    'loses the last entry of an append',
    losesLastEntries,
    [
      'what append acknowledged is there for another handle at once, with its head (P1)',
      'after a takeover the new writer continues the same sequence (P1)',
      'read gives the entries after a sequence, from any place inside an append',
      'hundreds of entries come back in order, over every chunk border',
      'the next writer reads all that was acknowledged before, and what was appended is never rewritten (P1)',
    ],
  ],
  [
    'does not know an append again',
    isNotIdempotent,
    [
      'the same append repeated is acknowledged and not doubled (its first answer was lost) (P1)',
      'an older append repeated is acknowledged and does not put the head back',
      'every part of what is there may be repeated, across appends too; one entry more is a journal-conflict (P1)',
    ],
  ],
  [
    'gives a held session to whoever asks',
    letsEverybodyIn,
    [
      'a live lease gives Busy with owner, since and fence, to every handle (P3)',
      'takeover with a wrong or an old fence gives Busy, and the holder keeps writing (P3)',
      'of ten owners who acquire at once exactly one gets the lease (P3)',
      'of ten takeovers that name the same fence exactly one wins (P3)',
    ],
  ],
  [
    'acknowledges before it has the entries',
    acknowledgesTooEarly,
    [
      'what append acknowledged is there for another handle at once, with its head (P1)',
      'a stale fence is refused and nothing is added, neither entries nor head (P3, P5)',
      'of ten appends to the same place exactly one wins, again and again (P3)',
      'an append that leaves a gap is a journal-conflict that names the last entry, and adds nothing (P1)',
    ],
  ],
  [
    'appends the entries of one append one by one',
    appendsInPieces,
    [
      'who reads while another appends gets whole appends, from the first on, with all that was acknowledged (P1)',
      'a summary never falls behind what was acknowledged, and its head is the one of a whole append',
    ],
  ],
])('a store that %s fails the cases that say so', async (_fault, open, cases) => {
  const names = await failing(open)
  expect(names).toEqual(expect.arrayContaining(cases))
  // The fault is in the journal alone: what sessions share is kept.
  expect(names.filter((name) => name.startsWith('a shared record'))).toEqual([])
})
