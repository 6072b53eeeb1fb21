import { readdirSync, renameSync, writeFileSync } from 'node:fs'
import { readdir, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { newFolder } from '../../../../test/support/folder.ts'
import { startNode } from '../../../../test/support/running-process.ts'
import { fileStore } from './file-store.ts'
import { sharedFiles } from './shared-files.ts'

async function place() {
  const dir = newFolder()
  const folder = join(dir, 'shared')
  let ids = 0
  const open = (hook = () => {}) =>
    sharedFiles(folder, () => {
      hook()
      return `id-${++ids}`
    })
  return { dir, folder, open, shared: open() }
}

/** `versions` of one record, written one after another. */
async function counted(shared: ReturnType<typeof sharedFiles>, versions: number) {
  for (let version = 0; version < versions; version++) expect(await shared.write('k', version, version + 1)).toBe(true)
}

const program = fileURLToPath(new URL('fixtures/counter-process.mjs', import.meta.url))

test('three processes that count in one record miss no step, double none, and leave two files', async () => {
  const { dir, folder } = await place()
  const counters = Array.from({ length: 3 }, () => startNode([program, JSON.stringify({ dir, count: 60 })]))
  const ended = await Promise.all(counters.map((one) => one.ended))
  expect(ended.map(({ code }) => code)).toEqual([0, 0, 0])
  expect(await fileStore({ dir }).shared.read('counter')).toMatchObject({ version: 180, value: 180 })
  expect((await readdir(folder)).map((name) => name.replace(/~.*?\./, ' ')).sort()).toEqual([
    'counter 179.json',
    'counter 180.json',
  ])
})

test('a reader finds the record all the time while it is replaced, and never an older one than before', async () => {
  const { open } = await place()
  const [writer, reader] = [open(), open()]
  await writer.write('k', 0, 1)
  let writing = true
  const seen: number[] = []
  const reading = (async () => {
    while (writing) seen.push(Number((await reader.read('k'))?.value))
  })()
  for (let version = 1; version < 200; version++) await writer.write('k', version, version + 1)
  writing = false
  await reading
  expect(seen).toEqual(seen.toSorted((a, b) => a - b))
  expect(seen).not.toContain(NaN)
})

test('a version that is gone since it was listed is looked for again', async () => {
  const { folder, shared } = await place()
  await counted(shared, 1)
  const [name = ''] = await readdir(folder)
  const vanishing = join(folder, name.replace('.1.', '.9.'))
  // Listed, and not there when it is opened.
  await symlink('nowhere', vanishing)
  const reading = shared.read('k')
  await setImmediate()
  await rm(vanishing)
  expect(await reading).toMatchObject({ version: 1, value: 1 })
})

test('a writer that slept while others went on, and finds its number free again, is told that it lost', async () => {
  const { folder, open, shared } = await place()
  await counted(shared, 2)
  // Just before it writes version 3, the others are at 9.
  const late = open(() => {
    for (const name of readdirSync(folder)) {
      if (name.endsWith('.2.json')) renameSync(join(folder, name), join(folder, name.replace('.2.', '.9.')))
    }
  })
  expect(await late.write('k', 2, 'late')).toBe(false)
  expect(await shared.read('k')).toEqual({ key: 'k', version: 9, value: 2 })
  expect((await readdir(folder)).some((name) => name.endsWith('.3.json'))).toBe(false)
})

test('a writer that was overtaken before it could look again still learns that it won', async () => {
  const { folder, open, shared } = await place()
  await counted(shared, 1)
  // Stands for the next writer, which built on the one below at once.
  const overtaken = open(() => {
    const stem = readdirSync(folder)[0]?.replace('.1.json', '')
    const next = { v: 1, key: 'k', id: 'next', builtOn: ['id-2', 'id-1'], value: 'next' }
    writeFileSync(join(folder, `${stem}.3.json`), JSON.stringify(next))
  })
  expect(await overtaken.write('k', 1, 'mine')).toBe(true)
  expect(await shared.read('k')).toEqual({ key: 'k', version: 3, value: 'next' })
})

test('a version that a power cut emptied is passed over, and the record goes on above it', async () => {
  const { folder, shared } = await place()
  await counted(shared, 3)
  const newest = (await readdir(folder)).find((name) => name.endsWith('.3.json')) ?? ''
  await writeFile(join(folder, newest), '')
  expect(await shared.read('k')).toMatchObject({ version: 2, value: 2 })
  expect(await shared.list('')).toMatchObject([{ version: 2 }])
  expect(await shared.write('k', 2, 'next')).toBe(true)
  expect(await shared.read('k')).toMatchObject({ version: 4, value: 'next' })
})

test('temporary files of a crash go with the next write, those of living writers stay', async () => {
  const { folder, shared } = await place()
  await counted(shared, 1)
  const [name = ''] = await readdir(folder)
  const [old, young] = ['old', 'young'].map((id) => join(folder, name.replace('1.json', `${id}.tmp`)))
  for (const path of [old, young]) await writeFile(path ?? '', '{')
  await utimes(old ?? '', 0, 0)
  await shared.write('k', 1, 2)
  const left = await readdir(folder)
  expect(left.filter((one) => one.endsWith('.tmp')).map((one) => join(folder, one))).toEqual([young])
})

test('only the owner can read what is shared, and other files there disturb nobody', async () => {
  const { folder, shared } = await place()
  await counted(shared, 1)
  const [name = ''] = await readdir(folder)
  expect((await stat(folder)).mode & 0o777).toBe(0o700)
  expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600)
  await writeFile(join(folder, 'notes.txt'), 'x')
  await writeFile(join(folder, name.replace('k~', 'other~')), '{}')
  expect(await shared.list('')).toHaveLength(1)
})
