import { execFileSync } from 'node:child_process'
import { lstat, mkdir, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { newFolder } from '../test/context.ts'

const calls = vi.hoisted(() => [] as string[])
/** Whether the file system has hard links. */
const disk = vi.hoisted(() => ({ hasLinks: true }))

vi.mock(import('node:fs/promises'), async (original) => {
  const real = await original()
  return {
    ...real,
    async link(...args) {
      if (!disk.hasLinks) throw Object.assign(new Error('EPERM'), { code: 'EPERM', syscall: 'link' })
      await real.link(...args)
    },
    // Of every write at most seven bytes go in, as on a system that is interrupted; what is flushed is noted.
    async open(path, ...rest) {
      const handle = await real.open(path, ...rest)
      const kept = { write: handle.write.bind(handle), sync: handle.sync.bind(handle) }
      const write = async (data: string | Uint8Array, offset = 0, length?: number) => {
        const bytes = typeof data === 'string' ? Buffer.from(data) : data
        return kept.write(bytes, offset, Math.min(7, length ?? bytes.byteLength - offset))
      }
      const sync = async () => {
        calls.push(`sync ${String(path)}`)
        await kept.sync()
      }
      return Object.assign(handle, { write, sync }) as typeof handle
    },
  }
})

const { writeNewFile } = await import('./new-file.ts')

async function* lines() {
  yield 'a line that is longer than one write takes\n'
  yield 'é and another one\n'
}
const text = 'a line that is longer than one write takes\né and another one\n'

it.each([false, true])(
  'a file is whole although writes fall short, and its folder is flushed (force: %s)',
  async (force) => {
    const dir = newFolder()
    const path = join(dir, 'out.jsonl')
    calls.length = 0
    expect(await writeNewFile(path, lines(), { force, id: 'id' })).toEqual({ lines: 2, bytes: Buffer.byteLength(text) })
    expect(await readFile(path, 'utf8')).toBe(text)
    expect(await readdir(dir)).toEqual(['out.jsonl'])
    expect(calls.at(-1)).toBe(`sync ${dir}`)
  },
)

it.each([
  ['a pipe', (path: string) => execFileSync('sh', ['-c', 'mkfifo "$0"', path])],
  ['a link to a file', (path: string) => symlink('mine', path)],
  ['a link to nothing', (path: string) => symlink('none', path)],
  ['a folder', (path: string) => mkdir(path)],
])('%s is never replaced, and no hint leads there', async (_what, make) => {
  const dir = newFolder()
  const path = join(dir, 'out.jsonl')
  await writeFile(join(dir, 'mine'), 'mine')
  await make(path)
  const { ino } = await lstat(path)
  for (const force of [false, true]) {
    await expect(writeNewFile(path, lines(), { force, id: 'id' })).rejects.toMatchObject({
      code: 'bad-option',
      message: `${path} exists and is not a regular file`,
      hint: 'write to - and pipe it, or name a file',
    })
  }
  expect((await lstat(path)).ino).toBe(ino)
  expect((await readdir(dir)).toSorted()).toEqual(['mine', 'out.jsonl'])
  expect(await readFile(join(dir, 'mine'), 'utf8')).toBe('mine')
})

it.each([true, false])(
  'until all of it is on disk no file has its name, and one that gets it meanwhile stays (hard links: %s)',
  async (hasLinks) => {
    disk.hasLinks = hasLinks
    const dir = newFolder()
    const path = join(dir, 'out.jsonl')
    async function* seen(meanwhile: () => Promise<unknown>) {
      for await (const line of lines()) {
        expect(await readdir(dir)).toEqual(['out.jsonl.id.tmp'])
        yield line
      }
      await meanwhile()
    }
    const written = (meanwhile: () => Promise<unknown>) =>
      writeNewFile(path, seen(meanwhile), { force: false, id: 'id', mode: 0o640 })
    await expect(written(() => writeFile(path, 'mine'))).rejects.toMatchObject({
      code: 'bad-option',
      message: `the file ${path} already exists`,
    })
    expect(await readdir(dir)).toEqual(['out.jsonl'])
    expect(await readFile(path, 'utf8')).toBe('mine')
    await rm(path)
    await written(async () => {})
    expect(await readdir(dir)).toEqual(['out.jsonl'])
    expect(await readFile(path, 'utf8')).toBe(text)
    expect((await lstat(path)).mode & 0o777).toBe(process.platform === 'win32' ? 0o666 : 0o640)
  },
)
