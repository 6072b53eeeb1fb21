/**
 * A disk that fails to take what was written. The kernel tells of it once, by the fdatasync that fails, and takes the
 * pages for clean from then on: the next fdatasync succeeds, and a power cut takes what only memory had. Here that is
 * played: what was written is on the disk after an fdatasync that succeeded, unless one that failed came between.
 */
import type * as Files from 'node:fs/promises'
import { readFile, writeFile } from 'node:fs/promises'
import { beforeEach, expect, test, vi } from 'vitest'
import { owner } from '../testing/entries.ts'
import { add, all, codeOf, place, taken } from './file.fixture.ts'
import type * as OpenFiles from './open-file.ts'
import type { JournalHandle } from './open-file.ts'

interface Range {
  from: number
  to: number
}
let syncs: 'work' | 'fail' = 'work'
/** Of the one journal of a test: written since the last fdatasync, and on disk. */
let [dirty, onDisk]: [Range[], Range[]] = [[], []]
beforeEach(() => {
  syncs = 'work'
  ;[dirty, onDisk] = [[], []]
})

/** Makes a handle of the journal tell what it writes, and fail to sync when it has to. */
function watch(handle: JournalHandle): void {
  const [write, datasync] = [handle.write.bind(handle), handle.datasync.bind(handle)]
  handle.write = async (buffer, offset, length, position: number | null) => {
    const from = position ?? (await handle.stat()).size
    const result = await write(buffer, offset, length, position as null)
    dirty.push({ from, to: from + result.bytesWritten })
    return result
  }
  handle.datasync = async () => {
    await datasync()
    const taken = dirty.splice(0)
    if (syncs === 'fail') throw Object.assign(new Error('EIO'), { code: 'EIO', syscall: 'fdatasync' })
    onDisk.push(...taken)
  }
}

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof Files>()
  const open: typeof real.open = async (...args) => {
    const handle = await real.open(...args)
    if (String(args[0]).endsWith('.jsonl')) watch(handle)
    return handle
  }
  return { ...real, open }
})
vi.mock('./open-file.ts', async (original) => {
  const real = await original<typeof OpenFiles>()
  const openForAppend: typeof real.openForAppend = (path) => {
    const handle = real.openForAppend(path)
    if (handle) watch(handle)
    return handle
  }
  return { ...real, openForAppend }
})

/** Pages that never reached the disk read as NUL. */
async function powerCut(journal: string): Promise<void> {
  const bytes = await readFile(journal)
  const left = Buffer.alloc(bytes.length)
  for (const { from, to } of onDisk) bytes.copy(left, from, from, to)
  await writeFile(journal, left)
}

async function refusedOnce() {
  const where = await place()
  const store = where.open()
  const lease = await taken(store)
  const first = await add(store, lease, 0, 2)
  syncs = 'fail'
  expect(await codeOf(add(store, lease, 2))).toBe('store-unavailable')
  return { ...where, store, lease, first }
}

test('what an fdatasync refused and the same append acknowledges later is on the disk (P1)', async () => {
  const { store, lease, first, journal, open } = await refusedOnce()
  expect(await codeOf(add(store, lease, 2))).toBe('store-unavailable')
  syncs = 'work'
  const second = await add(store, lease, 2)
  await powerCut(journal)
  expect(await all(open())).toEqual([...first, ...second])
})

test('who acknowledges it in another process has it on the disk, too (P1)', async () => {
  const { lease, first, journal, open } = await refusedOnce()
  syncs = 'work'
  const second = await add(open(), lease, 2)
  await powerCut(journal)
  expect(await all(open())).toEqual([...first, ...second])
})

test('who takes the session over builds on nothing that is not on the disk (P1)', async () => {
  const { lease, journal, open } = await refusedOnce()
  expect(await codeOf(taken(open(), 'bob', lease.fence))).toBe('store-unavailable')
  syncs = 'work'
  const next = await taken(open(), 'bob', lease.fence)
  const seen = await all(open())
  expect(seen).toHaveLength(3)
  const last = await add(open(), next, 3)
  await powerCut(journal)
  expect(await all(open())).toEqual([...seen, ...last])
})

test('a lease file does not remember what the disk may not have: its loss is no lost end of the journal', async () => {
  const { store, lease, first, journal, open } = await refusedOnce()
  syncs = 'work'
  expect(await store.renew(lease, 600_000)).toBe(true)
  expect(await open().renew(lease, 600_000)).toBe(true)
  await powerCut(journal)
  expect(await all(open())).toEqual(first)
  expect((await open().findings()).filter(({ what }) => what.includes('its end was lost'))).toEqual([])
  expect((await open().summary('s'))?.holder?.owner).toEqual(owner('ann'))
  await add(open(), lease, 2)
})

test('it remembers all that was acknowledged, also when another process renews the lease (P1)', async () => {
  const { store, lease, journal, open } = await refusedOnce()
  syncs = 'work'
  const whole = await readFile(journal)
  await add(store, lease, 2)
  await store.renew(lease, 600_000)
  await open().renew(lease, 600_000)
  await writeFile(journal, whole.subarray(0, whole.lastIndexOf(10, -2)))
  expect(await codeOf(open().summary('s'))).toBe('journal-corrupt')
})
