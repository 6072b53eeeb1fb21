/** Transcripts are for their owner: whatever the umask, every file is 0600 and every folder 0700, from its first moment. */
import { readdirSync, statSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import type * as Files from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { add, place, taken } from './file.fixture.ts'

/** Modes of temporary files, seen while they had that name. */
const temporary: number[] = []

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof Files>()
  const watched = <R>(call: (from: string, to: string) => Promise<R>) => {
    return (from: string, to: string): Promise<R> => {
      temporary.push(statSync(from).mode & 0o777)
      return call(from, to)
    }
  }
  return { ...real, rename: watched(real.rename as never), link: watched(real.link as never) }
})

test.skipIf(process.platform === 'win32')('under umask 000 nothing is open to anybody else', async () => {
  // A worker thread may not set it; tests run in processes of their own.
  const umask = process.umask(0)
  onTestFinished(() => void process.umask(umask))
  const { dir, state, open } = await place()
  const store = open()
  const lease = await taken(store)
  await add(store, lease, 0)
  await store.renew(lease, 1000)
  await store.putBlob(lease, 'a'.repeat(64), 'text')
  for (const version of [0, 1, 2]) await store.shared.write('k', version, version)
  await store.release(lease)

  const found: Record<string, string[]> = {}
  for (const path of ['.', ...(await readdir(state, { recursive: true }))]) {
    const { mode } = await stat(join(state, path))
    const kind = (mode & 0o170000) === 0o040000 ? 'folder' : 'file'
    ;(found[`${kind} ${(mode & 0o777).toString(8)}`] ??= []).push(path.replace(/~.*?\./, '.'))
  }
  expect(found).toEqual({
    'folder 700': expect.arrayContaining(['.', 'sessions', 'shared', 'sessions/s.blobs']),
    'file 600': expect.arrayContaining(['sessions/s.jsonl', 'sessions/s.lease', `sessions/s.blobs/${'a'.repeat(64)}`]),
  })
  expect([...new Set(temporary)]).toEqual([0o600])
  // Leases, a blob and shared records.
  expect(temporary.length).toBeGreaterThanOrEqual(6)
  expect(readdirSync(dir)).toEqual(['state'])
})
