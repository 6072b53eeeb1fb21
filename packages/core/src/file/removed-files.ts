/**
 * Removing the files of one session, so that a crash at any point leaves either all of it or nothing that is listed.
 *
 * 1. A journal without entries takes the place of the journal, in one step: from there on the session is gone. It is
 *    under a lease of the remover, so nobody begins a session of that name while the rest goes.
 * 2. Blobs are renamed out of the way and then deleted, which may take longer than a lease.
 * 3. What a crash leaves is `*.removed`, which is nobody's and goes with any removal, or that empty journal. Who begins a
 *    session there is rid of the old blobs first.
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

/** More than the few file operations of a removal take. */
export const removalTtlMs = 10_000

/**
 * `renew` says whether `held` is still the newest lease of the session, and will be for as long. What must not come too
 * late is done at once, not in a thread that may have to wait for a slow disk. Throws `lease-lost`.
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
  // This process may stand still for so long that somebody begins a session there: then the rest is left to others.
  const blobs = isHeld() ? blobsAside(place, clock.newId()) : undefined
  if (isHeld()) await rm(lease, { force: true })
  if (isHeld()) unlinkSync(journal)
  await syncFolder(folder)
  if (blobs !== undefined) await removeAside(blobs)
}

/** Removes the blobs of a session, for who holds it. `id` must be new. */
export async function removeBlobs(place: SessionPlace, id: string): Promise<void> {
  const aside = blobsAside(place, id)
  if (aside !== undefined) await removeAside(aside)
}

/** What removals that were cut have left in `folder`, which has these names. */
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

/** A late writer may still add to it; and two may remove it at once. */
async function removeAside(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 3, retryDelay: 10 })
}
