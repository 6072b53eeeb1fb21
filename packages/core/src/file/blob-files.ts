/**
 * What is kept beside a journal because of its size: a file for each text, in a folder of the session's own.
 *
 * 1. A blob has its name only when all of it is on disk, so that whoever finds it finds it whole.
 * 2. Names stand for content: writing one that is there changes nothing.
 * 3. The folder belongs to who holds the session. A late writer may find the folder of the next session of that name, and
 *    takes nothing from there but its own temporary file.
 */
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode } from './file-error.ts'
import { makeFolder, openFile, readText, syncFolder } from './folder.ts'
import type { SessionPlace } from './session-place.ts'

/**
 * `id` names the temporary file and must be new. `assertHeld` throws when the session is not the writer's any more; it is
 * asked last of all, when the folder is surely the one that is written to: a removal takes the folder away as a whole.
 */
export async function writeBlobFile(
  place: SessionPlace,
  name: string,
  text: string,
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
  } catch (error) {
    await rm(temporary, { force: true })
    // What is missing went with the session, if it did.
    await assertHeld()
    throw error
  }
  await syncFolder(place.blobs)
}

export async function readBlobFile(place: SessionPlace, name: string): Promise<string | undefined> {
  try {
    return await readText(join(place.blobs, name))
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
