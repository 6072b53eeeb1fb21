import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { newFolder } from '../../../../test/support/folder.ts'
import { fileStore } from '../file/index.ts'
import { type Entry, journalVersion, parseEntry } from '../journal/journal.ts'
import { machineVersion } from '../machine/machine-state.ts'
import { openSession } from '../session/open-session.ts'
import { memoryStore } from '../store/memory-store.ts'
import type { SealedEntry } from '../store/sealed.ts'
import type { Head } from '../store/head.ts'
import type { Lease, SessionSummary, Store } from '../store/store.ts'
import { storeOver } from '../store/store-over.ts'
import { entry, head, owner, turnStarted } from '../testing/entries.ts'
import { anyBody } from './bodies.fixture.ts'
import { compressed, encrypted } from './index.ts'
import { testKey } from './keys.fixture.ts'

const [old, current, next] = [testKey('2026-10'), testKey('2026-11'), testKey('2026-12')]
const canary = 'CANARY-the-plan-is-secret'
const blobName = 'ab'.repeat(32)

async function taken(store: Store, sessionId = 's', by = 'ann'): Promise<Lease> {
  return (await store.acquire(sessionId, owner(by), 600_000)) as Lease
}

async function written(store: Store, texts: readonly string[], sessionId = 's', afterSeq = 0): Promise<Entry[]> {
  const lease = await taken(store, sessionId)
  const entries = texts.map((text, i) => entry(afterSeq + 1 + i, lease.fence, turnStarted(text)))
  await store.append(lease, afterSeq, entries, head(sessionId, afterSeq + texts.length))
  await store.release(lease)
  return entries
}

async function all(store: Store, sessionId = 's', afterSeq?: number): Promise<Entry[]> {
  const entries: Entry[] = []
  for await (const one of store.read(sessionId, afterSeq)) entries.push(one)
  return entries
}

const sealedIn = async (store: Store, sessionId = 's'): Promise<SealedEntry[]> =>
  (await all(store, sessionId)) as SealedEntry[]

/** A store in which somebody has put `entries` in place of what was written; like all stores it checks their form. */
const forged = (store: Store, entries: readonly unknown[]): Store =>
  storeOver(store, {
    async *read() {
      for (const one of entries) yield parseEntry(one, 'memory:s')
    },
  })

test('any entry comes back as it went in, keys in their order, alone and under compression (P4)', async () => {
  await fc.assert(
    fc.asyncProperty(anyBody, async (body) => {
      const plain = encrypted(memoryStore(), { current })
      const both = compressed(encrypted(memoryStore(), { current }), { minBytes: 0 })
      // A sealed entry is what a decorator outside has written, and that one would open it.
      for (const store of body.type === 'sealed' ? [plain] : [plain, both]) {
        const lease = await taken(store)
        const one = entry(1, lease.fence, body)
        await store.append(lease, 0, [one], head('s', 1))
        const [back] = await all(store)
        expect(back).toEqual(one)
        if (body.type !== 'sealed') expect(JSON.stringify(back)).toBe(JSON.stringify(one))
      }
    }),
  )
})

describe('nothing of the plaintext is in the files', () => {
  test.each<[string, (store: Store) => Store]>([
    ['encrypted', (store) => encrypted(store, { current })],
    ['compressed and encrypted', (store) => compressed(encrypted(store, { current }))],
  ])('%s', async (_, decorate) => {
    const dir = newFolder()
    const store = decorate(fileStore({ dir }))
    await written(store, [canary, canary.repeat(100)])
    await store.putBlob(await taken(store), blobName, JSON.stringify(canary.repeat(100)))
    const files = (await readdir(dir, { recursive: true, withFileTypes: true })).filter((file) => file.isFile())
    const names = files.map(({ parentPath, name }) => join(parentPath, name))
    const stored = (await Promise.all(names.map((name) => readFile(name, 'latin1')))).join('\n') + names.join('\n')
    expect(stored).toContain('aes-256-gcm')
    for (const shown of [canary, Buffer.from(canary).toString('base64').slice(4, -4), blobName, 'turn-started', 'user'])
      expect(stored).not.toContain(shown)
    expect(await store.readBlob('s', blobName)).toContain(canary)
  })
})

