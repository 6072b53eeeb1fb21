/** Journals that were cut, doubled or put together: what is left of one that was cut at a line's end is sound, so its lease file tells. */
import { copyFile, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import type { LastgoodError } from '../errors.ts'
import { openSession } from '../session/open-session.ts'
import { owner } from '../testing/entries.ts'
import { add, all, codeOf, place, taken } from './file.fixture.ts'

test('a lease line torn at any byte was never granted: entries stay, and the next lease goes on after it (P1, P3)', async () => {
  const { open, journal, lease: leaseFile } = await place()
  const kept = await add(open(), await taken(open()), 0, 2)
  const [before, remembered] = [await readFile(journal), await readFile(leaseFile)]
  await taken(open(), 'bob', 1)
  const whole = await readFile(journal)

  for (let size = before.length + 1; size < whole.length - 1; size++) {
    await writeFile(journal, whole.subarray(0, size))
    await writeFile(leaseFile, remembered)
    expect(await all(open())).toEqual(kept)
    expect((await open().summary('s'))?.holder?.fence).toBe(1)
    // The way on is the same for all cuts; a sample, and both ends, spare the disk.
    if (size % 29 !== 0 && Math.min(size - before.length, whole.length - size) > 3) continue
    const next = await taken(open(), 'eve', 1)
    expect(next.fence).toBe(2)
    const more = await add(open(), next, 2)
    expect(await all(open())).toEqual([...kept, ...more])
  }
})

test('a file cut to any length reads as an older state, never as another one, and nobody goes on from it (P1)', async () => {
  const { open, journal } = await place()
  const store = open()
  const lease = await taken(store)
  const leaseLine = (await readFile(journal)).length - 1
  const entries = [
    ...(await add(store, lease, 0, 2)),
    ...(await add(store, lease, 2)),
    ...(await add(store, lease, 3, 2)),
  ]
  await store.release(lease)
  const { size: whole } = await stat(journal)

  const lengths = new Set<number>()
  for (let size = whole - 1; size >= 0; size--) {
    await truncate(journal, size)
    const left = await all(open())
    expect({ size, left }).toEqual({ size, left: entries.slice(0, left.length) })
    lengths.add(left.length)
    if (size % 13 !== 0 || left.length === entries.length || size < leaseLine) continue
    for (const call of [() => open().summary('s'), () => taken(open(), 'bob')])
      expect([size, await codeOf(call())]).toEqual([size, 'journal-corrupt'])
  }
  // Without a whole line it cannot be told from a session that was never begun.
  expect(await open().summary('s')).toBeUndefined()
  expect([...lengths]).toEqual([5, 3, 2, 0])
})

test('a journal that lost its end is told by what its lease file remembers, and the hint says how to go on (P1, P2)', async () => {
  const { open, journal, lease: leaseFile } = await place()
  const first = await openSession('s', { store: open() })
  await first.startTurn([{ role: 'user', content: 'deploy' }], 'coder')
  const short = (await readFile(journal)).length
  await first.record([{ type: 'request-sent', model: 'm', attempt: 1 }])
  const { seq } = first
  await first.close()
  await truncate(journal, short)

  const error = await openSession('s', { store: open() }).catch((reason: unknown) => reason)
  expect(error).toMatchObject({
    code: 'journal-corrupt',
    message: expect.stringMatching(
      new RegExp(`s\\.jsonl ends after entry \\d+ but once had ${seq}: its end was lost$`),
    ),
    hint: expect.stringContaining(`rm ${leaseFile}`),
  })
  expect(await codeOf(open().summary('s'))).toBe('journal-corrupt')
  expect((await all(open())).length).toBeLessThan(seq)

  await rm(leaseFile)
  const second = await openSession('s', { store: open(), takeover: true })
  expect(second.messages()).toEqual([{ role: 'user', content: 'deploy' }])
  await second.close()
})

test('a damaged journal without a copy goes on from the part before the damage: cut there, without its lease file', async () => {
  const { open, journal, lease: leaseFile } = await place()
  const store = open()
  const lease = await taken(store)
  const kept = await add(store, lease, 0, 2)
  await add(store, lease, 2)
  await store.release(lease)
  const whole = await readFile(journal, 'utf8')
  const at = whole.lastIndexOf('"seq":3')
  await writeFile(journal, `${whole.slice(0, at)}"seq":4${whole.slice(at + 7)}`)
  const error = await all(open()).catch((thrown: unknown) => thrown)
  const { line } = (error as LastgoodError).details as { line: number }
  // As by `head -n`, up to the line before.
  const before = whole.split('\n').slice(0, line - 1)
  await writeFile(journal, before.map((text) => `${text}\n`).join(''))
  await rm(leaseFile)
  const again = open()
  const more = await add(again, await taken(again, 'bob', lease.fence), 2)
  expect(await all(open())).toEqual([...kept, ...more])
})

test('a writer whose journal was cut under it is refused, and does not fill the gap (P1, P5)', async () => {
  const { open, journal } = await place()
  const store = open()
  const lease = await taken(store)
  await add(store, lease, 0, 2)
  const short = (await readFile(journal)).length
  await add(store, lease, 2)
  await truncate(journal, short)
  expect(await codeOf(add(store, lease, 3))).toBe('journal-conflict')
  expect(await all(open())).toHaveLength(2)
})

test('a writer whose journal was restored in place, and taken over, is refused though it is as long as he knows it (P3)', async () => {
  const { open, journal } = await place()
  const store = open()
  const lease = await taken(store)
  const kept = await add(store, lease, 0, 2)
  const copy = await readFile(journal)
  await add(store, lease, 2, 1, 'x'.repeat(3_000))
  const { size } = await stat(journal)
  const takeOver = async (idLength: number) => {
    await writeFile(journal, copy)
    await open().acquire('s', { ...owner('bob'), id: 'b'.repeat(idLength) }, 600_000, lease.fence)
    return size - (await stat(journal)).size
  }
  expect(await takeOver(2_000 + (await takeOver(2_000)))).toBe(0)
  expect(await codeOf(add(store, lease, 3))).toBe('lease-lost')
  expect(await all(open())).toEqual(kept)
})

test('a copy that is put in the place of a journal is taken as it is: restoring is a person’s decision', async () => {
  const { open, journal } = await place()
  const store = open()
  const lease = await taken(store)
  const kept = await add(store, lease, 0, 2)
  await copyFile(journal, `${journal}.copy`)
  await add(store, lease, 2)
  await store.release(lease)
  await rename(`${journal}.copy`, journal)
  const next = await taken(open(), 'bob')
  const more = await add(open(), next, 2)
  expect(await all(open())).toEqual([...kept, ...more])
})

test('two journals in one file are damage, told at the first line of the second; the first is still there (P1)', async () => {
  const [one, two] = [await place(), await place()]
  const entries = await add(one.open(), await taken(one.open()), 0, 3)
  const lease = await taken(two.open(), 'bob')
  await add(two.open(), lease, 0)
  await add(two.open(), lease, 1)
  await writeFile(one.journal, await readFile(two.journal), { flag: 'a' })

  const seen: unknown[] = []
  const reading = (async () => {
    for await (const entry of one.open().read('s')) seen.push(entry)
  })()
  expect(await codeOf(reading)).toBe('journal-corrupt')
  expect(seen).toEqual(entries)
  for (const call of [() => one.open().summary('s'), () => taken(one.open(), 'eve', 1)])
    expect(await codeOf(call())).toBe('journal-corrupt')
})

test('a journal appended to itself, once or twice, is the same journal: every line lost to itself (P1)', async () => {
  const { open, journal } = await place()
  const store = open()
  const lease = await taken(store)
  const entries = [...(await add(store, lease, 0, 2)), ...(await add(store, lease, 2))]
  const whole = await readFile(journal)
  for (const copies of [1, 2]) {
    await writeFile(journal, Buffer.concat([whole, ...Array.from({ length: copies }, () => whole)]))
    expect(await all(open())).toEqual(entries)
    expect((await open().summary('s'))?.head.seq).toBe(3)
  }
  const more = await add(open(), await taken(open(), 'bob', 1), 3)
  expect(await all(open())).toEqual([...entries, ...more])
})

test('an empty file, newlines alone and a byte order mark: no session, no session, damage', async () => {
  const { open, journal } = await place()
  await taken(open())
  const whole = await readFile(journal)
  for (const [content, code] of [
    ['', 'ok'],
    ['\n\n\n', 'ok'],
    ['\ufeff\n', 'journal-corrupt'],
    [Buffer.concat([Buffer.from('\ufeff'), whole.subarray(1)]), 'journal-corrupt'],
    [whole.toString().replaceAll('\n', '\r\n'), 'journal-corrupt'],
  ] as const) {
    await writeFile(journal, content)
    expect([content.toString(), await codeOf(all(open()))]).toEqual([content.toString(), code])
  }
})

test('a journal that grows while it is read gives what was there when reading began', async () => {
  const { open } = await place()
  const store = open()
  const lease = await taken(store)
  const first = await add(store, lease, 0, 3)
  const reader = open().read('s')[Symbol.asyncIterator]()
  const seen = [(await reader.next()).value]
  await add(store, lease, 3, 2)
  for (let next = await reader.next(); !next.done; next = await reader.next()) seen.push(next.value)
  expect(seen).toEqual(first)
})
