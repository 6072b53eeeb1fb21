/**
 * A power cut may take every name whose folder was not synced since. So the calls to the file system are written down,
 * and when an operation returns, each name that it made or removed must have been followed by a sync of its folder.
 */
import type * as Files from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { expect, test, vi } from 'vitest'
import type { Lease } from '../store/store.ts'
import { add, codeOf, place, taken } from './file.fixture.ts'

/** Paths whose names a power cut could take or bring back. */
const volatile = new Set<string>()
/** How many syncs of a folder succeed before one is refused. */
let soundSyncs = Infinity
/** What happened to names, to know that the test sees it. */
const seen = new Set<string>()
function note(how: string, path: string): void {
  volatile.add(path)
  seen.add(`${how} ${basename(path)}`)
}

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof Files>()
  const noted = <A extends unknown[], R>(how: string, which: number, call: (...args: A) => Promise<R>) => {
    return async (...args: A): Promise<R> => {
      const result = await call(...args)
      note(how, String(args[which]))
      return result
    }
  }
  const open = async (...args: Parameters<typeof real.open>): Promise<FileHandle> => {
    const path = String(args[0])
    const isNew = await real.stat(path).then(
      () => false,
      () => true,
    )
    const handle = await real.open(...args)
    if (isNew) note('open', path)
    const sync = handle.sync.bind(handle)
    handle.sync = async () => {
      if (soundSyncs-- === 0) throw Object.assign(new Error('EIO'), { code: 'EIO', syscall: 'fsync' })
      await sync()
      for (const name of volatile) if (dirname(name) === path) volatile.delete(name)
    }
    return handle
  }
  return {
    ...real,
    open,
    mkdir: noted('mkdir', 0, real.mkdir as (...args: unknown[]) => Promise<unknown>),
    rename: noted('rename away', 0, noted('rename', 1, real.rename)),
  }
})

/** The lease file may be lost, so its name waits for nothing; nor does what was renamed away, or is to be deleted. */
const atRisk = (dir: string): string[] =>
  [...volatile].filter((path) => path.startsWith(dir) && !/\.lease$|\.tmp$|\.removed(\/|$)/.test(path))

test.skipIf(process.platform === 'win32')(
  'the names of folders, journals and blobs are on disk before what made them is acknowledged (P1)',
  async () => {
    const { dir, journal, open } = await place()
    volatile.clear()
    const store = open()
    const lease: Lease = await taken(store)
    expect(atRisk(dir)).toEqual([])
    await add(store, lease, 0)
    await store.putBlob(lease, 'a'.repeat(64), 'text')
    await store.renew(lease, 1000)
    await store.release(lease)
    expect(atRisk(dir)).toEqual([])
    await store.remove('s')
    expect(atRisk(dir)).toEqual([])
    const blob = 'a'.repeat(64)
    const names = [
      'mkdir state',
      'mkdir sessions',
      'open s.jsonl',
      `rename ${blob}`,
      'mkdir s.blobs',
      'rename away s.jsonl',
    ]
    expect([...seen]).toEqual(expect.arrayContaining(names))
    note('open', journal)
    expect(atRisk(dir)).toEqual([journal])
  },
)

test.skipIf(process.platform === 'win32')(
  'so are those that an earlier attempt, or a process that died, has made without a sync (P1)',
  async () => {
    let refused = 0
    for (; ; refused += 1) {
      const { dir, open } = await place()
      volatile.clear()
      soundSyncs = refused
      const first = await codeOf(taken(open()))
      const isRefused = soundSyncs < 0
      soundSyncs = Infinity
      if (!isRefused) break
      expect([refused, first]).toEqual([refused, 'store-unavailable'])
      const store = open()
      const lease = await taken(store)
      expect([refused, atRisk(dir)]).toEqual([refused, []])
      soundSyncs = 0
      const blob = () => store.putBlob(lease, 'a'.repeat(64), 'text')
      expect(await codeOf(blob())).toBe('store-unavailable')
      soundSyncs = Infinity
      await blob()
      expect([refused, atRisk(dir)]).toEqual([refused, []])
    }
    expect(refused).toBe(4)
  },
)
