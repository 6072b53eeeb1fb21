import type * as Files from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import type { Lease } from '../store/store.ts'
import { owner } from '../testing/entries.ts'
import { add, all, place, taken } from './file.fixture.ts'
import { smallDisk, whyNoDisk } from './small-disk.fixture.ts'
import { fileStore } from './file-store.ts'
import { assertSoundFileSystem, fileSystemOf, statsOfFileSystem } from './volume.ts'

const vfat = 0x4d44
/** What statfs says instead of the truth, and how often it was asked. */
const faked: { type: number | undefined; asked: number } = { type: undefined, asked: 0 }

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof Files>()
  const statfs = async (path: string) => {
    faked.asked += 1
    const stats = await real.statfs(path)
    return Object.assign(stats, { type: faked.type ?? stats.type })
  }
  const link: typeof real.link = async (...args) => {
    if (faked.type === vfat) throw Object.assign(new Error('EPERM'), { code: 'EPERM', syscall: 'link' })
    return real.link(...args)
  }
  return { ...real, statfs, link }
})

const refused = { NFS: 0x6969, SMB: 0x517b, CIFS: 0xff534d42, SMB2: 0xfe534d42, AFS: 0x5346414f, Coda: 0x73757245 }

for (const [name, type] of Object.entries(refused)) {
  test(`${name} is refused on Linux, with the folder, the reason and other places`, async () => {
    const refusal = assertSoundFileSystem('/mnt/team', async () => type, 'linux')
    await expect(refusal).rejects.toMatchObject({
      code: 'bad-option',
      message: `/mnt/team is on a network file system: on ${name} the appends of two hosts can overwrite each other, and an acknowledged turn would be lost`,
      hint: expect.stringMatching(/--store file:<folder>.*--store redis:/),
      details: { path: '/mnt/team', fileSystem: name },
    })
  })
}

test('the same numbers mean nothing on other systems', async () => {
  for (const type of Object.values(refused)) {
    for (const system of ['darwin', 'win32', 'freebsd'] as const) {
      expect(fileSystemOf(type, system)).toBeUndefined()
      await assertSoundFileSystem('/mnt/team', async () => type, system)
    }
  }
})

test('a number that came as a negative one is the same number [32-bit]', () => {
  expect(fileSystemOf(0xff534d42 | 0, 'linux')).toEqual({ name: 'CIFS', trust: 'refused' })
  expect(fileSystemOf(0x9123683e | 0, 'linux')).toEqual({ name: 'btrfs', trust: 'sound' })
})

test.each([
  [0xef53, 'ext4', 'sound'],
  [0x01021994, 'tmpfs', 'volatile'],
  [0x794c7630, 'overlay', 'volatile'],
  [0x65735546, 'FUSE', 'doubtful'],
  [0x01021997, '9p', 'doubtful'],
  [0x00c36400, 'CephFS', 'doubtful'],
  [vfat, 'vfat', 'linkless'],
  [0x1234, 'file system 0x1234', 'doubtful'],
])('%i is %s: %s, and may be written', async (type, name, trust) => {
  expect(fileSystemOf(type, 'linux')).toEqual({ name, trust })
  await assertSoundFileSystem('/any', async () => type, 'linux')
})

test('a system that does not tell is taken at its word [a sandbox without statfs]', async () => {
  const silent = () => Promise.reject(new Error('ENOSYS'))
  await expect(assertSoundFileSystem('/any', silent, 'linux')).resolves.toBeUndefined()
})

test.skipIf(process.platform !== 'linux')(
  'a store on NFS grants no lease and makes no folder, and can be read all the same; it asks once',
  async () => {
    const { state, dir, open } = await place()
    const store = open()
    const lease = await taken(store)
    const entries = await add(store, lease, 0)
    const { asked } = faked
    expect(asked).toBeGreaterThan(0)
    await store.acquire('t', owner('ann'), 1000)
    expect(faked.asked).toBe(asked)

    faked.type = 0x6969
    for (const there of [state, join(dir, 'not', 'made')]) {
      const other = fileStore({ dir: there })
      await expect(other.acquire('s', owner('bob'), 1000)).rejects.toMatchObject({ code: 'bad-option' })
      expect((await other.findings())[0]).toMatchObject({ severity: 'danger', what: expect.stringContaining('NFS') })
    }
    await expect(statsOfFileSystem(join(dir, 'not'))).resolves.toMatchObject({ type: 0x6969 })
    expect(await all(open())).toEqual(entries)
    faked.type = undefined
    // A refusal is not remembered: the folder may be mounted anew.
    expect((await open().acquire('t', owner('ann'), 1000)).kind).toBe('lease')
  },
)

test.skipIf(process.platform !== 'linux')(
  'without hard links a session is written, and findings and the error of a shared record say what is missing',
  async () => {
    const { state, open } = await place()
    faked.type = vfat
    const store = open()
    const entries = await add(store, await taken(store), 0)
    expect((await store.findings())[0]).toMatchObject({
      severity: 'warning',
      what: `${state} is on vfat, which has no hard links`,
    })
    const hint = expect.stringContaining('has no hard links: choose a folder on another')
    await expect(store.shared.write('k', 0, 1)).rejects.toMatchObject({ code: 'store-unavailable', hint })
    faked.type = undefined
    expect(await all(open())).toEqual(entries)
  },
)

const reason = whyNoDisk()

test.skipIf(reason !== undefined)(
  `a tmpfs and an overlay are taken, and findings say when they end${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  async () => {
    const disk = smallDisk('size=1m')
    const store = fileStore({ dir: disk.path })
    const lease = (await store.acquire('s', owner('ann'), 1000)) as Lease
    await add(store, lease, 0)
    const [found] = await store.findings()
    expect(found).toMatchObject({ severity: 'warning', what: `${disk.path} is on tmpfs` })
    faked.type = 0x794c7630
    expect((await fileStore({ dir: disk.path }).findings())[0]?.risk).toContain('container')
    faked.type = undefined
  },
)
