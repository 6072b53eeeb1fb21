import { execFileSync } from 'node:child_process'
import { chmod, mkdir, readFile, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Finding, Store } from '../store/store.ts'
import { add, all, place, taken } from './file.fixture.ts'
import { fileStore } from './file-store.ts'
import { smallDisk, whyNoDisk } from './small-disk.fixture.ts'

/** Without what the machine of the test is to blame for. */
async function found(store: Store): Promise<Finding[]> {
  const aboutMachine = / is on (tmpfs|overlay|FUSE|9p|file system)|MiB are free|more files fit/
  return (await store.findings()).filter(({ what }) => !aboutMachine.test(what))
}

async function written() {
  const where = await place()
  const store = where.open()
  const lease = await taken(store)
  await add(store, lease, 0, 2)
  await store.putBlob(lease, 'a'.repeat(64), 'text')
  await store.shared.write('k', 0, 1)
  return { ...where, store, lease }
}

test('a healthy store, and one that nobody has used, have none', async () => {
  const { store } = await written()
  expect(await found(store)).toEqual([])
  const { open } = await place()
  expect(await found(open())).toEqual([])
})

test('a folder that was given by a relative path is the same one when the process goes elsewhere', async () => {
  const { state, journal } = await written()
  const before = process.cwd()
  onTestFinished(() => process.chdir(before))
  process.chdir(join(state, '..'))
  const store = fileStore({ dir: 'state' })
  process.chdir('/')
  await writeFile(journal, 'no journal', { flag: 'a' })
  expect(await found(store)).toMatchObject([{ severity: 'danger', what: expect.stringContaining(journal) }])
})

test('a damaged session is a danger with its file and line, does not hide the others, and nothing of it is told', async () => {
  const { store, journal, lease } = await written()
  await add(store, lease, 2, 1, 'a secret prompt')
  const bytes = await readFile(journal)
  bytes[300] = (bytes[300] ?? 0) ^ 1
  await writeFile(journal, bytes)
  const other = await store.acquire('t', lease.owner, 1000)
  expect(other.kind).toBe('lease')
  await writeFile(journal.replace('s.jsonl', 't.jsonl'), 'no journal', { flag: 'a' })
  const findings = await found(store)
  expect(findings).toMatchObject([
    {
      severity: 'danger',
      what: `${journal} line 2 is damaged: it was altered`,
      risk: 'session s cannot be continued (P1)',
      mend: 'lastgood show s shows the part before it; restore the file from a copy to continue',
    },
    { severity: 'danger', what: expect.stringContaining('t.jsonl line'), risk: expect.stringContaining('session t') },
  ])
  expect(JSON.stringify(findings)).not.toContain('secret')
})

test('a journal that lost its end is a danger, one whose last append was cut only a note', async () => {
  const { store, journal, lease } = await written()
  const { length } = await readFile(journal)
  await add(store, lease, 2)
  await truncate(journal, length + 50)
  expect(await found(store)).toEqual([
    {
      severity: 'info',
      what: `${journal} ends in 49 bytes of an interrupted append (a crash, a full disk)`,
      risk: 'none: they were never acknowledged and are ignored',
      mend: 'nothing to do; the next append continues after them',
    },
  ])
  await add(store, lease, 2)
  await store.renew(lease, 1000)
  await truncate(journal, length)
  expect(await found(store)).toMatchObject([{ severity: 'danger', what: expect.stringContaining('its end was lost') }])
})

test('temporary files of a crash are counted once they are old, and its command removes them and nothing else', async () => {
  const { store, state, sessions, shared } = await written()
  const left = [
    join(sessions, 's.lease.1.tmp'),
    join(shared, 'k~1.2.tmp'),
    join(sessions, 's.blobs', `${'b'.repeat(64)}.3.tmp`),
  ]
  for (const path of left) await writeFile(path, '{', { mode: 0o600 })
  expect(await found(store)).toEqual([])
  for (const path of left) await utimes(path, 0, 0)
  const [finding, ...others] = await found(store)
  expect(others).toEqual([])
  expect(finding).toMatchObject({ severity: 'info', what: `3 temporary files in ${state}, left by a crash` })
  execFileSync('sh', ['-c', finding?.mend ?? 'false'])
  expect(await found(store)).toEqual([])
  expect(await all(store)).toHaveLength(2)
})

