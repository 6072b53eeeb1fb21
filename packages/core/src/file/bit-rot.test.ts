/** One flipped bit in each byte of everything that a store writes: told or without effect, never a wrong answer. */
import { readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { owner } from '../testing/entries.ts'
import { add, all, codeOf, place, taken } from './file.fixture.ts'

/** Writes `path` with one bit of byte after byte flipped, each time another one, and calls `look`. */
async function eachByteFlipped(path: string, look: (at: number) => Promise<void>): Promise<void> {
  const whole = await readFile(path)
  for (let at = 0; at < whole.length; at++) {
    const flipped = Buffer.from(whole)
    flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8))
    await writeFile(path, flipped)
    await look(at)
  }
  await writeFile(path, whole)
}

test('in a journal: it is told, and what is read before it is right (P1)', async () => {
  const { open, journal } = await place()
  const lease = await taken(open())
  const entries = [...(await add(open(), lease, 0, 2)), ...(await add(open(), lease, 2))]
  await eachByteFlipped(journal, async (at) => {
    const seen: unknown[] = []
    const reading = (async () => {
      for await (const entry of open().read('s')) seen.push(entry)
    })()
    expect([at, await codeOf(reading)]).toEqual([at, 'journal-corrupt'])
    expect(entries.slice(0, seen.length)).toEqual(seen)
  })
  expect(await all(open())).toEqual(entries)
})

test('in a lease file: the holder is the same, no lease becomes endless and no journal too short (P3)', async () => {
  const { open, lease: leaseFile } = await place()
  const lease = await taken(open())
  await add(open(), lease, 0, 2)
  await open().renew(lease, 600_000)
  await eachByteFlipped(leaseFile, async (at) => {
    const holder = (await open().summary('s'))?.holder
    expect([at, holder]).toMatchObject([at, { owner: owner('ann'), fence: 1, since: lease.since }])
    expect(Math.abs((holder?.expiresAt ?? 0) - lease.expiresAt)).toBeLessThan(60_000)
    expect((await open().acquire('s', owner('bob'), 1000)).kind).toBe('busy')
  })
})

test('in a shared record: the value is the last one, the one before it, or none, and the next write is taken', async () => {
  const { open, shared } = await place()
  const store = open()
  await store.shared.write('k', 0, { n: 1 })
  await store.shared.write('k', 1, { n: 2 })
  const newest = (await readdir(shared)).find((name) => name.endsWith('.2.json')) ?? ''
  await eachByteFlipped(join(shared, newest), async () => {
    const record = await open().shared.read('k')
    expect([1, 2, undefined]).toContain(record?.version)
  })
  expect(await open().shared.write('k', 2, { n: 3 })).toBe(true)
})
