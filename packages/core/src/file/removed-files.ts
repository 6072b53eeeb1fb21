/**
 * Removes the files of one session, so that a crash at any point leaves either the whole session or nothing listed.
 *
 * 1. A journal without entries replaces the journal in one step: from then on the session is gone. It is under a lease
 *    of the remover, so nobody begins a session of that name while the rest is deleted.
 * 2. Blobs are renamed out of the way and then deleted, which may take longer than a lease.
 * 3. A crash leaves `*.removed`, which belongs to no session and is deleted by any later removal, or that empty
 *    journal. A writer that begins a session there first deletes the old blobs.
 */
import { renameSync, unlinkSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../clock.ts'
import { removerId } from '../store/owner.ts'
import { type Holder, leaseLost } from '../store/store.ts'
import { encodeLine, genesis } from './chain.ts'
import { systemCode } from './file-error.ts'
import { syncFolder } from './folder.ts'
import type { SessionPlace } from './session-place.ts'

/** Longer than the few file operations of a removal take. */
export const removalTtlMs = 10_000

/**
 * `renew` extends the remover's lease by `removalTtlMs`; false if it is no longer the session's newest. Calls that must
 * not come too late are synchronous, not in a thread that may wait for a slow disk. Throws `lease-lost`.
 */
export async function removeFiles(
  place: SessionPlace,
  { owner, fence }: Pick<Holder, 'owner' | 'fence'>,
  clock: Clock,
  renew: () => Promise<boolean>,
): Promise<void> {
  const { sessionId, folder, journal, lease } = place
  const since = clock.now()
  const expiresAt = since + removalTtlMs
  const isHeld = () => clock.now() < expiresAt
  const remover = { ...owner, id: removerId(clock.newId()) }
  const empty = { prev: genesis.hash, fence: fence + 1, seq: 0, lease: { owner: remover, since, expiresAt } }
  const temporary = `${lease}.${clock.newId()}.tmp`
  try {
    await writeFile(temporary, encodeLine(empty).bytes, { mode: 0o600, flag: 'wx' })
    if (!(await renew()) || !isHeld()) throw leaseLost(sessionId, fence)
    renameSync(temporary, journal)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncFolder(folder)
  // If this process stalls until another begins a session there, the rest is left to others.
  const blobs = isHeld() ? blobsAside(place, clock.newId()) : undefined
  if (isHeld()) await rm(lease, { force: true })
  if (isHeld()) unlinkSync(journal)
  await syncFolder(folder)
  if (blobs !== undefined) await removeAside(blobs)
}

/** Removes the blobs of a session, for its holder. `id` must be new. */
export async function removeBlobs(place: SessionPlace, id: string): Promise<void> {
  const aside = blobsAside(place, id)
  if (aside !== undefined) await removeAside(aside)
}

/** Deletes what interrupted removals have left in `folder`, which has these names. */
export async function sweep(folder: string, names: readonly string[]): Promise<void> {
  for (const name of names) if (isAside(name)) await removeAside(join(folder, name))
}

const suffix = '.removed'
export const isAside = (name: string): boolean => name.endsWith(suffix)

function blobsAside({ blobs }: SessionPlace, id: string): string | undefined {
  const aside = `${blobs}.${id}${suffix}`
  try {
    renameSync(blobs, aside)
    return aside
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/** A late writer may still add to it, and two processes may remove it at once. */
async function removeAside(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 3, retryDelay: 10 })
}
