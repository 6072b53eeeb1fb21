import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keptApart, withBlobs } from './blobs.ts'
import { journalVersion, parseEntry, type Entry, type EntryBody } from '../journal/journal.ts'
import { memoryStore } from './memory-store.ts'
import { openSession } from '../session/open-session.ts'
import type { Lease, Store } from './store.ts'
import { entry, head, owner, turnStarted } from '../testing/entries.ts'
import { ManualClock } from '../testing/manual-clock.ts'

async function stored(...entries: Entry[]): Promise<Store> {
  const store = memoryStore()
  const lease = (await store.acquire('s', owner('ann'), 1_000)) as Lease
  const kept = entries.map(keptApart)
  for (const { blob } of kept) if (blob) await store.putBlob(lease, blob.name, blob.text)
  await store.append(
    lease,
    0,
    kept.map((one) => one.stored),
    head('s', entries.length),
  )
  return store
}

async function all(entries: AsyncIterable<Entry>): Promise<Entry[]> {
  const found: Entry[] = []
  for await (const one of entries) found.push(one)
  return found
}

describe('an entry', () => {
  test('of up to 64 KiB stays in its line, whatever its characters', () => {
    for (const text of ['x'.repeat(65_000), 'é'.repeat(32_000), '\u0000'.repeat(10_000), 'short']) {
      expect(keptApart(entry(1, 1, turnStarted(text))).blob).toBeUndefined()
    }
  })

  test('beyond that leaves a line of a few hundred bytes, and comes back key for key (P4)', () => {
    return fc.assert(
      fc.asyncProperty(
        fc.array(fc.json(), { maxLength: 3 }),
        fc.integer({ min: 0, max: 200_000 }),
        async (extra, length) => {
          const big = entry(1, 1, turnStarted('é'.repeat(length)))
          const body: EntryBody = {
            type: 'turn-started',
            turn: 1,
            messages: [{ zeta: extra, role: 'user', content: 'é'.repeat(length), alpha: 1 }],
          }
          const entries = [big, entry(2, 1, body)]
          const store = await stored(...entries)
          for await (const line of store.read('s')) expect(JSON.stringify(line).length).toBeLessThan(70_000)
          const back = await all(withBlobs(store, 's', store.read('s')))
          expect(back).toEqual(entries)
          const [, second] = back
          if (second?.type !== 'turn-started') throw new Error('another kind came back')
          expect(JSON.stringify(second.messages)).toBe(JSON.stringify(body.messages))
        },
      ),
      { numRuns: 20 },
    )
  })
})

describe('a body that is kept apart', () => {
  const big = entry(1, 1, turnStarted('x'.repeat(100_000)))

  test('and missing is damage that names the entry', async () => {
    const store = await stored(big)
    const without: Store = { ...store, readBlob: async () => undefined }
    await expect(all(withBlobs(without, 's', store.read('s')))).rejects.toMatchObject({
      code: 'journal-corrupt',
      message: expect.stringContaining('entry 1'),
    })
  })

  test('and altered is damage, without its content in the error', async () => {
    const store = await stored(big)
    const other: Store = { ...store, readBlob: () => Promise.resolve('{"type":"turn-ended","turn":1,"secret":1}') }
    const failure = await all(withBlobs(other, 's', store.read('s'))).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'journal-corrupt', message: expect.stringContaining('was altered') })
    expect(String(failure)).not.toContain('secret')
  })

  test('says which version wrote it, and is read as that one', async () => {
    const { stored: line, blob } = keptApart(big)
    const { v, ...body } = JSON.parse(blob?.text ?? '') as { v: number }
    expect(v).toBe(journalVersion)
    const read = async (text: string): Promise<Entry | undefined> => {
      const name = createHash('sha256').update(text).digest('hex')
      const entries = (async function* () {
        yield { ...line, blob: { name, bytes: text.length } } as Entry
      })()
      const [whole] = await all(withBlobs({ ...memoryStore(), readBlob: async () => text }, 's', entries))
      return whole
    }
    // The first releases that kept bodies apart did not say.
    for (const text of [JSON.stringify(body), JSON.stringify({ ...body, v: 1 })]) expect(await read(text)).toEqual(big)
    await expect(read(JSON.stringify({ ...body, v: 99 }))).rejects.toMatchObject({ code: 'journal-version' })
  })

  test('is durable before the entry that names it (P1): an append never comes first', async () => {
    const store = memoryStore()
    const calls: string[] = []
    const watched: Store = {
      ...store,
      putBlob: async (lease, name, text) => (calls.push('blob'), store.putBlob(lease, name, text)),
      append: async (lease, after, entries, top) => {
        for (const one of entries) calls.push(parseEntry(one, 'test').type)
        return store.append(lease, after, entries, top)
      },
    }
    const session = await openSession('s', { store: watched, clock: new ManualClock() })
    await session.startTurn([{ role: 'user', content: 'x'.repeat(100_000) }])
    await session.close()
    expect(calls).toEqual(['blob', 'session-opened', 'kept-apart'])
    const again = await openSession('s', { store, clock: new ManualClock() })
    expect(again.messages()).toEqual([{ role: 'user', content: 'x'.repeat(100_000) }])
    await again.close()
  })
})
