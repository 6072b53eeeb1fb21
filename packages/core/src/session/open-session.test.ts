import { expect, test } from 'vitest'
import { memoryStore } from '../store/memory-store.ts'
import { openSession } from './open-session.ts'
import type { Store } from '../store/store.ts'
import { testEpoch } from '../testing/entries.ts'
import { ManualClock } from '../testing/manual-clock.ts'

test.each([-1, 1])(
  'a head that is %i entries off its journal is journal-corrupt, and the lease is given back',
  async (off) => {
    const store = memoryStore()
    const session = await openSession('ses', { store })
    await session.startTurn([{ role: 'user', content: 'x' }])
    await session.close()
    const damaged: Store = {
      ...store,
      async summary(id) {
        const summary = await store.summary(id)
        return summary && { ...summary, head: { ...summary.head, seq: summary.head.seq + off } }
      },
    }
    await expect(openSession('ses', { store: damaged })).rejects.toMatchObject({
      code: 'journal-corrupt',
      hint: expect.stringContaining('lastgood show ses'),
      details: { sessionId: 'ses', length: 2, seq: 2 + off },
    })
    expect((await store.summary('ses'))?.holder).toBeNull()
  },
)

test('an option that no session has is refused by its name, before anything is recorded elsewhere than meant', async () => {
  const mistaken = { stroe: memoryStore() }
  await expect(openSession('ses', mistaken as object)).rejects.toMatchObject({
    code: 'bad-option',
    message: expect.stringContaining('Session option holds stroe'),
    details: { field: 'stroe' },
  })
})

test('what cannot decide about a fault is told before there is one', async () => {
  const opened = openSession('ses', { store: memoryStore(), decide: 'x' as never })
  await expect(opened).rejects.toMatchObject({ code: 'bad-option', details: { field: 'decide' } })
})

test.each([
  ['ahead', 86_400_000, 130],
  ['right', -1_000, 129_000],
])('a wait that was armed while the clock was %s lasts as long as was meant (P6)', async (_, aheadMs, leftMs) => {
  const store = memoryStore()
  const lasts = aheadMs > 0 ? 130 : 130_000
  const before = new ManualClock({ startAt: testEpoch + aheadMs })
  const died = await openSession('ses', { store, clock: before })
  await died.startTurn([{ role: 'user', content: 'x' }])
  await died.record([
    { type: 'request-sent', model: 'm', attempt: 1 },
    {
      type: 'fault-observed',
      fault: { kind: 'overloaded', status: 529 },
      decision: { kind: 'retry', at: before.now() + lasts },
    },
  ])
  const clock = new ManualClock({ startAt: testEpoch })
  const session = await openSession('ses', { store, clock, takeover: true })
  expect(session.owed).toEqual({ kind: 'wait', until: testEpoch + leftMs })
  expect((await store.summary('ses'))?.head).toMatchObject({ dueAt: testEpoch + leftMs, reason: '529 overloaded' })
  await session.close()
})
