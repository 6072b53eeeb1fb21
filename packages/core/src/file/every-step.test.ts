/** A job whose process or disk fails at any of its steps: nothing acknowledged is lost, nothing is invented, and it goes on. */
import type * as SyncFiles from 'node:fs'
import type * as Files from 'node:fs/promises'
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, test, vi } from 'vitest'
import type { Entry } from '../journal/journal.ts'
import type { Lease, Store } from '../store/store.ts'
import { entriesAfter, head, testEpoch, turnStarted } from '../testing/entries.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { endWatch, type Fault, type LastingFault, mendDisk, watchDisk } from './faulty-disk.fixture.ts'
import { all, place, taken } from './file.fixture.ts'
import { fileStore } from './file-store.ts'

vi.mock('node:fs', async (original) =>
  (await import('./faulty-disk.fixture.ts')).faultySync(await original<typeof SyncFiles>()),
)
vi.mock('node:fs/promises', async (original) =>
  (await import('./faulty-disk.fixture.ts')).faultyFiles(await original<typeof Files>()),
)

/** What was acknowledged, and what was asked for when the fault came. */
interface Told {
  entries: Entry[]
  inFlight: Entry[]
  blobs: Map<string, string>
  removal: 'none' | 'begun' | 'done'
}

const [early, late, next] = ['a'.repeat(64), 'b'.repeat(64), 'c'.repeat(64)]
/** More than a page, so that a part of it may reach the disk. */
const long = 'x'.repeat(9_000)

/** One session from its first lease to its removal, by two processes. */
function jobOf(open: () => Store, told: Told): (() => Promise<unknown>)[] {
  const [first, second] = [open(), open()]
  let lease: Lease
  const take = (store: Store, name: string) => async () => (lease = await taken(store, name, lease?.fence))
  const add = (store: Store, count: number, text: string) => async () => {
    const seq = told.entries.length
    told.inFlight = entriesAfter(seq, count, lease.fence, turnStarted(text))
    await store.append(lease, seq, told.inFlight, head('s', seq + count))
    told.entries.push(...told.inFlight.splice(0))
  }
  const keep = (store: Store, name: string, text: string) => async () => {
    await store.putBlob(lease, name, text)
    told.blobs.set(name, text)
  }
  return [
    take(first, 'ann'),
    add(first, 2, 'one'),
    keep(first, early, long),
    add(first, 1, long),
    () => first.renew(lease, 600_000),
    take(second, 'bob'),
    add(second, 1, 'two'),
    keep(second, late, 'text'),
    () => second.release(lease),
    take(first, 'ann'),
    add(first, 2, 'three'),
    () => first.release(lease),
    async () => {
      told.removal = 'begun'
      await first.remove('s')
      told.removal = 'done'
    },
  ]
}

/** What another process finds there, once every lease has run out, is what was told, and it goes on. */
async function expectKept(dir: string, { entries, inFlight, blobs, removal }: Told): Promise<void> {
  const clock = new ManualClock({ startAt: testEpoch + 3_600_000, seed: 2 })
  const open = () => fileStore({ dir, clock })
  const found = await all(open())
  const isRemoved = removal === 'done' || (removal === 'begun' && found.length === 0)
  expect(isRemoved ? [[]] : [entries, [...entries, ...inFlight]]).toContainEqual(found)
  expect((await open().summary('s'))?.head.seq ?? 0).toBe(found.length)
  const lease = await taken(open(), 'eve')
  for (const [name, text] of blobs) expect(await open().readBlob('s', name)).toBe(isRemoved ? undefined : text)
  const seq = found.length
  const more = entriesAfter(seq, 1, lease.fence)
  await open().append(lease, seq, more, head('s', seq + 1))
  await open().putBlob(lease, next, 'more')
  expect(await all(open())).toEqual([...found, ...more])
  await open().remove('s', lease)
  expect(await readdir(join(dir, 'sessions'))).toEqual([])
}

