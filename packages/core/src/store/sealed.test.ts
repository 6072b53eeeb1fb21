import { expect, test } from 'vitest'
import { compressed, encrypted } from '../at-rest/index.ts'
import { testKey } from '../at-rest/keys.fixture.ts'
import { memoryStore } from './memory-store.ts'
import { openSession } from '../session/open-session.ts'
import type { Store } from './store.ts'

test.each<[string, (store: Store) => Store, RegExp]>([
  [
    'encrypted',
    (store) => encrypted(store, { current: testKey('2026-11') }),
    /entry 1 is encrypted with the key "2026-11"/,
  ],
  ['compressed', (store) => compressed(store, { minBytes: 0 }), /entry \d is compressed with deflate/],
])(
  'a session that is %s is never taken for an empty one by who opens it without that (P1)',
  async (_, decorate, said) => {
    const inner = memoryStore()
    const session = await openSession('s', { store: decorate(inner) })
    await session.record([{ type: 'turn-started', turn: 1, messages: [{ role: 'user', content: 'x'.repeat(2000) }] }])
    await session.close()
    await expect(openSession('s', { store: inner })).rejects.toMatchObject({
      code: 'journal-sealed',
      message: expect.stringMatching(said),
      hint: expect.stringContaining('@lastgood/core/at-rest'),
    })
    const again = await openSession('s', { store: decorate(inner) })
    expect(again.messages()).toHaveLength(1)
    await again.close()
  },
)

const keyed = (store: Store) => encrypted(store, { current: testKey('2026-11') })
test.each<[string, (store: Store) => Store, (store: Store) => Store]>([
  ['compressed', (store) => compressed(store), (store) => store],
  ['compressed and encrypted, opened with the key alone', (store) => compressed(keyed(store)), keyed],
  [
    'compressed and encrypted, opened the other way round',
    (store) => compressed(keyed(store)),
    (store) => keyed(compressed(store)),
  ],
])(
  'a body of unusual size is not called altered where only what its session was written with is missing: %s',
  async (_, written, read) => {
    const inner = memoryStore()
    const session = await openSession('s', { store: written(inner) })
    await session.startTurn([{ role: 'user', content: 'x'.repeat(100_000) }])
    await session.close()
    await expect(openSession('s', { store: read(inner) })).rejects.toMatchObject({
      code: 'journal-sealed',
      message: expect.stringMatching(/entry 2 is compressed with deflate-1/),
      hint: expect.stringContaining('compressed(store)'),
    })
  },
)