test('the command that removes them leaves alone what is not of the store, also under a path with a space and a quote', async () => {
  const { dir } = await place()
  const state = join(dir, "it's here")
  const store = fileStore({ dir: state })
  await taken(store)
  const own = join(state, 'sessions', 's.lease.1.tmp')
  const foreign = [join(state, 'notes.tmp'), join(state, 'work', 'draft.tmp')]
  await mkdir(join(state, 'work'))
  await mkdir(join(state, 'sessions', 'folder.tmp'))
  for (const path of [own, ...foreign]) {
    await writeFile(path, '{', { mode: 0o600 })
    await utimes(path, 0, 0)
  }
  const [finding] = await found(store)
  expect(finding).toMatchObject({ what: `1 temporary file in ${state}, left by a crash` })
  execFileSync('sh', ['-c', finding?.mend ?? 'false'])
  await expect(readFile(own)).rejects.toMatchObject({ code: 'ENOENT' })
  for (const path of foreign) expect(await readFile(path, 'utf8')).toBe('{')
})

test('what a cut removal has put aside, or left beside a journal without entries, is told until its command was run', async () => {
  const { store, sessions, journal, lease } = await written()
  const [aside, blobs] = [join(sessions, 's.blobs.1.removed'), join(sessions, 's.blobs')]
  await mkdir(aside)
  await truncate(journal, 0)
  await store.release(lease)
  await rm(join(sessions, 's.lease'))
  await utimes(blobs, 0, 0)
  const findings = await found(store)
  expect(findings.map(({ what }) => what)).toEqual([
    expect.stringContaining(`${blobs} belongs to no session`),
    expect.stringContaining(`${aside} is left of a removal`),
  ])
  for (const { mend } of findings) execFileSync('sh', ['-c', mend.replace(/^.*, or: /, '')])
  expect(await found(store)).toEqual([])
  // A late writer may make the folder anew, and puts nothing there.
  await rm(journal)
  await mkdir(blobs)
  expect(await found(store)).toEqual([])
})

test('what is left of a session whose removal was cut is a warning: it holds content', async () => {
  const { store, sessions, journal } = await written()
  await rm(journal)
  const [finding] = await found(store)
  expect(finding).toMatchObject({ severity: 'warning', what: expect.stringContaining(join(sessions, 's.blobs')) })
  expect(finding?.mend).toContain(`rm -r ${join(sessions, 's.blobs')}`)
})

describe.skipIf(process.platform === 'win32')('what is open to other users', () => {
  test.each<[string, string, number, Finding['severity'], string]>([
    ['a folder that others may list', 'sessions', 0o755, 'warning', 'see which sessions exist'],
    ['a folder that the group may enter', 'shared', 0o710, 'warning', 'see which sessions exist'],
    ['a folder that others may write', 'sessions', 0o777, 'danger', 'delete and replace journals'],
    ['the folder above, for writing', '.', 0o777, 'danger', 'replace your journals'],
  ])('%s', async (_, folder, mode, severity, risk) => {
    const { state, store } = await written()
    await chmod(join(state, folder), mode)
    const [finding, ...others] = await found(store)
    expect(others).toEqual([])
    expect(finding).toMatchObject({ severity, risk: expect.stringContaining(risk) })
    expect(finding?.what).toContain(`(0${mode.toString(8)}`)
    execFileSync('sh', ['-c', finding?.mend ?? 'false'])
    expect(await found(store)).toEqual([])
  })

  test('a journal that others may read is a danger only where they can come to it', async () => {
    const { store, sessions, journal } = await written()
    await chmod(journal, 0o644)
    expect(await found(store)).toEqual([])
    await chmod(sessions, 0o711)
    const findings = await found(store)
    expect(findings).toMatchObject([
      { severity: 'warning' },
      { severity: 'danger', what: expect.stringContaining(journal), mend: `chmod -R go= ${sessions}` },
    ])
    execFileSync('sh', ['-c', findings[1]?.mend ?? 'false'])
    expect(await found(store)).toMatchObject([])
  })

  test('a folder of a user’s own that is listed by others, or a sticky one like /tmp, is nobody’s danger', async () => {
    const { state, store } = await written()
    for (const mode of [0o755, 0o1777]) {
      await chmod(state, mode)
      expect(await found(store)).toEqual([])
    }
  })

  test('a path with a space and a quote is one word in the command', async () => {
    const { dir } = await place()
    const odd = join(dir, "it's mine")
    const store = fileStore({ dir: odd })
    await taken(store)
    await chmod(join(odd, 'sessions'), 0o755)
    const [finding] = await found(store)
    execFileSync('sh', ['-c', finding?.mend ?? 'false'])
    expect(await found(store)).toEqual([])
  })
})

