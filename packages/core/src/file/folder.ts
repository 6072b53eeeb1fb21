/** Folders and files whose names survive a power cut, and that only their owner can read. */
import { type FileHandle, mkdir, open, readdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { platform } from 'node:process'
import { systemCode } from './file-error.ts'

/** Makes `path` and what is missing above it, and puts their names on disk. */
export async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 })
  if (first === undefined) return
  for (let made = path; ; made = dirname(made)) {
    await syncFolder(dirname(made))
    if (made === first || made === dirname(made)) return
  }
}

/** Puts the names in `path` on disk: the names of new, renamed and deleted files are content of their folder. */
export async function syncFolder(path: string): Promise<void> {
  // Windows has no such call, and refuses to open a folder.
  if (platform === 'win32') return
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** The names in `path`; none when there is no such folder. */
export async function namesIn(path: string): Promise<string[]> {
  return (await unlessMissing(readdir(path))) ?? []
}

/** The file, opened; undefined when there is none and `flags` do not make it. */
export function openIfThere(path: string, flags: number): Promise<FileHandle | undefined> {
  return unlessMissing(open(path, flags, 0o600))
}

async function unlessMissing<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
