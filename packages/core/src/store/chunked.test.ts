import { expect, test } from 'vitest'
import { chunksOf, inChunks } from './chunked.ts'
import { readHistory } from './history.ts'
import { memoryStore } from './memory-store.ts'
import { openSession } from '../session/open-session.ts'

const failure = new Error('the rest is damaged')

async function* parts(closed: () => void) {
  try {
    yield [1, 2]
    yield []
    yield [3]
    throw failure
  } finally {
    closed()
  }
}

async function collected<T>(items: AsyncIterable<T>): Promise<{ items: T[]; error: unknown }> {
  const found: T[] = []
  try {
    for await (const item of items) found.push(item)
    return { items: found, error: undefined }
  } catch (error) {
    return { items: found, error }
  }
}

test('one by one and in chunks it is the same, up to the same error', async () => {
  expect(await collected(inChunks(() => parts(() => {})))).toEqual({ items: [1, 2, 3], error: failure })
  const { items, error } = await collected(chunksOf(inChunks(() => parts(() => {}))))
  expect({ items: items.flat(), error }).toEqual({ items: [1, 2, 3], error: failure })
})

test('what has no chunks comes one at a time', async () => {
  expect((await collected(chunksOf([1, 2, 3]))).items).toEqual([[1], [2], [3]])
})

test('nothing is read before it is asked for, and who stops early gives back what is open', async () => {
  const seen: string[] = []
  const items = inChunks(() => {
    seen.push('read')
    return parts(() => seen.push('closed'))
  })
  expect(seen).toEqual([])
  for await (const item of items) if (item === 1) break
  expect(seen).toEqual(['read', 'closed'])
})

test('a session is opened by reading its journal once', async () => {
  const store = memoryStore()
  const first = await openSession('s', { store })
  await first.startTurn([{ role: 'user', content: 'Hello.' }])
  await first.close()
  let reads = 0
  const counting = { ...store, read: (id: string, after?: number) => ((reads += 1), store.read(id, after)) }
  await (await openSession('s', { store: counting })).close()
  expect(reads).toBe(1)
  expect((await collected(readHistory(counting, 's'))).items.length).toBeGreaterThan(2)
  expect(reads).toBe(2)
})