/** Whether there is such a step. What was `seen` before is not looked at again. */
async function playTo(at: number, fault: Fault, seen: Set<string>): Promise<boolean> {
  const { dir, state } = await place()
  const told: Told = { entries: [], inFlight: [], blobs: new Map(), removal: 'none' }
  const clock = new ManualClock()
  watchDisk(dir, fault, at)
  for (const step of jobOf(() => fileStore({ dir: state, clock }), told)) {
    const error = await step().then(
      () => undefined,
      (reason: unknown) => reason,
    )
    if (error === undefined) continue
    if (fault === 'killed') break
    const refusal = { code: 'store-unavailable', hint: expect.stringMatching(/./) }
    expect([at, error]).toMatchObject([at, { ...refusal, details: { path: expect.stringContaining(state) } }])
    // A removal that failed holds the session for a while.
    if (told.removal === 'none') await step()
    break
  }
  const { outcome, left } = endWatch()
  if (outcome === 'not here') return true
  const cut = join(dir, 'cut')
  for (const [key, tree] of left) {
    const whole = [told.entries.length, told.inFlight.length, told.blobs.size, told.removal, key].join()
    if (seen.has(whole)) continue
    seen.add(whole)
    await rm(cut, { recursive: true, force: true })
    for (const [path, bytes] of tree) {
      const where = join(cut, path)
      await mkdir(bytes ? dirname(where) : where, { recursive: true })
      if (bytes) await writeFile(where, bytes)
    }
    await expectKept(join(cut, 'state'), told)
  }
  await expectKept(state, told)
  return outcome === 'failed'
}

const faults: Readonly<Record<Exclude<Fault, LastingFault>, string>> = {
  killed: 'a process that is killed',
  refused: 'a disk that refuses once',
  half: 'a write that ends in the middle',
}

for (const [fault, what] of Object.entries(faults)) {
  test(
    `${what}, at any step, and a power cut after it: everything acknowledged is there, and the session goes on (P1, P5)`,
    { timeout: 60_000 },
    async () => {
      let at = 1
      const seen = new Set<string>()
      while (await playTo(at, fault as Fault, seen)) at += 1
      expect(at).toBeGreaterThan(60)
    },
  )
}

const hints: Readonly<Record<LastingFault, RegExp>> = {
  ENOSPC: /^free some space there, then continue/,
  EDQUOT: /^free some space there, then continue/,
  EROFS: /writable .* --store/,
  EMFILE: /ulimit -n/,
}

/** Whether there is such a step. */
async function playThrough(at: number, fault: LastingFault): Promise<boolean> {
  const { dir, state } = await place()
  const told: Told = { entries: [], inFlight: [], blobs: new Map(), removal: 'none' }
  const clock = new ManualClock()
  watchDisk(dir, fault, at)
  for (const step of jobOf(() => fileStore({ dir: state, clock }), told)) {
    const error = await step().catch((reason: unknown) => reason)
    if (!(error instanceof Error)) continue
    expect([at, error]).toMatchObject([
      at,
      {
        code: 'store-unavailable',
        message: expect.stringContaining(fault),
        hint: expect.stringMatching(hints[fault]),
        details: { path: expect.stringContaining(state), code: fault },
      },
    ])
    mendDisk()
    const found = await all(fileStore({ dir: state, clock }))
    const isRemoved = told.removal === 'begun' && found.length === 0
    const allowed = isRemoved ? [[]] : [told.entries, [...told.entries, ...told.inFlight]]
    expect([at, allowed]).toEqual([at, expect.arrayContaining([found])])
    // A removal that could not give back its lease holds the session for a while.
    if (told.removal === 'begun') await clock.advance(60_000)
    await step()
  }
  mendDisk()
  expect([at, told.entries.length, await readdir(join(state, 'sessions'))]).toEqual([at, 6, []])
  return endWatch().outcome !== 'no such step'
}

test.each(Object.keys(hints) as LastingFault[])(
  '%s from any step until it is mended: it is told with what helps, and the same open store goes on to the end (P1, P5)',
  { timeout: 60_000 },
  async (fault) => {
    let at = 1
    while (await playThrough(at, fault)) at += 1
    expect(at).toBeGreaterThan(60)
  },
)
