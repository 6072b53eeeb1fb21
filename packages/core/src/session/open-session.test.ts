import { expect, test } from 'vitest'
import { memoryStore } from '../store/memory-store.ts'
import { openSession } from './open-session.ts'
import type { Store } from '../store/store.ts'

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