test('a state folder that is a link to a disk that is not there is a danger, and is not told to be moved away', async () => {
  const { dir, state, open } = await place()
  await symlink(join(dir, 'unmounted'), state)
  const store = open()
  const hint = expect.stringMatching(/^(?!.*a file is).*mount its disk/)
  await expect(taken(store)).rejects.toMatchObject({ code: 'store-unavailable', hint })
  expect(await found(store)).toEqual([
    {
      severity: 'danger',
      what: `${state} is a link to a folder that is not there`,
      risk: 'no session can be recorded, so none can start or continue (P5)',
      mend: 'mount its disk, or: --store file:<folder>',
    },
  ])
  await mkdir(join(dir, 'unmounted'))
  expect(await found(store)).toEqual([])
})

test.skipIf(process.getuid?.() !== 0)(
  'where another user owns the folder above, the command makes the missing one, too (skipped unless root)',
  async () => {
    const { dir } = await place()
    await chmod(dir, 0o755)
    const state = join(dir, 'home', 'state')
    const text = `
      import { fileStore } from '@lastgood/core/file'
      process.setuid(65534)
      console.log(JSON.stringify(await fileStore({ dir: process.argv[1] }).findings()))`
    const ofNobody = () => {
      const written = execFileSync(process.execPath, ['--input-type=module', '-e', text, state], {
        cwd: import.meta.dirname,
        encoding: 'utf8',
      })
      return (JSON.parse(written) as Finding[]).filter(({ what }) => what.includes('cannot be written'))
    }
    const [finding] = ofNobody()
    expect(finding).toMatchObject({ severity: 'danger', what: `${dir} cannot be written by this user (EACCES)` })
    const command = finding?.mend.replaceAll('sudo ', '').replaceAll('$(id -u)', '65534') ?? 'false'
    execFileSync('sh', ['-c', command])
    expect(ofNobody()).toEqual([])
  },
)

test.skipIf(process.getuid?.() !== 0)(
  'files of another user are a danger, told once for all, with the command that hands them over (skipped unless root)',
  async () => {
    const { dir, state, sessions, store } = await written()
    for (const path of [dir, state, sessions, join(sessions, 's.blobs'), join(state, 'shared')])
      await chmod(path, 0o777)
    onTestFinished(() => process.seteuid?.(0))
    process.seteuid?.(65534)
    const findings = await store.findings()
    process.seteuid?.(0)
    expect(findings.filter(({ risk }) => risk.includes('cannot be continued'))).toEqual([
      {
        severity: 'danger',
        what: `${join(sessions, 's.blobs')} and 2 more: made by another user (sudo?)`,
        risk: 'such a session cannot be continued (P5)',
        mend: `sudo chown -R "$(id -u)" ${state}`,
      },
    ])
  },
)

const reason = whyNoDisk()

describe.skipIf(reason !== undefined)(`of a small disk${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  test('little space is a warning, less than one large turn a danger', async () => {
    for (const [size, severity] of [
      ['100m', 'warning'],
      ['20m', 'danger'],
    ] as const) {
      const disk = smallDisk(`size=${size}`)
      const store = fileStore({ dir: join(disk.path, 'state') })
      expect(await store.findings()).toContainEqual(
        expect.objectContaining({ severity, what: expect.stringMatching(/^\d+ MiB are free/) }),
      )
    }
  })

  test('no more files, and a disk that is mounted read-only, are dangers', async () => {
    const disk = smallDisk('size=1g,nr_inodes=50')
    const store = fileStore({ dir: join(disk.path, 'state') })
    const texts = async () =>
      (await store.findings()).filter(({ severity }) => severity === 'danger').map(({ what }) => what)
    expect(await texts()).toEqual([expect.stringContaining('more files fit')])
    await mkdir(join(disk.path, 'state'))
    disk.remount('ro')
    expect(await texts()).toContain(`${join(disk.path, 'state')} cannot be written by this user (EROFS)`)
  })
})
