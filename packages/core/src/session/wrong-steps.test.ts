/** Steps whose options would fail only after a crash, or never. */
import { expect, test } from 'vitest'
import { memoryStore } from '../store/memory-store.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { openSession } from './open-session.ts'

test.each([
  ['run', undefined, {}],
  ['signal', () => 'ran', { signal: new AbortController() }],
  ['verify', () => 'ran', { verify: 'not-done' }],
  ['onInDoubt', () => 'ran', { onInDoubt: 'rerun' }],
  ['inDoubt', () => 'ran', { inDoubt: 'reprot' }],
  ['idoubt', () => 'ran', { idoubt: 'rerun' }],
  ['key', () => 'ran', { key: 5 }],
  ['signal', () => 'ran', { toolUseId: 't1', signal: 'stop' }],
])('a step with a wrong %s is refused before anything is recorded', async (field, run, options) => {
  const store = memoryStore()
  const session = await openSession('s', { store, clock: new ManualClock() })
  const step = session.step('deploy', { to: 'live' }, run as never, options as never)
  await expect(step).rejects.toMatchObject({ code: 'bad-option', details: { field } })
  await session.close()
  for await (const { type } of store.read('s')) expect.unreachable(type)
})
