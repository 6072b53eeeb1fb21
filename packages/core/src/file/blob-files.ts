/**
 * Texts too large for the journal: one file each, in the session's own folder.
 *
 * 1. A blob gets its name only when all of it is on disk, so a reader never finds a part of one.
 * 2. Names stand for content: writing one that exists changes nothing.
 * 3. The folder belongs to the holder of the session. A late writer may find the folder of the next session of that
 *    name, and removes nothing there but its own temporary file.
 */
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Blob } from '../store/blobs.ts'
import { systemCode } from './file-error.ts'
import { makeFolder, openFile, readText, syncFolder } from './folder.ts'
import type { SessionPlace } from './session-place.ts'

/**
 * `id` names the temporary file and must be new. `assertHeld` throws when the writer no longer holds the session. It is
 * called last, when the folder is surely the one being written to: a removal takes the folder away as a whole.
 */
export async function writeBlobFile(
  place: SessionPlace,
  { name, text }: Blob,
  id: string,
  assertHeld: () => Promise<unknown>,
): Promise<void> {
  await makeFolder(place.blobs)
  const temporary = join(place.blobs, `${name}.${id}.tmp`)
  try {
    const handle = await openFile(temporary, 'wx', 0o600)
    try {
      await handle.writeFile(text)
      await handle.datasync()
    } finally {
      await handle.close()
    }
    await assertHeld()
    await rename(temporary, join(place.blobs, name))
    await syncFolder(place.blobs)
  } catch (error) {
    await rm(temporary, { force: true })
    // If the session was removed, that is why something is missing.
    await assertHeld()
    throw error
  }
}

export async function readBlobFile(place: SessionPlace, name: string): Promise<string | undefined> {
  try {
    return await readText(join(place.blobs, name))
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