describe('what was altered is refused, by its place and without content', () => {
  test('any single bit of a record, whatever field it is in', async () => {
    const inner = memoryStore()
    const [one] = await written(encrypted(inner, { current }), [canary])
    const [sealed] = await sealedIn(inner)
    const json = Buffer.from(JSON.stringify(sealed))
    for (let bit = 0; bit < json.length * 8; bit++) {
      const flipped = Buffer.from(json)
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      let parsed: { v?: unknown }
      try {
        parsed = JSON.parse(flipped.toString()) as object
      } catch {
        continue
      }
      const reading = all(encrypted(forged(inner, [parsed]), { current }))
      // An earlier version of the seal means the same, and the entry's own is inside.
      if (Number(parsed.v) > 0 && Number(parsed.v) < journalVersion) {
        expect(await reading).toEqual([one])
        continue
      }
      const error = await reading.then(
        () => 'it was read',
        (reason: Error & { code: string }) => reason,
      )
      expect([bit, error]).toEqual([
        bit,
        expect.objectContaining({
          code: expect.stringMatching(/^journal-(corrupt|sealed|version)$/),
          message: expect.not.stringContaining('CANARY'),
        }),
      ])
    }
  })

  test('data that was cut off anywhere, or is empty', async () => {
    const inner = memoryStore()
    await written(encrypted(inner, { current }), ['x'])
    const [sealed] = await sealedIn(inner)
    const bytes = Buffer.from(sealed!.data, 'base64')
    for (let length = 0; length < bytes.length; length++) {
      const cut = { ...sealed!, data: bytes.subarray(0, length).toString('base64') }
      await expect(all(encrypted(forged(inner, [cut]), { current }))).rejects.toMatchObject({ code: 'journal-corrupt' })
    }
  })

  test('a record in another place: swapped, left out, doubled, of another session or another fence', async () => {
    const inner = memoryStore()
    const store = encrypted(inner, { current })
    await written(store, ['one', 'two', 'three'])
    await written(store, ['one', 'two', 'three'], 'S')
    const [one, two, three] = (await sealedIn(inner)) as [SealedEntry, SealedEntry, SealedEntry]
    const [ofOther] = await sealedIn(inner, 'S')
    const { data } = two
    const relabelled = { ...one, data }
    const swaps = [
      [two, one, three],
      [one, three],
      [one, one, two],
      [relabelled],
      [one, { ...one, seq: 2 }],
      [ofOther],
      [{ ...one, fence: 2 }],
      [{ ...one, at: one.at + 1 }],
      [{ ...one, key: old.id }],
    ]
    for (const entries of swaps) {
      const reading = all(encrypted(forged(inner, entries), { current, others: [old] }))
      await expect(reading).rejects.toMatchObject({
        code: 'journal-corrupt',
        message: expect.stringMatching(/^memory:s entry \d cannot be opened: /),
      })
    }
    await expect(all(encrypted(forged(inner, [one, two, three]), { current }))).resolves.toHaveLength(3)
  })

  test('a blob that was altered, cut off, renamed, or is of another session or another key', async () => {
    const inner = memoryStore()
    const store = encrypted(inner, { current, others: [old] })
    const kept = new Map<string, string>()
    const watching = encrypted(
      storeOver(inner, {
        async putBlob(lease, name, text) {
          kept.set(name, text)
          await inner.putBlob(lease, name, text)
        },
      }),
      { current },
    )
    const [s, S] = [await taken(watching), await taken(watching, 'S')]
    await watching.putBlob(s, blobName, 'one')
    await watching.putBlob(s, 'cd'.repeat(32), 'two')
    await watching.putBlob(S, blobName, 'one')
    const [[name, one], [, two], [, ofOther]] = [...kept] as [[string, string], [string, string], [string, string]]
    const forgeries = [two, ofOther, one.slice(0, -4), one.replace(current.id, old.id), 'one', '', `${one}=`]
    for (const text of forgeries) {
      await inner.putBlob(s, name, text)
      await expect(store.readBlob('s', blobName)).rejects.toMatchObject({
        code: 'journal-corrupt',
        message: expect.stringContaining(blobName),
      })
    }
    await inner.putBlob(s, name, one)
    expect(await store.readBlob('s', blobName)).toBe('one')
  })
})

describe('the state of the machine in a head', () => {
  const stateIn = (summary: SessionSummary | undefined) => summary?.head.machine

  test('comes back with the key, also in lists, and is none of what a reader without it sees', async () => {
    const inner = memoryStore()
    const store = encrypted(inner, { current, others: [old] })
    const machine = { version: '2', value: 'executingTools', context: { calls: { [canary]: 'started' } } }
    const lease = await taken(store)
    await store.append(lease, 0, [entry(1, lease.fence)], head('s', 1, { machine }))
    for (const keys of [{ current }, { current: next, others: [current] }]) {
      const reader = encrypted(inner, keys)
      expect(stateIn(await reader.summary('s'))).toEqual(machine)
      for await (const one of reader.list()) expect(stateIn(one)).toEqual(machine)
    }
    expect(JSON.stringify(await inner.summary('s'))).not.toContain(canary)
    expect(stateIn(await encrypted(inner, { current: next }).summary('s'))?.version).toBe('unproven')
  })

  test('is of no machine where somebody without the key has put it there: the journal is folded', async () => {
    const inner = memoryStore()
    const store = encrypted(inner, { current })
    await written(store, ['one'])
    await written(store, ['one'], 'another')
    const sealed = (await inner.summary('s'))!.head
    const { head: another } = (await inner.summary('another'))!
    const data = String(sealed.machine.context['data'])
    const changes: Partial<Head>[] = [
      { seq: 2 },
      { machine: another.machine },
      { machine: { version: machineVersion, value: 'requesting', context: { tried: ['drop-field:system'] } } },
      ...[
        undefined,
        7,
        '',
        'AAAA',
        `${data}\n`,
        data.slice(4),
        data.replace(/^./, (first) => (first === 'A' ? 'B' : 'A')),
      ].map((one) => ({ machine: { ...sealed.machine, context: { data: one } } })),
    ]
    for (const change of changes) {
      const summary = async () => ({ head: { ...sealed, ...change }, holder: null })
      const reader = encrypted(storeOver(inner, { summary }), { current })
      expect(stateIn(await reader.summary('s'))).toEqual({ version: 'unproven', value: 'idle', context: {} })
    }
  })

  test('takes nothing out of what is sent, whatever somebody without the key has made of it', async () => {
    const inner = memoryStore()
    const store = encrypted(inner, { current })
    const before = await openSession('s', { store })
    await before.startTurn([{ role: 'user', content: 'hi' }])
    await before.record([{ type: 'request-sent', model: 'm', attempt: 1 }])
    await before.close()
    const machine = { version: machineVersion, value: 'requesting', context: { tried: ['drop-field:system'] } }
    const summary = async (id: string) => {
      const one = await inner.summary(id)
      return one && { ...one, head: { ...one.head, machine } }
    }
    const session = await openSession('s', { store: encrypted(storeOver(inner, { summary }), { current }) })
    expect(session.context).toMatchObject({ turn: 1, tried: [] })
    await session.close()
  })
})

