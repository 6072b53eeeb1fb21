/** What the file system refuses, what it may see of us, and long sessions. */
import type * as Files from 'node:fs/promises'
import { chmod, link, mkdir, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { newFolder } from '../../../../test/support/folder.ts'
import type { Lease, Store } from '../store/store.ts'
import { entriesAfter, head, owner, turnStarted } from '../testing/entries.ts'
import { fileStore } from './file-store.ts'
import type * as OpenFiles from './open-file.ts'
import type { JournalHandle } from './open-file.ts'

/** Called with every file handle that is opened, to make its methods fail. */
let onOpen: (handle: JournalHandle) => void = () => {}

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof Files>()
  const opening: typeof real.open = async (...args) => {
    const handle = await real.open(...args)
    onOpen(handle)
    return handle
  }
  return { ...real, open: opening }
})

vi.mock('./open-file.ts', async (original) => {
  const real = await original<typeof OpenFiles>()
  const openForAppend: typeof real.openForAppend = (path) => {
    const handle = real.openForAppend(path)
    if (handle) onOpen(handle)
    return handle
  }
  return { ...real, openForAppend }
})

async function folder() {
  const dir = newFolder()
  onTestFinished(() => void (onOpen = () => {}))
  return { dir, store: fileStore({ dir: join(dir, 'state') }), sessions: join(dir, 'state', 'sessions') }
}

async function taken(store: Store, sessionId = 's'): Promise<Lease> {
  return (await store.acquire(sessionId, owner('ann'), 600_000)) as Lease
}

function add(store: Store, lease: Lease, afterSeq: number, count = 1): Promise<number> {
  return store.append(lease, afterSeq, entriesAfter(afterSeq, count, lease.fence), head('s', afterSeq + count))
}

