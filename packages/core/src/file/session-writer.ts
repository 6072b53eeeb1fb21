/**
 * Writing one session's journal, while other processes may do the same.
 *
 * 1. One append is one write(2) of one line with O_APPEND, then fdatasync, then a look at the file's size: if it grew
 *    by exactly this line, the line won. Otherwise the lines of other writers are read, and the chain decides.
 * 2. Nothing is acknowledged before fdatasync has returned, and nothing is built on bytes that may not be on disk:
 *    those of other writers, and those of a failed fdatasync. So at most the last counted line and what follows it are
 *    in doubt; they are written again before the next line (see `rewrite.ts`).
 * 3. A losing or torn line stays where it is and never counts.
 * 4. Within this process, operations on a session run one at a time; between processes nobody waits.
 * 5. After a failure, everything known of the file is forgotten and read again.
 */
import { constants, existsSync } from 'node:fs'
import type { Clock } from '../clock.ts'
import type { Entry, Owner } from '../journal/journal.ts'
import { oneAtATime } from '../one-at-a-time.ts'
import { isRemover } from '../store/owner.ts'
import {
  type Busy,
  type Holder,
  type Lease,
  type Store,
  assertAppend,
  journalConflict,
  leaseLost,
} from '../store/store.ts'
import { writeBlobFile } from './blob-files.ts'
import { type Content, type Line, type Tip, encodeLine, genesis } from './chain.ts'
import { onPath, shortWrite } from './file-error.ts'
import { makeFolder, openIfThere, statOfFile, syncFolder } from './folder.ts'
import { type TornTail, growth, reachingBackTo, seqBefore, tail } from './journal-file.ts'
import { type View, after } from './journal-view.ts'
import { type RecordedLease, liveHolder, recordedLease, writeLeaseFile } from './lease-file.ts'
import { type JournalHandle, openForAppend } from './open-file.ts'
import { closeRemoval } from './removed-files.ts'
import { rewrite } from './rewrite.ts'
import type { SessionPlace } from './session-place.ts'

/** The store's operations on one session. */
export interface SessionWriter extends Pick<Store, 'renew' | 'append' | 'putBlob'> {
  acquire(owner: Owner, ttlMs: number, takeover?: number): Promise<Taken>
  /**
   * A lease to remove the session under, whose folder is open (see `removed-files.ts`). With `ours` it succeeds nothing
   * but that lease, or an earlier attempt at the same, which had one of the `removers` as its owner; otherwise
   * `lease-lost`.
   */
  acquireToRemove(owner: Owner, ttlMs: number, ours?: Lease, removers?: ReadonlySet<string>): Promise<Lease | Busy>
  release(lease: Lease, removers?: ReadonlySet<string>): Promise<void>
}

/** Unfinished: there are blobs and no entries, so first the removal of an earlier session is to be brought to its end. */
type Taken = Lease | Busy | { kind: 'unfinished' }

interface Claim {
  owner: Owner
  ttlMs: number
  /** Who refuses it, of the recorded lease and its live holder. */
  refusedBy: (recorded: RecordedLease | undefined, holder: Holder | null) => Holder | null
  toRemove: 'nothing' | 'free' | 'held'
}

