/**
 * Removes the files of one session. No clock takes part in what is safe: however long a remover stands still, it takes
 * nothing that others have written meanwhile.
 *
 *     <dir>/sessions/fix-auth.<until>-<id>.removed/        the folder of one removal
 *
 * 1. The folder is made before the line of its remover's lease is in the journal, and each step of the removal is a
 *    rename out of it or into it. Whoever takes the session after that lease first closes the folder, by renaming it,
 *    and then opens the journal anew. So a step that comes too late finds no folder, and fails.
 * 2. The journal is replaced in one step, by one that has nothing but the remover's lease: from then on the session is
 *    gone. A crash before leaves all of it.
 * 3. The blobs, the lease file and that empty journal follow, in this order: no name is free while blobs are there. A
 *    crash leaves some of them, to be removed before a session of that name begins.
 * 4. A folder that is closed, or whose time has run out, is deleted by any later removal.
 */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Owner } from '../journal/journal.ts'
import { removerId } from '../store/owner.ts'
import { type Holder, leaseLost } from '../store/store.ts'
import { encodeLine, genesis } from './chain.ts'
import { systemCode } from './file-error.ts'
import { syncFolder } from './folder.ts'
import type { SessionPlace } from './session-place.ts'

/** Longer than the few file operations of a removal take. */
export const removalTtlMs = 10_000

/** Makes the folder of a removal. `id` must be new. After `until` others may close it. */
export async function openRemoval(
  place: SessionPlace,
  until: number,
  id: string,
): Promise<{ ownerId: string; path: string }> {
  const path = place.removal(`${until}-${id}`)
  await mkdir(path, { mode: 0o700 })
  return { ownerId: removerId(`${until}-${id}`), path }
}

/** Returns when that remover, whose lease has ended, can move nothing any more. `id` must be new. */
export async function closeRemoval(place: SessionPlace, remover: Owner, id: string): Promise<void> {
  const opened = remover.id.slice(removerId('').length)
  // Others hold a session as removers, too, and have no folder.
  if (!/^\d+-[^/\\]+$/.test(opened)) return
  const closed = place.removal(`0-${id}`)
  await moved(place.removal(opened), closed)
  await removeFolder(closed)
}

/**
 * `held` is the remover's lease, in the journal unless that is damaged, and `removal` its folder. Throws `lease-lost` if
 * that was closed before anything was removed.
 */
export async function removeFiles(
  place: SessionPlace,
  held: Holder,
  removal: string,
  now: () => number,
): Promise<void> {
  const { folder, journal, lease, blobs } = place
  const { owner, fence, since, expiresAt } = held
  const empty = join(removal, 'empty')
  try {
    const line = encodeLine({ prev: genesis.hash, fence, seq: 0, lease: { owner, since, expiresAt } })
    await writeFile(empty, line.bytes, { mode: 0o600, flag: 'wx' })
    // A fork that looks whether its parent is being removed goes by the lease.
    if (now() >= expiresAt) throw leaseLost(place.sessionId, fence)
    await rename(empty, journal)
  } catch (error) {
    throw systemCode(error) === 'ENOENT' ? leaseLost(place.sessionId, fence) : error
  }
  await syncFolder(folder)
  // If the folder is closed by now, the rest is left to who has closed it.
  for (const path of [blobs, lease, journal]) await moved(path, join(removal, basename(path)))
  await syncFolder(folder)
}

/** Without effect if there is no such file, or no folder for it. */
async function moved(from: string, to: string): Promise<void> {
  await rename(from, to).catch((error: unknown) => {
    if (systemCode(error) !== 'ENOENT') throw error
  })
}

/** A late writer may still add to it, and two processes may remove it at once. */
export async function removeFolder(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 3, retryDelay: 10 })
}

/** Whether it is the folder of a removal that is over or was interrupted. */
export function isLeft(name: string, now: number): boolean {
  const until = /\.(\d+)-[^.]+\.removed$/.exec(name)?.[1] ?? 0
  return name.endsWith('.removed') && Number(until) <= now
}
