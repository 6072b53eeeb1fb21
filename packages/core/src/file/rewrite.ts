/**
 * Makes durable bytes that may or may not be on disk.
 *
 * After a failed fdatasync the kernel takes the pages for clean: a later one that succeeds says nothing about them, in
 * this process or any other. So they are written again, unchanged, and then synced. Nothing else changes: the content
 * of the journal stays as it is, and a line that the disk has lost meanwhile reads as torn and does not count.
 */
import { constants } from 'node:fs'
import { LastgoodError } from '../errors.ts'
import { shortWrite } from './file-error.ts'
import { openIfThere } from './folder.ts'
import type { JournalHandle } from './open-file.ts'

const chunkBytes = 1024 * 1024

/** Writes the bytes between `from` and `to` again and puts them on disk; false if the file was removed. */
export async function rewrite(handle: JournalHandle, path: string, from: number, to: number): Promise<boolean> {
  // On Linux a handle with O_APPEND appends every write, whatever position it is given.
  const other = await openIfThere(path, constants.O_WRONLY)
  try {
    const [mine, theirs] = [await handle.stat(), await other?.stat()]
    if (mine.nlink === 0) return false
    if (!other || mine.ino !== theirs?.ino || mine.dev !== theirs.dev) throw moved(path)
    const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, to - from))
    for (let at = from; at < to;) {
      const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, to - at), at)
      if (bytesRead === 0) break
      const { bytesWritten } = await other.write(buffer, 0, bytesRead, at)
      if (bytesWritten === 0) throw shortWrite(path, 0, bytesRead)
      at += bytesWritten
    }
    await other.datasync()
    return true
  } finally {
    await other?.close()
  }
}

function moved(path: string): LastgoodError {
  return new LastgoodError('store-unavailable', `${path} was replaced by another file a moment ago`, {
    hint: 'do not move the files of a session while it is being written; then try again',
    details: { path },
  })
}
