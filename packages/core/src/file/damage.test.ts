/** Files that a crash, a disk or a person changed: what was never acknowledged is dropped, anything else is reported. */
import { copyFile, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { newFolder } from '../../../../test/support/folder.ts'
import type { Entry } from '../journal/journal.ts'
import type { Lease } from '../store/store.ts'
import { entriesAfter, entry, head, owner, turnStarted } from '../testing/entries.ts'
import { encodeLine } from './chain.ts'
import { add, all, codeOf, taken } from './file.fixture.ts'
import { type TornTailWarning, fileStore } from './file-store.ts'

async function folder() {
  const dir = newFolder()
  const warnings: TornTailWarning[] = []
  const open = () => fileStore({ dir, onWarning: (warning) => warnings.push(warning) })
  return { open, warnings, file: join(dir, 'sessions', 's.jsonl') }
}

test('a tail torn at any byte is dropped and reported, and the journal goes on after it (P1)', async () => {
  const { open, warnings, file } = await folder()
  const writer = open()
  const lease = await taken(writer)
  const kept = await add(writer, lease, 0, 2)
  const before = (await readFile(file)).length
  const last = await add(writer, lease, 2)
  const whole = await readFile(file)

  for (let size = before; size <= whole.length; size++) {
    await writeFile(file, whole.subarray(0, size))
    warnings.length = 0
    const store = open()
    const complete = size >= whole.length - 1
    const torn =
      complete || size <= before + 1
        ? []
        : [{ kind: 'torn-tail', sessionId: 's', file, at: before + 1, bytes: size - before - 1 }]
    const expected = complete ? [...kept, ...last] : kept
    expect({ size, entries: await all(store) }).toEqual({ size, entries: expected })
    expect(warnings).toEqual(torn)
    expect((await store.summary('s'))?.head.seq).toBe(expected.length)
    // The way on is the same for all cuts; a sample, and both ends, spare the disk.
    if (size % 11 !== 0 && Math.min(size - before, whole.length - size) > 3) continue
    const next = await taken(store, 'bob', lease.fence)
    expect(warnings).toEqual([...torn, ...torn])
    const more = await add(store, next, expected.length, 2)
    expect(await all(open())).toEqual([...expected, ...more])
    expect(warnings).toEqual([...torn, ...torn])
  }
})

test.each([1, 2, 5, 7, 8, 12])(
  'a page that never reached the disk may have %i bytes of an append, at its end or its beginning (P1)',
  async (lost) => {
    const { open, file } = await folder()
    const writer = open()
    const lease = await taken(writer)
    const kept = await add(writer, lease, 0)
    const before = (await readFile(file)).length
    await add(writer, lease, 1)
    const whole = await readFile(file)
    for (const at of [before, whole.length - lost]) {
      await writeFile(file, Buffer.from(whole).fill(0, at, at + lost))
      expect(await all(open())).toEqual(kept)
      const next = await taken(open(), 'bob', lease.fence)
      const more = await add(open(), next, 1)
      expect(await all(open())).toEqual([...kept, ...more])
    }
  },
)

test('the writer whose own append was torn by others reads on: several torn writes in a row are all dropped', async () => {
  const { open, file } = await folder()
  const store = open()
  const lease = await taken(store)
  const kept = await add(store, lease, 0)
  const { bytes } = encodeLine({
    prev: 'a'.repeat(64),
    fence: 1,
    seq: 2,
    entries: entriesAfter(1, 1, 1),
    head: head('s', 2),
  })
  for (const cut of [bytes.length - 9, 1, 1, 30, 2]) await writeFile(file, bytes.subarray(0, cut), { flag: 'a' })
  const more = await add(store, lease, 1)
  expect(await all(open())).toEqual([...kept, ...more])
})

/** A journal with three writers, a lost race, a healed torn line and entries of several sizes. */
async function eventful() {
  const { open, file } = await folder()
  const store = open()
  const lease = await taken(store)
  const entries = [...(await add(store, lease, 0, 3)), ...(await add(store, lease, 3))]
  const lines = (await readFile(file, 'utf8')).trim().split(/\n+/)
  const { hash } = JSON.parse(lines[1] ?? '') as { hash: string }
  const late = encodeLine({
    prev: hash,
    fence: 1,
    seq: 4,
    entries: [entry(4, 1, turnStarted('late'))],
    head: head('s', 4),
  })
  const tornAt = (await readFile(file)).length + late.bytes.length + 1
  await writeFile(file, Buffer.concat([late.bytes, late.bytes.subarray(0, 200)]), { flag: 'a' })
  for (const name of ['bob', 'eve']) {
    const next = await taken(store, name, lease.fence + (name === 'bob' ? 0 : 1))
    entries.push(...(await add(store, next, entries.length, 2, `${name} `.repeat(100))))
  }
  const whole = await readFile(file)
  expect(await all(open())).toEqual(entries)
  return { open, file, whole, entries, tornAt }
}

test('a flipped bit anywhere is reported, never skipped: read throws, and gives nothing wrong before (P1)', async () => {
  const { open, file, whole, entries, tornAt } = await eventful()
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length * 8 - 1), async (bit) => {
      const flipped = Buffer.from(whole)
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      await writeFile(file, flipped)
      const seen: Entry[] = []
      const outcome = await codeOf(
        (async () => {
          for await (const one of open().read('s')) seen.push(one)
        })(),
      )
      expect(entries.slice(0, seen.length)).toEqual(seen)
      // Inside the torn line a flipped bit changes nothing that ever counted.
      if (outcome === 'ok') {
        expect(seen).toEqual(entries)
        expect(bit >> 3).toBeGreaterThanOrEqual(tornAt)
        expect(bit >> 3).toBeLessThan(tornAt + 199)
      } else expect(outcome).toBe('journal-corrupt')
      // What reads only the tail may miss damage before it, but never gives a wrong answer.
      const summary = await open()
        .summary('s')
        .catch(() => undefined)
      if (summary) expect(summary.head).toEqual(head('s', entries.length))
    }),
    { numRuns: 400, seed: 20260101 },
  )
})

