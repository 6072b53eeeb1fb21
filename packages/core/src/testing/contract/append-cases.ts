/** Adding entries: one atomic step, refused to stale writers, recognised when repeated. */
import assert from 'node:assert/strict'
import { isLastgoodError } from '../../errors.ts'
import { entriesAfter, entry, head, owner, turnStarted } from '../entries.ts'
import { type StoreCase, added, readAll, rejects, summaryOf, taken, ttlMs } from './harness.ts'

export const appendCases: readonly StoreCase[] = [
  {
    name: 'what append acknowledged is there for another handle at once, with its head (P1)',
    async run({ store, another }) {
      const other = await another()
      const lease = await taken(store, 's')
      const first = await added(store, lease, 0, 3)
      assert.deepEqual(await readAll(other, 's'), first)
      const second = await added(store, lease, 3, 2)
      assert.deepEqual(await readAll(other, 's'), [...first, ...second])
      assert.deepEqual((await summaryOf(other, 's')).head, head('s', 5))
    },
  },
  {
    name: 'a stale fence is refused and nothing is added, neither entries nor head (P3, P5)',
    async run({ store, another, elapse }) {
      const stale = await taken(store, 's')
      const before = await added(store, stale, 0, 2)
      await elapse('s', ttlMs + 1)
      const other = await another()
      await taken(other, 's', owner('bob'))
      await rejects(added(store, stale, 2, 2), 'lease-lost')
      assert.deepEqual(await readAll(other, 's'), before)
      assert.deepEqual((await summaryOf(other, 's')).head, head('s', 2))
    },
  },
  {
    name: 'a stale writer is refused even after the new holder has released (P3)',
    async run({ store, another }) {
      const stale = await taken(store, 's')
      await added(store, stale, 0)
      const other = await another()
      await other.release(await taken(other, 's', owner('bob'), stale.fence))
      await rejects(added(store, stale, 1), 'lease-lost')
    },
  },
  {
    name: 'a lease that ran out and that nobody took still writes: the fence decides, not a clock',
    async run({ store, elapse }) {
      const lease = await taken(store, 's')
      await added(store, lease, 0)
      await elapse('s', ttlMs * 10)
      await added(store, lease, 1)
    },
  },
  {
    name: 'after a takeover the new writer continues the same sequence (P1)',
    async run({ store, another }) {
      const old = await taken(store, 's')
      const before = await added(store, old, 0, 2)
      const other = await another()
      const after = await added(other, await taken(other, 's', owner('bob'), old.fence), 2, 2)
      assert.deepEqual(await readAll(store, 's'), [...before, ...after])
    },
  },
  {
    name: 'an append that leaves a gap is a journal-conflict that names the last entry, and adds nothing (P1)',
    async run({ store }) {
      const lease = await taken(store, 's')
      const lastEntry = (seq: number) => (error: unknown) => isLastgoodError(error) && error.details['seq'] === seq
      await assert.rejects(added(store, lease, 1), lastEntry(0))
      const before = await added(store, lease, 0, 2)
      await rejects(added(store, lease, 3), 'journal-conflict')
      await assert.rejects(added(store, lease, 5, 2), lastEntry(2))
      assert.deepEqual(await readAll(store, 's'), before)
    },
  },
  {
    name: 'entries that do not count on, are of another fence, or are none at all, are a journal-conflict',
    async run({ store }) {
      const lease = await taken(store, 's')
      const { fence } = lease
      const bad = [[], [entry(2, fence)], [entry(1, fence), entry(3, fence)], [entry(1, fence + 1)]]
      for (const entries of bad)
        await rejects(store.append(lease, 0, entries, head('s', entries.length)), 'journal-conflict')
      await rejects(store.append(lease, 0, [entry(1, fence)], head('s', 2)), 'journal-conflict')
      await rejects(store.append(lease, 0, [entry(1, fence)], head('t', 1)), 'journal-conflict')
      assert.equal(await store.summary('s'), undefined)
    },
  },
  {
    name: 'an append at an old place with different entries is a journal-conflict and changes nothing',
    async run({ store }) {
      const lease = await taken(store, 's')
      const before = await added(store, lease, 0, 3)
      await rejects(added(store, lease, 2, 1, turnStarted('different')), 'journal-conflict')
      await rejects(added(store, lease, 0, 1, turnStarted('different')), 'journal-conflict')
      await rejects(added(store, lease, 2, 2), 'journal-conflict')
      assert.deepEqual(await readAll(store, 's'), before)
      assert.deepEqual((await summaryOf(store, 's')).head, head('s', 3))
    },
  },
  {
    name: 'the same append repeated is acknowledged and not doubled (its first answer was lost) (P1)',
    async run({ store, another }) {
      const lease = await taken(store, 's')
      const entries = entriesAfter(0, 2, lease.fence)
      for (const handle of [store, store, await another()]) {
        assert.equal(await handle.append(lease, 0, structuredClone(entries), head('s', 2)), 2)
      }
      assert.deepEqual(await readAll(store, 's'), entries)
      const more = await added(store, lease, 2)
      assert.deepEqual(await readAll(store, 's'), [...entries, ...more])
    },
  },
  {
    name: 'an older append repeated is acknowledged and does not put the head back',
    async run({ store }) {
      const lease = await taken(store, 's')
      const first = await added(store, lease, 0, 2)
      const second = await added(store, lease, 2, 2)
      await store.append(lease, 0, first, head('s', 2))
      assert.deepEqual(await readAll(store, 's'), [...first, ...second])
      assert.deepEqual((await summaryOf(store, 's')).head, head('s', 4))
    },
  },
  {
    name: 'of ten appends to the same place exactly one wins, again and again (P3)',
    async run({ store, another }) {
      const handles = [store, await another()]
      const lease = await taken(store, 's')
      for (let afterSeq = 0; afterSeq < 5; afterSeq++) {
        const attempts = Array.from({ length: 10 }, (_, i) =>
          added(handles[i % 2] ?? store, lease, afterSeq, 1, turnStarted(`writer ${i}`)),
        )
        const results = await Promise.allSettled(attempts)
        const winners = results.filter((result) => result.status === 'fulfilled')
        assert.equal(winners.length, 1)
        assert.deepEqual(await readAll(store, 's', afterSeq), winners[0]?.value)
        const losers = attempts.filter((_, i) => results[i]?.status === 'rejected')
        await Promise.all(losers.map((attempt) => rejects(attempt, 'journal-conflict')))
      }
    },
  },
  {
    name: 'neither what was appended nor what was read can be changed through the objects of the caller',
    async run({ store }) {
      const lease = await taken(store, 's')
      const [entries, top] = [
        entriesAfter(0, 1, lease.fence),
        head('s', 1, { machine: { version: '1', value: 'a', context: { n: 1 } } }),
      ]
      const before = structuredClone({ entries, top })
      await store.append(lease, 0, entries, top)
      top.machine.context['n'] = 2
      for (const one of [...entries, ...(await readAll(store, 's'))]) {
        assert.equal(one.type, 'turn-started')
        if (one.type === 'turn-started') one.messages.length = 0
      }
      ;(await summaryOf(store, 's')).head.status = 'idle'
      assert.deepEqual(await readAll(store, 's'), before.entries)
      assert.deepEqual((await summaryOf(store, 's')).head, before.top)
    },
  },
]
