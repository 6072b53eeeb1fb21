/** Names that are taken by something else, and folders that cannot be: a clear error at once, never a wait and never "empty". */
import { execFileSync } from 'node:child_process'
import { lstat, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { startProcess } from '../../../../test/support/running-process.ts'
import type { Lease, Store } from '../store/store.ts'
import { head, owner } from '../testing/entries.ts'
import { add, all, codeOf, place, taken } from './file.fixture.ts'
import { fileStore } from './file-store.ts'

const pipe = (path: string) => execFileSync('sh', ['-c', 'mkfifo "$0"', path])

/** Everything that can be asked of the session `s` of a store. */
const calls: Readonly<Record<string, (store: Store) => Promise<unknown>>> = {
  acquire: (store) => taken(store),
  read: (store) => all(store),
  summary: (store) => store.summary('s'),
  list: async (store) => {
    for await (const _ of store.list()) continue
  },
}

test.skipIf(process.platform !== 'linux')(
  'a folder where no file can be made is store-unavailable at once [mkdir of /proc answers ENOENT]',
  { timeout: 10_000 },
  async () => {
    const store = fileStore({ dir: '/proc/nope/deeper' })
    await expect(taken(store)).rejects.toMatchObject({
      code: 'store-unavailable',
      details: { code: 'ENOENT', path: '/proc/nope/deeper/sessions' },
      hint: expect.stringContaining('fileStore({ dir })'),
    })
    expect(await codeOf(store.shared.write('k', 0, 1))).toBe('store-unavailable')
    // Nothing is there, and it can be looked at.
    expect(await store.summary('s')).toBeUndefined()
  },
)

test('a folder under a link to nowhere is store-unavailable [a disk that is not mounted]', async () => {
  const { dir } = await place()
  await symlink(join(dir, 'unmounted'), join(dir, 'link'))
  expect(await codeOf(taken(fileStore({ dir: join(dir, 'link', 'state') })))).toBe('store-unavailable')
})

test('two processes that make the same folders at once both have them', async () => {
  const { dir } = await place()
  const deep = join(dir, 'a', 'b', 'c', 'd', 'e', 'f')
  const stores = Array.from({ length: 8 }, () => fileStore({ dir: deep }))
  const leases = await Promise.all(stores.map((store, i) => store.acquire(`s${i}`, owner('ann'), 1000)))
  expect(leases.map(({ kind }) => kind)).toEqual(stores.map(() => 'lease'))
})

const obstacles: Readonly<Record<string, (path: string) => unknown>> = {
  'a folder': (path) => mkdir(path),
  'a pipe': pipe,
  'a link to a file': async (path) => {
    await writeFile(`${path}.target`, '')
    await symlink(`${path}.target`, path)
  },
  'a link to nowhere': (path) => symlink('/nowhere/s.jsonl', path),
  'a link to itself': (path) => symlink(path, path),
}

for (const [name, make] of Object.entries(obstacles)) {
  test.skipIf(process.platform === 'win32')(
    `${name} where the journal should be is store-unavailable for every call, at once, and stays what it is (P5)`,
    { timeout: 10_000 },
    async () => {
      const { open, sessions, journal } = await place()
      await mkdir(sessions, { recursive: true, mode: 0o700 })
      await make(journal)
      const before = await lstat(journal)
      for (const [call, run] of Object.entries(calls)) {
        const error = await run(open()).catch((reason: unknown) => reason)
        expect([call, error]).toMatchObject([
          call,
          {
            code: 'store-unavailable',
            message: `${journal} is not a plain file`,
            hint: `move it away: mv ${journal} ${journal}.aside`,
          },
        ])
      }
      expect((await lstat(journal)).mode).toBe(before.mode)
    },
  )
}

test.skipIf(process.platform === 'win32')(
  'a pipe where the lease file should be is passed over, and replaced by the next lease',
  { timeout: 10_000 },
  async () => {
    const { open, lease: leaseFile } = await place()
    await add(open(), await taken(open()), 0)
    await rm(leaseFile)
    pipe(leaseFile)
    expect((await open().summary('s'))?.holder?.owner).toEqual(owner('ann'))
    await taken(open(), 'bob', 1)
    expect((await lstat(leaseFile)).isFile()).toBe(true)
  },
)

test('a folder where the lease file should be is told with its own path, and the journal stays readable', async () => {
  const { open, sessions, lease: leaseFile } = await place()
  const lease = await taken(open())
  const entries = await add(open(), lease, 0)
  await rm(leaseFile)
  await mkdir(leaseFile)
  await expect(open().renew(lease, 1000)).rejects.toMatchObject({
    code: 'store-unavailable',
    details: { path: leaseFile },
  })
  expect(await all(open())).toEqual(entries)
  expect((await readdir(sessions)).filter((name) => name.endsWith('.tmp'))).toEqual([])
})

test.skipIf(process.platform === 'win32')(
  'pipes among blobs and shared records hold nobody up',
  { timeout: 10_000 },
  async () => {
    const { open, shared, sessions } = await place()
    const store = open()
    const lease = await taken(store)
    const name = 'a'.repeat(64)
    await store.putBlob(lease, name, 'text')
    const blob = join(sessions, 's.blobs', name)
    await rm(blob)
    pipe(blob)
    expect(await open().readBlob('s', name)).toBe('')
    await store.putBlob(lease, name, 'text')
    expect(await open().readBlob('s', name)).toBe('text')

    await store.shared.write('k', 0, 1)
    const record = join(shared, (await readdir(shared))[0] ?? '')
    pipe(record.replace('.1.', '.2.'))
    expect(await open().shared.read('k')).toMatchObject({ version: 1, value: 1 })
    expect(await open().shared.write('k', 1, 2)).toBe(true)
  },
)

test('a name that is too long is store-unavailable, and says what to shorten', async () => {
  const { dir } = await place()
  for (const long of ['x'.repeat(300), Array.from({ length: 30 }, () => 'x'.repeat(200)).join('/')]) {
    await expect(taken(fileStore({ dir: join(dir, long) }))).rejects.toMatchObject({
      code: 'store-unavailable',
      details: { code: 'ENAMETOOLONG' },
      hint: expect.stringContaining('shorter'),
    })
  }
})

test('the longest id, in capitals, fits in a name with all that is added to it', async () => {
  const { open } = await place()
  const id = `X${'Y'.repeat(127)}`
  const lease = (await open().acquire(id, owner('ann'), 1000)) as Lease
  await open().putBlob(lease, 'b'.repeat(64), 'text')
  expect(await open().renew(lease, 1000)).toBe(true)
  await open().release(lease)
  expect((await open().acquire(id, owner('bob'), 1000)).kind).toBe('lease')
})

const crowded = fileURLToPath(new URL('fixtures/crowded-process.mjs', import.meta.url))

test.skipIf(process.platform === 'win32')(
  'a process without a free file descriptor is told so by every call; with one it goes on, and nothing is lost (P1, P5)',
  async () => {
    const { state, open } = await place()
    const script = 'ulimit -n 256; exec "$0" "$@"'
    const { stdout } = await startProcess('bash', ['-c', script, process.execPath, crowded, state]).ended
    const refused = { code: 'store-unavailable', system: 'EMFILE', hint: expect.stringContaining('ulimit -n') }
    expect(JSON.parse(stdout)).toEqual({
      append: refused,
      acquire: refused,
      renew: refused,
      putBlob: refused,
      read: refused,
      summary: refused,
      list: refused,
      shared: refused,
      after: [1, 2],
    })
    expect((await open().summary('s'))?.head).toEqual(head('s', 2))
  },
)
