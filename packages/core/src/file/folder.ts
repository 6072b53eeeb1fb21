/** Folders and files whose names survive a power cut, readable only by their owner. */
import { closeSync, constants, fdatasync, fstatSync, fsync, openSync, readSync, read, type Stats } from 'node:fs'
import { type FileHandle, mkdir, open, opendir, readdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { platform, versions } from 'node:process'
import { promisify } from 'node:util'
import { isDenied, leadsNowhere, notPlain, systemCode } from './file-error.ts'

/**
 * Makes `path` and its missing parents, and puts their names on disk. Nothing is put into a folder before that. So one
 * that holds something needs no more; an empty one may be left by who died, or was refused, before its name was on disk.
 */
export async function makeFolder(path: string): Promise<void> {
  const there = await lookInto(path)
  if (there === 'used') return
  const parent = dirname(path)
  if (parent !== path && ['missing', 'empty'].includes(await lookInto(parent))) await makeFolder(parent)
  const isMade = await makeOne(path)
  if (!isMade && there === 'unknown') return
  await syncFolder(parent).catch((error: unknown) => {
    // A folder that somebody else made may be in one that this user cannot look into.
    if (isMade || !isDenied(error)) throw error
  })
}

/** Unknown: it cannot be looked into, and making it tells why. */
async function lookInto(path: string): Promise<'used' | 'empty' | 'missing' | 'unknown'> {
  try {
    const folder = await opendir(path)
    try {
      return (await folder.read()) === null ? 'empty' : 'used'
    } finally {
      await folder.close()
    }
  } catch (error) {
    const code = systemCode(error) ?? ''
    if (code === 'ENOENT') return 'missing'
    if (isDenied(error) || ['ENOTDIR', 'ELOOP', 'ENAMETOOLONG'].includes(code)) return 'unknown'
    throw error
  }
}

/** False if it was there already. */
async function makeOne(path: string): Promise<boolean> {
  try {
    await mkdir(path, { mode: 0o700 })
    return true
  } catch (error) {
    const code = systemCode(error)
    const found = code === 'ENOENT' ? undefined : await stat(path).catch(systemCode)
    if (typeof found === 'object' && found.isDirectory()) return false
    throw code === 'EEXIST' && found === 'ENOENT' ? leadsNowhere(path, error) : error
  }
}

/** Puts the names in `path` on disk: names of new, renamed and deleted files are content of their folder. */
export async function syncFolder(path: string): Promise<void> {
  // Windows has no such call and refuses to open a folder.
  if (platform === 'win32') return
  const handle = await openFile(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** The names in `path`; none if there is no such folder. */
export async function namesIn(path: string): Promise<string[]> {
  try {
    return await readdir(path)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  }
}

const [readBytes, syncData, syncAll] = [promisify(read), promisify(fdatasync), promisify(fsync)]

/** Like `open`. A handle from Yarn's Plug'n'Play cannot sync, so there the sync goes through the descriptor number. */
export async function openFile(path: string, flags: string | number, mode?: number): Promise<FileHandle> {
  const handle = await open(path, flags, mode)
  if (versions['pnp'] === undefined) return handle
  return Object.assign(handle, { datasync: () => syncData(handle.fd), sync: () => syncAll(handle.fd) })
}

/** Opening a pipe that has no writer would block one of the few threads that all file operations share. */
const nonBlocking = constants.O_NONBLOCK ?? 0
/** The target of a link is named in another folder, which is not synced and may be on another file system. */
const noLink = constants.O_NOFOLLOW ?? 0

/** Added to the flags of every journal that is opened. */
export const journalFlags = nonBlocking | noLink

/** The open journal; undefined if there is none and `flags` do not create it. */
export async function openIfThere(path: string, flags: number): Promise<FileHandle | undefined> {
  try {
    return await openFile(path, flags | journalFlags, 0o600)
  } catch (error) {
    return notOpened(error, path, flags)
  }
}

/** Returns if `path` is missing and `flags` do not create it; otherwise throws the error that opening it gave. */
export function notOpened(error: unknown, path: string, flags: number): undefined {
  const code = systemCode(error) ?? ''
  if (code === 'ENOENT' && !(flags & constants.O_CREAT)) return
  throw ['ELOOP', 'EISDIR', 'ENXIO'].includes(code) ? notPlain(path, error) : error
}

/** The stats of an open file; throws if it is not a plain one: a pipe or a folder would look like an empty journal. */
export async function statOfFile(handle: { stat(): Promise<Stats> | Stats }, path: string): Promise<Stats> {
  const found = await handle.stat()
  if (!found.isFile()) throw notPlain(path)
  return found
}

/** One block of most file systems: finding a file of this size costs the disk as much as reading it. */
const oneBlock = 4096

/** The text of a small file. More than a block is read in the thread pool; see `open-file.ts`. */
export async function readText(path: string): Promise<string> {
  const file = openSync(path, constants.O_RDONLY | nonBlocking)
  try {
    const buffer = Buffer.allocUnsafe(fstatSync(file).size)
    if (buffer.length <= oneBlock) return buffer.toString('utf8', 0, readSync(file, buffer, 0, buffer.length, 0))
    let length = 0
    for (let bytes = -1; bytes !== 0 && length < buffer.length; length += bytes) {
      ;({ bytesRead: bytes } = await readBytes(file, buffer, length, buffer.length - length, length))
    }
    return buffer.toString('utf8', 0, length)
  } finally {
    closeSync(file)
  }
}