describe('keys are changed while sessions run (P1)', () => {
  test('a reader that knows both keys reads what was written with each, a writer uses the current one', async () => {
    const inner = memoryStore()
    await written(encrypted(inner, { current: old }), ['one'])
    const before = encrypted(inner, { current: old, others: [current] })
    await before.putBlob(await taken(before), blobName, 'kept')
    const after = encrypted(inner, { current, others: [old] })
    const lease = (await after.acquire('s', owner('ann'), 600_000)) as Lease
    const two = entry(2, lease.fence, turnStarted('two'))
    await after.append(lease, 1, [two], head('s', 2))
    expect((await sealedIn(inner)).map(({ key }) => key)).toEqual([old.id, current.id])
    for (const store of [before, after]) {
      expect((await all(store)).map(({ seq }) => seq)).toEqual([1, 2])
      expect(await store.readBlob('s', blobName)).toBe('kept')
    }
  })

  test('an entry of a key that was not given is journal-sealed, and the error says which key', async () => {
    const inner = memoryStore()
    await written(encrypted(inner, { current: next }), [canary])
    await expect(all(encrypted(inner, { current, others: [old] }))).rejects.toMatchObject({
      code: 'journal-sealed',
      message: 'memory:s entry 1 is encrypted with the key "2026-12", which this store was not given',
      hint: expect.stringContaining('others'),
      details: { key: '2026-12' },
    })
  })
})

describe('what is in the clear', () => {
  test('is refused: who can write to the store could have put it there', async () => {
    const inner = memoryStore()
    await written(inner, [canary])
    const lease = (await inner.acquire('s', owner('ann'), 600_000)) as Lease
    await inner.putBlob(lease, blobName, canary)
    const store = encrypted(inner, { current })
    for (const reading of [all(store), store.readBlob('s', blobName)]) {
      await expect(reading).rejects.toMatchObject({
        code: 'journal-sealed',
        message: expect.not.stringContaining('CANARY'),
        hint: expect.stringContaining('acceptClear'),
      })
    }
  })

  test('is read with acceptClear, compressed or not, and what comes after it is encrypted', async () => {
    const inner = memoryStore()
    await written(inner, ['one'])
    await written(compressed(inner), ['two'.repeat(1000)], 's', 1)
    const store = compressed(encrypted(inner, { current, acceptClear: true }))
    const lease = await taken(store)
    await inner.putBlob(lease, blobName, 'clear')
    await store.append(lease, 2, [entry(3, lease.fence)], head('s', 3))
    expect((await all(store)).map(({ type }) => type)).toEqual(['turn-started', 'turn-started', 'turn-started'])
    expect((await sealedIn(inner)).map(({ codec }) => codec)).toEqual([undefined, 'deflate-1', 'aes-256-gcm'])
    expect(await store.readBlob('s', blobName)).toBe('clear')
  })
})

test('the same append gives the same bytes, from another object with the same key too; another place gives others', async () => {
  const [a, b] = [memoryStore(), memoryStore()]
  await written(encrypted(a, { current }), ['x', 'x'])
  await written(encrypted(b, { current: { ...current, key: Buffer.from(current.key).toString('base64') } }), ['x', 'x'])
  expect(await all(a)).toEqual(await all(b))
  const [one, two] = await sealedIn(a)
  expect(two!.data.slice(0, 12)).not.toBe(one!.data.slice(0, 12))
})

test('entries that an earlier version encrypted are upgraded when they are opened', async () => {
  const inner = memoryStore()
  const store = encrypted(inner, { current })
  const lease = await taken(store)
  // As version 1 would have: its own number inside.
  await store.append(lease, 0, [{ ...entry(1, lease.fence), v: 1 } as unknown as Entry], head('s', 1))
  const stored = (await sealedIn(inner)).map((one) => ({ ...one, v: 2 }))
  expect(await all(encrypted(forged(inner, stored), { current }))).toEqual([entry(1, lease.fence)])
})
