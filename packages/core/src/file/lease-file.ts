/**
 * The small file beside a journal that says who holds the session and until when. Advisory: it spares the journal a line
 * for every renewal, and readers a search for the holder. The journal alone decides whether a writer may write, so a
 * lost, old or unreadable lease file costs at most an unnecessary takeover.
 *
 * It also remembers the journal's last entry when it was written. A journal that was cut back cannot show this: what is
 * left of it is sound. The memory is bound to one file, by its inode, so a copy put in its place is taken as it is.
 *
 * It is written under a temporary name of its lease, which the next holder deletes before it writes its own. So a writer
 * that stood still before the rename finds nothing to rename.
 */
import { rename, rm, writeFile } from 'node:fs/promises'
import type { Owner } from '../journal/journal.ts'
import { isRecord } from '../json.ts'
import { sha256 } from '../sha256.ts'
import type { Holder } from '../store/store.ts'
import { type LeaseLine, type Line, type Tip, genesis } from './chain.ts'
import { cutBack, fileError, onPath, systemCode } from './file-error.ts'
import { readText } from './folder.ts'
import { tail } from './journal-file.ts'
import type { JournalHandle } from './open-file.ts'
import type { SessionPlace } from './session-place.ts'

/** The hashed values: a flipped bit must not make a lease endless, or a sound journal seem cut back. */
interface LeaseFile {
  v: 1
  owner: Owner
  fence: number
  since: number
  expiresAt: number
  /** Released before it expired. */
  released: boolean
  /** The journal, and its last entry at the time of writing. */
  journal: { file: string; seq: number }
}

export interface RecordedLease {
  holder: Holder
  released: boolean
  /** What the lease file remembers of a journal. */
  remembered?: LeaseFile['journal'] | undefined
  /** Whose lease the lease file is about. */
  inFile?: Holder | undefined
}

/**
 * The lease that covers `tip`, the last counted line of the journal's first `size` bytes, live or not; undefined if
 * there never was one. Those bytes are searched if the lease file is about another lease and `lease`, the line that began
 * this one, is not given. Throws `journal-corrupt` if the lease file remembers a longer journal.
 */
export async function recordedLease(
  handle: JournalHandle,
  place: SessionPlace,
  { size, tip, lease }: { size: number; tip: Omit<Tip, 'hash'>; lease?: LeaseLine | undefined },
): Promise<RecordedLease | undefined> {
  if (tip.fence === 0) return undefined
  const { journal } = place
  const recorded = await leaseWithout(place)
  const remembered = recorded?.remembered
  if (remembered && tip.seq < remembered.seq) await assertNotCut(handle, place, remembered)
  if (recorded?.holder.fence === tip.fence) return recorded
  const began =
    lease ?? newestLease((await tail(handle, journal, size, (lines) => newestLease(lines) !== undefined)).lines)
  const holder = began && { ...began.lease, fence: began.fence }
  return holder && { holder, released: false, remembered, inFile: recorded?.holder }
}

/**
 * The lease by the lease file alone, for a journal that cannot be read. Undefined if there is none or it is unsound: the
 * journal's own lease line serves as well.
 */
export async function leaseWithout({ lease: path }: SessionPlace): Promise<RecordedLease | undefined> {
  try {
    const value: unknown = JSON.parse(await readText(path))
    if (!isLeaseFile(value)) return undefined
    const { owner, fence, since, expiresAt, released, journal } = value
    return { holder: { owner, fence, since, expiresAt }, released, remembered: journal }
  } catch (error) {
    // Missing, or left empty by a power cut.
    if (systemCode(error) === 'ENOENT' || error instanceof SyntaxError) return undefined
    throw fileError(error, path)
  }
}

async function assertNotCut(
  handle: JournalHandle,
  { journal, lease }: SessionPlace,
  { file, seq }: LeaseFile['journal'],
): Promise<void> {
  if (file !== (await fileOf(handle))) return
  // Others may have written both files since; the journal is written first, so its new size shows now.
  const { size } = await handle.stat()
  const tip = (await tail(handle, journal, size, () => true)).lines.at(-1) ?? genesis
  if (tip.seq < seq) throw cutBack(journal, lease, tip.seq, seq)
}

/** Without the device, whose number may change at every boot. */
async function fileOf(handle: JournalHandle): Promise<string> {
  const { ino, birthtimeMs } = await handle.stat()
  return `${ino} ${birthtimeMs}`
}

/**
 * The lease's holder, unless it was released or has expired. A lease with more than twice its ttl left was written
 * while the clock was ahead: a live holder has renewed it within a third of the ttl, and a dead one would keep the
 * session until the clock catches up.
 */
export function liveHolder(lease: RecordedLease | undefined, now: number): Holder | null {
  if (!lease || lease.released) return null
  const { since, expiresAt } = lease.holder
  return expiresAt > now && expiresAt - now <= 2 * (expiresAt - since) ? lease.holder : null
}

export function newestLease(lines: readonly Line[]): LeaseLine | undefined {
  return lines.findLast((line): line is LeaseLine => 'lease' in line)
}

export interface LeaseWrite {
  /** The last entry that is surely on disk. */
  seq: number
  isNewest: () => Promise<boolean>
  /** The lease before, for the first write of a new one. */
  before?: RecordedLease | undefined
}

/**
 * Replaces the file in one step, unless the lease is no longer the newest: an earlier lease must not overwrite what a
 * later one wrote, its release for instance. Returns whether it was replaced.
 */
export async function writeLeaseFile(
  handle: JournalHandle,
  { lease: path }: SessionPlace,
  { holder, released, remembered }: RecordedLease,
  { seq, isNewest, before }: LeaseWrite,
): Promise<boolean> {
  const temporary = temporaryOf(path, holder)
  const file = await fileOf(handle)
  const known = remembered?.file === file ? Math.max(remembered.seq, seq) : seq
  const content: LeaseFile = { v: 1, ...holder, released, journal: { file, seq: known } }
  return onPath(path, async () => {
    for (const one of [before?.holder, before?.inFile]) if (one) await rm(temporaryOf(path, one), { force: true })
    try {
      for (;;) {
        await writeFile(temporary, JSON.stringify({ ...content, hash: hashOf(content) }), { mode: 0o600, flag: 'w' })
        if (!(await isNewest())) break
        if (await renamed(temporary, path)) return true
      }
      await rm(temporary, { force: true })
      return false
    } catch (error) {
      // Otherwise a full disk would collect one of these with every renewal.
      await rm(temporary, { force: true })
      throw error
    }
  })
}

/** The same for every write of one lease. */
function temporaryOf(path: string, { fence, owner }: Holder): string {
  return `${path}.${fence}-${sha256(owner.id).slice(0, 16)}.tmp`
}

/** False if it was deleted meanwhile. */
async function renamed(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to)
    return true
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
    return false
  }
}

/** With the right hash it is what this module wrote, field by field. */
function isLeaseFile(value: unknown): value is LeaseFile {
  if (!isRecord(value) || value['v'] !== 1 || !isRecord(value['owner']) || !isRecord(value['journal'])) return false
  return value['hash'] === hashOf(value as unknown as LeaseFile)
}

/** Hashes the values in a fixed order: in a copy of the object the order may differ. */
function hashOf({ v, owner, fence, since, expiresAt, released, journal }: LeaseFile): string {
  const { id, host, realm, pid } = owner
  const values = [v, id, host, realm, pid, fence, since, expiresAt, released, journal.file, journal.seq]
  return sha256(JSON.stringify(values))
}