export function sessionWriter(place: SessionPlace, clock: Clock, onTornTail: (torn: TornTail) => void): SessionWriter {
  const { sessionId, journal: path } = place
  let known: View | undefined
  /** The lease known not to be released: this spares each append a look at the lease file. */
  let live: Pick<Lease, 'fence' | 'owner'> | undefined
  const inOrder = oneAtATime()

  /** Runs `job` with the open file once earlier operations are done; `whenMissing` if there is no file. */
  function withFile<T>(open: Opening, whenMissing: () => T, job: (handle: JournalHandle) => Promise<T>): Promise<T> {
    return inOrder(() =>
      onPath(path, async () => {
        try {
          const handle = await open()
          if (!handle) return whenMissing()
          try {
            return await job(handle)
          } finally {
            await handle.close()
          }
        } catch (error) {
          known = undefined
          throw error
        }
      }),
    )
  }

  /** The file as it is now; undefined if it was deleted meanwhile. */
  async function look(handle: JournalHandle): Promise<View | undefined> {
    const { dev, ino, birthtimeMs, size, ctimeMs, nlink } = await statOfFile(handle, path)
    if (nlink === 0) return undefined
    const file = `${dev} ${ino} ${birthtimeMs}`
    const old = known?.file === file && known.size <= size ? known : undefined
    const isAsLong = old?.size === size
    if (isAsLong && old.ctimeMs === ctimeMs) return old
    const part = old && !isAsLong && (await growth(handle, old, size))
    const here = { file, size, ctimeMs }
    if (part) return (known = { ...after(old, part.lines), ...here, torn: part.torn, onDisk: old.onDisk })
    const { lines, torn, lastAt } = await tail(handle, path, size, () => true)
    // It was linked, or is on a file system that stamps a write later.
    if (isAsLong && lines.at(-1)?.hash === old.tip.hash) return (known = { ...old, ctimeMs })
    const base = { tip: genesis, recent: [], lease: undefined }
    return (known = { ...after(base, lines), ...here, torn, onDisk: { size: lastAt, seq: seqBefore(lines.at(-1)) } })
  }

  /** Makes durable what `view` shows; false if the file is gone. */
  async function settle(handle: JournalHandle, view: View): Promise<boolean> {
    if (view.onDisk.size === view.size) return true
    if (!(await rewrite(handle, path, view.onDisk.size, view.size))) return false
    view.onDisk = { size: view.size, seq: view.tip.seq }
    return true
  }

  /** Adds a line to what `view` shows; false if the line does not count. */
  async function add(handle: JournalHandle, view: View, content: Content): Promise<boolean> {
    if (!(await settle(handle, view))) return false
    const { hash, bytes } = encodeLine(content)
    const { bytesWritten } = await handle.write(bytes, 0, bytes.length, null)
    if (bytesWritten < bytes.length) throw shortWrite(path, bytesWritten, bytes.length)
    await handle.datasync()
    const { size, ctimeMs, nlink } = await handle.stat()
    if (nlink === 0) return false
    if (size === view.size + bytes.length) {
      const line = { hash, size: 0, v: 1, ...content } as Line
      const here = { file: view.file, size, ctimeMs }
      known = { ...after(view, [line]), ...here, torn: undefined, onDisk: { size, seq: line.seq } }
      return true
    }
    return isNext(handle, view.tip, hash)
  }

  /** Whether the first line to count after `tip` is the one with this hash, however many have followed. */
  async function isNext(handle: JournalHandle, tip: Tip, hash: string): Promise<boolean> {
    const view = await look(handle)
    if (!view || view.recent.includes(hash)) return view !== undefined
    const { lines } = await tail(handle, path, view.size, (some) => some.some(({ prev }) => prev === tip.hash))
    return lines.find(({ prev }) => prev === tip.hash)?.hash === hash
  }

  const leaseIn = (handle: JournalHandle, view: View): Promise<RecordedLease | undefined> =>
    recordedLease(handle, place, view)

  /** The owner of the newest lease: a session that was removed and created again may reuse the old one's fences. */
  const ownerIn = async (handle: JournalHandle, view: View): Promise<string | undefined> =>
    view.lease?.lease.owner.id ?? (await leaseIn(handle, view))?.holder.owner.id

  /** Whether the journal has exactly these entries after `afterSeq`. */
  async function repeats(
    handle: JournalHandle,
    view: View,
    afterSeq: number,
    entries: readonly Entry[],
  ): Promise<boolean> {
    const { lines } = await tail(handle, path, view.size, reachingBackTo(afterSeq))
    const there = lines.flatMap((line) => ('entries' in line ? line.entries : [])).filter(({ seq }) => seq > afterSeq)
    return entries.every((entry, i) => JSON.stringify(entry) === JSON.stringify(there[i]))
  }

  const writeLease = (
    handle: JournalHandle,
    seq: number,
    lease: RecordedLease,
    before?: RecordedLease,
  ): Promise<boolean> =>
    writeLeaseFile(handle, place, lease, {
      seq,
      before,
      isNewest: async () => (await look(handle))?.tip.fence === lease.holder.fence,
    })

  /** The remover whose folder is known to be closed. */
  let shutOut: string | undefined

  /** One attempt; undefined if another line came first or the file is gone, so the caller looks again. */
  async function attempt(
    handle: JournalHandle,
    { owner, ttlMs, refusedBy, toRemove }: Claim,
  ): Promise<Taken | undefined> {
    const view = await look(handle)
    if (!view) return undefined
    const recorded = await leaseIn(handle, view)
    const holder = liveHolder(recorded, clock.now())
    const refusing = refusedBy(recorded, holder)
    if (refusing) return { kind: 'busy', sessionId, ...refusing }
    // By the journal: an old lease file may say otherwise. A remover's lease is its last line.
    const before = view.lease?.lease.owner
    if (before && isRemover(before) && before.id !== shutOut) {
      await closeRemoval(place, before, clock.newId())
      // It may have moved the journal until now, so that is opened anew.
      shutOut = before.id
      return undefined
    }
    if (toRemove === 'nothing' && !holder && view.tip.seq === 0 && existsSync(place.blobs))
      return { kind: 'unfinished' }
    if (view.torn) onTornTail(view.torn)
    const since = clock.now()
    const [fence, expiresAt] = [view.tip.fence + 1, since + ttlMs]
    const content = { prev: view.tip.hash, fence, seq: view.tip.seq, lease: { owner, since, expiresAt } }
    try {
      if (!(await add(handle, view, content))) return undefined
      await syncFolder(place.folder)
      const began = { holder: { owner, fence, since, expiresAt }, released: false }
      await writeLease(handle, view.tip.seq, began, recorded)
    } catch (error) {
      // If this fails too, the lease expires by itself; the caller has to get the first error.
      if (toRemove !== 'held') await giveBack(handle, owner, fence).catch(() => {})
      throw error
    }
    return { kind: 'lease', sessionId, owner: structuredClone(owner), fence, since, expiresAt }
  }

  async function take(claim: Claim & { toRemove: 'free' | 'held' }): Promise<Lease | Busy>
  async function take(claim: Claim): Promise<Taken>
  async function take(claim: Claim): Promise<Taken> {
    await onPath(place.folder, () => makeFolder(place.folder))
    for (;;) {
      const result = await withFile(
        () => openIfThere(path, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT),
        () => undefined,
        (handle) => attempt(handle, claim),
      )
      if (result) return result
    }
  }

  /** Appends an already expired lease, since the lease file cannot be written. */
  async function giveBack(handle: JournalHandle, owner: Owner, fence: number): Promise<void> {
    const [view, since] = [await look(handle), clock.now()]
    if (view?.tip.fence !== fence) return
    const lease = { owner, since, expiresAt: since }
    await add(handle, view, { prev: view.tip.hash, fence: fence + 1, seq: view.tip.seq, lease })
  }

  /** Rewrites the lease file if `lease`, or a removal under it, is still the newest and was not released. */
  function record(
    lease: Lease,
    change: (old: RecordedLease) => RecordedLease,
    removers?: ReadonlySet<string>,
  ): Promise<boolean> {
    return withFile(
      () => openIfThere(path, constants.O_RDONLY),
      () => false,
      async (handle) => {
        const view = await look(handle)
        const old = view && (await leaseIn(handle, view))
        return isOurs(old, lease, removers) && writeLease(handle, view?.onDisk.seq ?? 0, change(old))
      },
    )
  }

  const lost = (lease: Lease) => () => {
    throw leaseLost(sessionId, lease.fence)
  }

  /** The view to build on under `lease`; throws if another writer has the session, or it is gone. */
  async function held(handle: JournalHandle, lease: Lease): Promise<View> {
    const view = await look(handle)
    if (view?.tip.fence !== lease.fence || (await ownerIn(handle, view)) !== lease.owner.id) return lost(lease)()
    if (live?.fence === lease.fence && live.owner.id === lease.owner.id) return view
    const newest = await leaseIn(handle, view)
    if (newest?.released) return lost(lease)()
    live = lease
    return view
  }

  return {
    acquire: (owner, ttlMs, takeover) =>
      take({
        owner,
        ttlMs,
        toRemove: 'nothing',
        refusedBy(_, holder) {
          // A removal goes on to its end.
          const isOpenTo = holder?.fence === takeover && holder !== null && !isRemover(holder.owner)
          return holder?.owner.id === owner.id || isOpenTo ? null : holder
        },
      }),

    acquireToRemove: (owner, ttlMs, ours, removers) =>
      take({
        owner,
        ttlMs,
        toRemove: ours ? 'held' : 'free',
        refusedBy(recorded, holder) {
          if (!ours) return holder
          return isOurs(recorded, ours, removers) && clock.now() < ours.expiresAt ? null : lost(ours)()
        },
      }),

    renew: (lease, ttlMs) =>
      record(lease, (old) => {
        const now = clock.now()
        // In case the clock was set back; see `liveHolder`.
        const since = Math.min(old.holder.since, now)
        return { ...old, holder: { ...old.holder, since, expiresAt: now + ttlMs } }
      }),

    async release(lease, removers) {
      const released = (old: RecordedLease) => {
        live = undefined
        return { ...old, released: true }
      }
      await record(lease, released, removers)
    },

    async append(lease, afterSeq, entries, head) {
      assertAppend(lease, afterSeq, entries, head)
      const { fence } = lease
      return withFile(
        () => openForAppend(path),
        lost(lease),
        async (handle) => {
          for (;;) {
            const view = await held(handle, lease)
            const seq = afterSeq + entries.length
            if (view.tip.seq !== afterSeq) {
              const isRepeat = await repeats(handle, view, afterSeq, entries)
              if (!isRepeat) throw journalConflict(sessionId, afterSeq, view.tip.seq)
              // The first attempt may have failed between its write and its fdatasync.
              if (await settle(handle, view)) return seq
              continue
            }
            if (await add(handle, view, { prev: view.tip.hash, fence, seq, entries: [...entries], head })) return seq
          }
        },
      )
    },

    putBlob: (lease, name, text) =>
      withFile(
        () => openIfThere(path, constants.O_RDONLY),
        lost(lease),
        async (handle) => {
          const assertHeld = () => held(handle, lease)
          await assertHeld()
          await writeBlobFile(place, { name, text }, clock.newId(), assertHeld)
        },
      ),
  }
}

/** Whether this is `lease`, or that of a removal under it, and was not released. */
function isOurs(
  recorded: RecordedLease | undefined,
  { fence, owner }: Lease,
  removers?: ReadonlySet<string>,
): recorded is RecordedLease {
  if (!recorded || recorded.released) return false
  const { holder } = recorded
  return (holder.fence === fence && holder.owner.id === owner.id) || removers?.has(holder.owner.id) === true
}

type Opening = () => JournalHandle | undefined | Promise<JournalHandle | undefined>
