/** Writes a file that is complete or absent, by default readable by its owner only, and replaces none by accident. */
import { link, lstat, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { LastgoodError } from '@lastgood/core'
import { openFile, syncFolder } from '@lastgood/core/file'

export interface NewFileOptions {
  /** Replace a regular file that is there. */
  force: boolean
  /** For the name of the temporary file. */
  id: string
  /** Permissions. Default: readable by its owner only. */
  mode?: number
  /** The owner. Default: the user who runs this. */
  owner?: { uid: number; gid: number }
}

export async function writeNewFile(
  path: string,
  lines: AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>,
  { force, id, mode = 0o600, owner }: NewFileOptions,
): Promise<{ lines: number; bytes: number }> {
  await assertFree(path, force)
  const temporary = `${path}.${id}.tmp`
  const handle = await openFile(temporary, 'wx', mode).catch((cause: NodeJS.ErrnoException) => {
    throw notMade(path, cause)
  })
  try {
    const written = { lines: 0, bytes: 0 }
    try {
      if (owner) await handle.chown(owner.uid, owner.gid)
      // The umask may have cleared some bits, and a change of owner clears some.
      if (mode !== 0o600) await handle.chmod(mode)
      for await (const line of lines) {
        written.lines += 1
        // Not `write`, which may write only a part of it.
        await handle.appendFile(line)
        written.bytes += typeof line === 'string' ? Buffer.byteLength(line) : line.byteLength
      }
      await handle.datasync()
    } finally {
      await handle.close()
    }
    await (force ? rename(temporary, path) : named(temporary, path))
    await syncFolder(dirname(path))
    return written
  } finally {
    await rm(temporary, { force: true })
  }
}

/** Gives it that name too, unless somebody else has it by now. */
async function named(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') throw notMade(path, cause as NodeJS.ErrnoException)
    // There are no hard links on a memory stick (FAT): there the name is taken first.
    const claim = await openFile(path, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
      throw notMade(path, error)
    })
    await claim.close()
    await rename(temporary, path)
  }
}

/** A rename would replace a device, a pipe or a link, too. */
async function assertFree(path: string, force: boolean): Promise<void> {
  const there = await lstat(path).catch(() => undefined)
  if (!there || (there.isFile() && force)) return
  if (there.isFile()) throw taken(path)
  throw new LastgoodError('bad-option', `${path} exists and is not a regular file`, {
    hint: 'write to - and pipe it, or name a file',
  })
}

function notMade(path: string, cause: NodeJS.ErrnoException): LastgoodError {
  if (cause.code === 'EEXIST') return taken(path)
  return new LastgoodError('bad-option', `${path} cannot be written`, {
    hint: 'name a file in a folder of yours',
    cause,
  })
}

function taken(path: string): LastgoodError {
  return new LastgoodError('bad-option', `the file ${path} already exists`, {
    hint: 'name another one, or replace it: --force',
  })
}