test('a missing, doubled or moved line is reported, with file and line number and no content', async () => {
  const { open, file, whole, entries } = await eventful()
  const lines = whole.toString().split('\n\n')
  const changed = {
    'first missing': lines.slice(1),
    'third missing': lines.toSpliced(2, 1),
    swapped: [lines[0], lines[2], lines[1], ...lines.slice(3)],
    'garbage between': [lines[0], 'vim was here', ...lines.slice(1)],
  }
  for (const [name, parts] of Object.entries(changed)) {
    await writeFile(file, parts.join('\n\n'))
    const error = await all(open()).then(
      () => undefined,
      (reason: Error) => reason,
    )
    expect({ name, error }).toMatchObject({
      name,
      error: { code: 'journal-corrupt', details: { path: file, line: expect.any(Number) } },
    })
    expect(error?.message).toMatch(/s\.jsonl line \d+ is damaged: /)
    expect(error?.message).not.toContain('hello')
    expect([name, await codeOf(open().acquire('s', owner('zoe'), 1000))]).toEqual([name, 'journal-corrupt'])
  }
  // A doubled line lost the race to itself.
  await writeFile(file, [lines[0], lines[1], lines[1], ...lines.slice(2)].join('\n\n'))
  expect(await all(open())).toEqual(entries)
})

test('a writer that was open before the damage does not build on it (P5)', async () => {
  const { open, file } = await folder()
  const store = open()
  const lease = await taken(store)
  await add(store, lease, 0, 3)
  const bytes = await readFile(file)
  bytes[bytes.length - 40] = (bytes[bytes.length - 40] ?? 0) ^ 1
  await writeFile(file, Buffer.concat([bytes, Buffer.from('\n')]))
  const later = open()
  expect(await codeOf(later.append(lease, 3, entriesAfter(3, 1, lease.fence), head('s', 4)))).toBe('journal-corrupt')
  expect(await codeOf(later.summary('s'))).toBe('journal-corrupt')
})

