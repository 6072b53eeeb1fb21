/**
 * The small file beside a journal that says who holds the session and until when. Advisory: it spares the journal a line
 * for every renewal, and readers a search for the holder. Whether a writer may write is decided by the journal alone, so
 * a lost, old or unreadable lease file costs at most a takeover that was not needed.
 */
import { type FileHandle, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { z } from 'zod'
import { ownerSchema } from '../journal.ts'
import type { Holder } from '../store.ts'
import type { LeaseLine, Line } from './chain.ts'
import { systemCode } from './file-error.ts'
import { tail } from './journal-file.ts'
import type { SessionPlace } from './session-place.ts'

const leaseFileSchema = z.strictObject({
  v: z.literal(1),
  owner: ownerSchema,
  fence: z.number(),
  since: z.number(),
  expiresAt: z.number(),
  /** Given back before it ran out. */
  released: z.boolean(),
})

export interface RecordedLease {
  holder: Holder
  released: boolean
}

/**
 * The lease with this fence, the journal's newest, live or not; undefined when there was never one. The journal's first
 * `end` bytes are searched when the lease file does not speak of it and `line`, which began it, is not at hand.
 */
export async function recordedLease(
  handle: FileHandle,
  { journal, lease }: SessionPlace,
  end: number,
  fence: number,
  line?: LeaseLine,
): Promise<RecordedLease | undefined> {
  if (fence === 0) return undefined
  const { data } = leaseFileSchema.safeParse(await jsonIn(lease))
  if (data?.fence === fence) {
    const { v: _, released, ...holder } = data
    return { holder, released }
  }
  const began =
    line ?? newestLease((await tail(handle, journal, end, (lines) => newestLease(lines) !== undefined)).lines)
  return began && { holder: { ...began.lease, fence: began.fence }, released: false }
}

/** Its holder, unless it was given back or ran out. */
export function liveHolder(lease: RecordedLease | undefined, now: number): Holder | null {
  return lease && !lease.released && lease.holder.expiresAt > now ? lease.holder : null
}

export function newestLease(lines: readonly Line[]): LeaseLine | undefined {
  return lines.findLast((line): line is LeaseLine => 'lease' in line)
}

/**
 * Replaces the file in one step, unless the lease is not the newest any more: what a later one wrote, that it was given
 * back for instance, is not for an earlier one to overwrite. Whether it was. `id` names the temporary file and must be new.
 */
export async function writeLeaseFile(
  path: string,
  id: string,
  { holder, released }: RecordedLease,
  isNewest: () => Promise<boolean>,
): Promise<boolean> {
  const temporary = `${path}.${id}.tmp`
  try {
    await writeFile(temporary, JSON.stringify({ v: 1, ...holder, released }), { mode: 0o600, flag: 'wx' })
    const written = await isNewest()
    await (written ? rename(temporary, path) : rm(temporary))
    return written
  } catch (error) {
    // Or a full disk would gather one of these with every renewal.
    await rm(temporary, { force: true })
    throw error
  }
}

async function jsonIn(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch (error) {
    // Not there, or left empty by a power cut: the journal's own lease line is as good.
    if (systemCode(error) === 'ENOENT' || error instanceof SyntaxError) return undefined
    throw error
  }
}
