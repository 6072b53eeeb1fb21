/**
 * Several writers, readers and removers of one session at once get the answers of a store that does one thing at a time
 * (P1, P3). Interleavings are drawn by fast-check's scheduler on the memory and file stores, and by the network on real
 * Redis.
 */
import { randomUUID } from 'node:crypto'
import { memoryStore, systemClock, type Store } from '@lastgood/core'
import { fileStore } from '@lastgood/core/file'
import { seededRandom } from '@lastgood/core/testing'
import { redisStore } from '@lastgood/redis'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { contender, type Step } from './fixtures/contender.mjs'
import { acknowledgesTooEarly, appendsInPieces, forgetsFences, isNotIdempotent } from './support/broken-stores.ts'
import { newFolder } from './support/folder.ts'
import { violations } from './support/journal-history.ts'
import { notLinearizable } from './support/linearizable.ts'
import { historyFrom, journalOf, type Told } from './support/telling.ts'

const sessionId = 's'

const steps: Step[] = [
  'acquire',
  'takeOver',
  'takeOver',
  'acquireAgain',
  'appendOne',
  'appendOne',
  'appendThree',
  'appendAndRepeat',
  'appendAndRepeat',
  'appendStale',
  'read',
  'renew',
  'release',
]

/** What each of several clients does, one thing after another. */
const plans = (clients: number, length: number, kinds: readonly Step[]) =>
  fc.array(fc.array(fc.constantFrom(...kinds), { minLength: 2, maxLength: length }), {
    minLength: 2,
    maxLength: clients,
  })

/** Each client carries its plan out with a handle of its own; what they told, in the order of its instants. */
async function played(
  plan: readonly (readonly Step[])[],
  handles: readonly Store[],
  between?: () => Promise<void>,
): Promise<Told[]> {
  const told: Told[] = []
  const clients = plan.map((_, i) =>
    contender({
      store: handles[i % handles.length]!,
      sessionId,
      name: `client-${i}`,
      tell: (one) => void told.push({ ...structuredClone(one), at: told.length }),
      ...(between && { between }),
    }),
  )
  await Promise.all(
    plan.map(async (list, i) => {
      for (const step of list) await clients[i]!.steps[step]()
      await clients[i]!.settled()
    }),
  )
  // The journal as it is in the end is a read that nobody overlaps.
  await contender({
    store: handles[0]!,
    sessionId,
    name: 'last',
    tell: (one) => void told.push({ ...structuredClone(one), at: told.length }),
  }).steps.read()
  return told
}

async function expectTruth(told: readonly Told[], store: Store, { removes = false } = {}): Promise<void> {
  const history = historyFrom(told)
  // With a removal in it, there is no one journal to judge by.
  if (!removes) expect(violations(history, await journalOf(store, sessionId))).toEqual([])
  if (removes || history.length < 40) expect(notLinearizable(history)).toBeUndefined()
}

const withRemoves: Step[] = [...steps, 'release', 'release', 'remove', 'remove']

/** `runs` interleavings, each on an empty store. */
async function expectEveryInterleavingTrue(
  { runs, clients, length, kinds }: { runs: number; clients: number; length: number; kinds: readonly Step[] },
  open: () => readonly Store[],
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(plans(clients, length, kinds), fc.scheduler(), async (plan, scheduler) => {
      const handles = open()
      const playing = played(plan, handles, () => scheduler.schedule(Promise.resolve()))
      await scheduler.waitFor(playing)
      await expectTruth(await playing, handles[0]!, { removes: kinds.includes('remove') })
    }),
    { numRuns: runs },
  )
}

const memoryHandles = () => [memoryStore()]

/** As several processes have the same folder. */
function fileHandles(count = 3): Store[] {
  const dir = newFolder()
  return Array.from({ length: count }, () => fileStore({ dir }))
}

test('on the memory store, every interleaving of writers and readers is one that a single thread could have made (P3)', async () => {
  await expectEveryInterleavingTrue({ runs: 300, clients: 4, length: 8, kinds: steps }, memoryHandles)
})

test('on the memory store, with removals too (P3)', async () => {
  await expectEveryInterleavingTrue({ runs: 300, clients: 3, length: 6, kinds: withRemoves }, memoryHandles)
})

test(
  'on the file store with a handle for each, every interleaving is linearizable (P3)',
  { timeout: 120_000 },
  async () => {
    await expectEveryInterleavingTrue({ runs: 40, clients: 3, length: 7, kinds: steps }, fileHandles)
  },
)

test('on the file store, with removals too (P3)', { timeout: 120_000 }, async () => {
  await expectEveryInterleavingTrue({ runs: 40, clients: 3, length: 6, kinds: withRemoves }, fileHandles)
})

test.each([
  ['forgets its fences', forgetsFences],
  ['does not know an append again', isNotIdempotent],
  ['acknowledges before it has the entries', acknowledgesTooEarly],
  ['appends in pieces', appendsInPieces],
])('a store that %s is found out', async (_fault, open) => {
  const exploring = expectEveryInterleavingTrue({ runs: 300, clients: 3, length: 7, kinds: steps }, () => [
    open(systemClock),
  ])
  await expect(exploring).rejects.toThrow(
    expect.objectContaining({ cause: expect.objectContaining({ name: 'AssertionError' }) }),
  )
})

/** Clients of their own connections, on keys of their own. */
function redisHandles(count: number): Store[] {
  const prefix = `test:${randomUUID()}`
  return Array.from({ length: count }, () => {
    const client = new Redis(inject('redisUrl'))
    onTestFinished(() => client.disconnect())
    return redisStore(client, { prefix })
  })
}

/** A plan that is the same for the same seed. */
function planOf(seed: number, clients: number, length: number, kinds: readonly Step[]): Step[][] {
  const random = seededRandom(seed)
  return Array.from({ length: clients }, () =>
    Array.from({ length }, () => kinds[Math.floor(random() * kinds.length)] as Step),
  )
}

const stores = [
  ['the file store', fileHandles],
  ['Redis', redisHandles],
] as const
const seeds = Array.from({ length: 15 }, (_, i) => i + 1)

describe.each(stores)('on %s, as fast as it goes', (_store, open) => {
  test.each(seeds)('five clients at once are told the truth, with plan %i (P1, P3)', async (seed) => {
    const handles = open(5)
    await expectTruth(await played(planOf(seed, 5, 40, steps), handles), handles[0]!)
  })

  test.each(seeds.slice(0, 6))(
    'three clients at once are linearizable, removals too, with plan %i (P3)',
    async (seed) => {
      const handles = open(3)
      const told = await played(planOf(seed, 3, 7, withRemoves), handles)
      await expectTruth(told, handles[0]!, { removes: true })
    },
  )
})