async function seqs(store: Store, afterSeq?: number): Promise<number[]> {
  const found: number[] = []
  for await (const { seq } of store.read('s', afterSeq)) found.push(seq)
  return found
}

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: made up by a test`), { code, syscall: 'write', errno: -1 })
}

const failuresOfWrite: Record<string, (handle: JournalHandle) => void> = {
  'a write that fails': (handle) => {
    handle.write = () => Promise.reject(systemError('ENOSPC'))
  },
  'a write that ends in the middle': (handle) => {
    const write = handle.write.bind(handle)
    replace(handle, 'write', (buffer: Buffer) => write(buffer, 0, buffer.length >> 1, null))
  },
  'an fdatasync that fails': (handle) => {
    handle.datasync = () => Promise.reject(systemError('EIO'))
  },
  'a stat that fails after the write': (handle) => {
    const [stat, write] = [handle.stat.bind(handle), handle.write.bind(handle)]
    let written = false
    replace(handle, 'write', (buffer: Buffer) => {
      written = true
      return write(buffer, 0, buffer.length, null)
    })
    replace(handle, 'stat', async () => {
      if (written) throw systemError('EIO')
      return stat()
    })
  },
}

/** The real methods have overloads that a test need not repeat. */
function replace(
  handle: JournalHandle,
  method: 'read' | 'stat' | 'write',
  by: (...args: never[]) => Promise<unknown>,
): void {
  Object.assign(handle, { [method]: by })
}

for (const [name, breaks] of Object.entries(failuresOfWrite)) {
  test(`${name} is store-unavailable, and the same append again is acknowledged once (P1, P5)`, async () => {
    const { store, sessions } = await folder()
    const lease = await taken(store)
    await add(store, lease, 0, 2)
    onOpen = breaks
    await expect(add(store, lease, 2)).rejects.toMatchObject({
      code: 'store-unavailable',
      details: { path: join(sessions, 's.jsonl') },
      hint: expect.stringMatching(/./),
    })
    onOpen = () => {}
    expect(await add(store, lease, 2)).toBe(3)
    expect(await add(store, lease, 3)).toBe(4)
    expect(await seqs(fileStore({ dir: join(sessions, '..') }))).toEqual([1, 2, 3, 4])
  })
}

test('one append is one write, acknowledged after fdatasync, and reads nothing; what others wrote is written again and synced first, what was only linked is not (P1, P7)', async () => {
  const { store, sessions } = await folder()
  const lease = await taken(store)
  const calls: string[] = []
  onOpen = (handle) => {
    for (const method of ['read', 'stat', 'write', 'datasync', 'close'] as const) {
      const real = handle[method].bind(handle) as (...args: unknown[]) => Promise<unknown>
      Object.assign(handle, {
        [method]: async (...args: unknown[]) => {
          const result = await real(...args)
          calls.push(method)
          return result
        },
      })
    }
  }
  await add(store, lease, 0, 100)
  expect(calls.splice(0)).toEqual(['stat', 'write', 'datasync', 'stat', 'close'])

  await add(fileStore({ dir: join(sessions, '..') }), lease, 100)
  calls.length = 0
  await add(store, lease, 101)
  const again = ['stat', 'stat', 'read', 'write', 'datasync', 'close']
  expect(calls.splice(0)).toEqual(['stat', 'read', ...again, 'write', 'datasync', 'stat', 'close'])

  await link(join(sessions, 's.jsonl'), join(sessions, 's.link'))
  await add(store, lease, 102)
  expect(calls.splice(0)).toEqual(['stat', 'read', 'write', 'datasync', 'stat', 'close'])
})

test('an error of the file system names path and code, and holds nothing that was written', async () => {
  const { store } = await folder()
  const lease = await taken(store)
  onOpen = failuresOfWrite['a write that fails'] ?? onOpen
  const entries = entriesAfter(0, 1, lease.fence, turnStarted('a secret prompt'))
  const error = await store.append(lease, 0, entries, head('s', 1)).then(
    () => undefined,
    (reason: Error) => reason,
  )
  expect(error?.message).toMatch(/s\.jsonl: the file system refused \(ENOSPC\)/)
  expect(JSON.stringify([error, error?.message, String(error?.cause)])).not.toContain('secret')
})

test('a file where the folder should be is store-unavailable for every operation, never "no sessions"', async () => {
  const { dir } = await folder()
  await writeFile(join(dir, 'file'), '')
  const store = fileStore({ dir: join(dir, 'file') })
  const refused = { code: 'store-unavailable', details: { code: 'ENOTDIR' } }
  await expect(taken(store)).rejects.toMatchObject(refused)
  await expect(store.summary('s')).rejects.toMatchObject(refused)
  await expect(seqs(store)).rejects.toMatchObject(refused)
  await expect(store.list()[Symbol.asyncIterator]().next()).rejects.toMatchObject(refused)
  await expect(store.remove('s')).rejects.toMatchObject(refused)
})

test('a journal that cannot be looked at is left out with the reason also where the newer ones are asked for', async () => {
  const { dir, store, sessions } = await folder()
  const lease = await taken(store)
  await add(store, lease, 0)
  await symlink('loop.jsonl', join(sessions, 'loop.jsonl'))
  const listed: string[] = []
  const list = async () => {
    for await (const { head } of fileStore({ dir: join(dir, 'state') }).list({ updatedSince: 1 }))
      listed.push(head.sessionId)
  }
  await expect(list()).rejects.toMatchObject({ code: 'store-unavailable' })
  expect(listed).toEqual(['s'])
})

test('a folder that may not be written is store-unavailable, and can still be read', async () => {
  const { dir, store, sessions } = await folder()
  const lease = await taken(store)
  await add(store, lease, 0)
  await store.release(lease)
  const [before, userId] = [await readdir(sessions), process.geteuid?.() ?? 0]
  for (const path of [dir, join(dir, 'state'), sessions]) await chmod(path, 0o555)
  for (const name of before) await chmod(join(sessions, name), 0o444)
  // To root nothing is read-only.
  if (userId === 0) process.seteuid?.(65534)
  onTestFinished(async () => {
    process.seteuid?.(userId)
    for (const path of [dir, join(dir, 'state'), sessions]) await chmod(path, 0o755)
  })
  for (const operation of [
    () => taken(store),
    () => taken(store, 'new'),
    () => add(store, lease, 1),
    () => store.remove('s'),
  ]) {
    await expect(operation()).rejects.toMatchObject({
      code: 'store-unavailable',
      hint: expect.stringContaining('writable'),
    })
  }
  expect(await seqs(store)).toEqual([1])
  expect((await store.summary('s'))?.head).toEqual(head('s', 1))
  expect(await readdir(sessions)).toEqual(before)
})

test('folders are for their owner only (0700), and so are files (0600)', async () => {
  const { dir, store, sessions } = await folder()
  const lease = await taken(store)
  await add(store, lease, 0)
  await store.renew(lease, 1000)
  const modes: Record<string, string> = {}
  for (const path of [
    'state',
    'state/sessions',
    ...(await readdir(sessions)).map((name) => `state/sessions/${name}`),
  ]) {
    modes[path] = ((await stat(join(dir, path))).mode & 0o777).toString(8)
  }
  expect(modes).toEqual({
    state: '700',
    'state/sessions': '700',
    'state/sessions/s.jsonl': '600',
    'state/sessions/s.lease': '600',
  })
})

test('one append is one line of JSON, and remove leaves no file behind', async () => {
  const { store, sessions } = await folder()
  const lease = await taken(store)
  await add(store, lease, 0, 3)
  await add(store, lease, 3)
  const lines = (await readFile(join(sessions, 's.jsonl'), 'utf8')).split('\n').filter((line) => line !== '')
  expect(lines.map((line) => (JSON.parse(line) as { seq: number }).seq)).toEqual([0, 3, 4])
  await writeFile(join(sessions, 's.lease.0-1.tmp'), 'left by a crash')
  await store.release(lease)
  await store.remove('s')
  expect(await readdir(sessions)).toEqual([])
})

test('a session that was deleted and made anew refuses the writer of the old one, though its fence is the same (P3)', async () => {
  const { store, sessions } = await folder()
  const stale = await taken(store)
  await add(store, stale, 0)
  for (const name of await readdir(sessions)) await rm(join(sessions, name))
  await expect(add(store, stale, 1)).rejects.toMatchObject({ code: 'lease-lost' })

  const other = fileStore({ dir: join(sessions, '..') })
  const lease = (await other.acquire('s', owner('bob'), 600_000)) as Lease
  expect(lease.fence).toBe(stale.fence)
  await add(other, lease, 0)
  for (const handle of [store, other, fileStore({ dir: join(sessions, '..') })]) {
    await expect(add(handle, stale, 1)).rejects.toMatchObject({ code: 'lease-lost' })
    expect(await handle.renew(stale, 1000)).toBe(false)
    await handle.release(stale)
  }
  expect((await store.summary('s'))?.holder?.owner).toEqual(owner('bob'))
  expect(await add(other, lease, 1)).toBe(2)
})

test('a folder may be a symbolic link, and the store says where it is', async () => {
  const { dir } = await folder()
  await mkdir(join(dir, 'real'))
  await symlink(join(dir, 'real'), join(dir, 'link'))
  const store = fileStore({ dir: join(dir, 'link') })
  await add(store, await taken(store), 0)
  expect(store.location).toBe(`file:${join(dir, 'link')}`)
  expect(await seqs(fileStore({ dir: join(dir, 'real') }))).toEqual([1])
})

test('a session of 5,000 entries opens and is summed up from its end alone (P7)', async () => {
  const { store, sessions } = await folder()
  const lease = await taken(store)
  for (let seq = 0; seq < 5000; seq += 100) {
    const entries = entriesAfter(seq, 100, lease.fence, turnStarted('x'.repeat(500)))
    await store.append(lease, seq, entries, head('s', seq + 100))
  }
  for (let seq = 5000; seq < 5040; seq++) await add(store, lease, seq)
  const later = fileStore({ dir: join(sessions, '..') })
  expect(await later.summary('s')).toMatchObject({ head: head('s', 5040), holder: { owner: owner('ann') } })
  expect(await seqs(later)).toEqual(Array.from({ length: 5040 }, (_, i) => i + 1))

  let bytesRead = 0
  onOpen = (handle) => {
    const read = handle.read.bind(handle)
    replace(handle, 'read', async (buffer: Buffer, at: number, length: number, position: number) => {
      const result = await read(buffer, at, length, position)
      bytesRead += result.bytesRead
      return result
    })
  }
  await later.summary('s')
  expect(await seqs(later, 5037)).toEqual([5038, 5039, 5040])
  const next = (await later.acquire('s', owner('bob'), 600_000, lease.fence)) as Lease
  await later.append(next, 5040, entriesAfter(5040, 1, next.fence), head('s', 5041))
  await later.renew(next, 600_000)
  expect((await later.summary('s'))?.head.seq).toBe(5041)
  expect(bytesRead).toBeLessThan(400_000)
  expect((await stat(join(sessions, 's.jsonl'))).size).toBeGreaterThan(3_000_000)
})