test('pages that never reached the disk at the tail are dropped, and the journal goes on [power cut]', async () => {
  const { open, file, warnings } = await folder()
  const store = open()
  const kept = await add(store, await taken(store), 0, 2)
  await writeFile(file, Buffer.alloc(5000), { flag: 'a' })
  expect(await all(open())).toEqual(kept)
  expect(warnings).toHaveLength(1)
  const later = open()
  const more = await add(later, await taken(later, 'bob', 1), 2)
  expect(await all(open())).toEqual([...kept, ...more])
})

test('a newer line, entry or head is a journal-version, not damage', async () => {
  const { open, file } = await folder()
  const store = open()
  const lease = await taken(store)
  await add(store, lease, 0)
  const { hash } = JSON.parse((await readFile(file, 'utf8')).trim().split(/\n+/).at(-1) ?? '') as { hash: string }
  const base = { prev: hash, fence: 1, seq: 2, entries: [{ ...entry(2, 1) }], head: { ...head('s', 2) } }
  const original = await readFile(file)
  const newer = [
    { v: 2, ...base },
    { ...base, entries: [{ ...base.entries[0], v: 99, seq: 2, fence: 1 }] },
    { ...base, entries: [{ ...base.entries[0], type: 'from-the-future', seq: 2, fence: 1 }] },
  ]
  for (const content of newer) {
    await writeFile(file, Buffer.concat([original, encodeLine(content).bytes]))
    expect(await codeOf(all(open()))).toBe('journal-version')
  }
  await writeFile(file, Buffer.concat([original, encodeLine({ ...base, head: { ...base.head, v: 99 } }).bytes]))
  expect(await codeOf(open().summary('s'))).toBe('journal-version')
  await writeFile(file, Buffer.concat([original, encodeLine({ ...base, head: { v: 1 } }).bytes]))
  expect(await codeOf(open().summary('s'))).toBe('journal-corrupt')
})

test('a damaged session does not hide the others from a list, and is not hidden itself', async () => {
  const { open, file } = await folder()
  const store = open()
  for (const id of ['a', 's', 'z']) {
    const lease = (await store.acquire(id, owner('ann'), 1000)) as Lease
    await store.append(lease, 0, entriesAfter(0, 1, 1), head(id, 1))
  }
  const bytes = await readFile(file)
  bytes[300] = (bytes[300] ?? 0) ^ 1
  await writeFile(file, bytes)
  const seen: string[] = []
  const listing = (async () => {
    for await (const { head } of store.list()) seen.push(head.sessionId)
  })()
  expect(await codeOf(listing)).toBe('journal-corrupt')
  expect(seen.sort()).toEqual(['a', 'z'])
})

test('a lease file that is missing, garbled or of an older lease costs nothing: the journal knows the holder', async () => {
  const { open, file } = await folder()
  const store = open()
  const first = await taken(store)
  const leaseFile = file.replace('.jsonl', '.lease')
  await copyFile(leaseFile, `${leaseFile}.old`)
  const lease = await taken(store, 'bob', first.fence)
  await add(store, lease, 0, 40, 'x'.repeat(5000))
  for (const content of [undefined, '', '{"v":1', '{"v":7}', await readFile(`${leaseFile}.old`)]) {
    if (content === undefined) await rm(leaseFile)
    else await writeFile(leaseFile, content)
    expect((await open().summary('s'))?.holder).toMatchObject({
      owner: owner('bob'),
      fence: lease.fence,
      expiresAt: lease.expiresAt,
    })
    expect((await open().acquire('s', owner('eve'), 1000)).kind).toBe('busy')
  }
  expect(await store.renew(lease, 1000)).toBe(true)
})
