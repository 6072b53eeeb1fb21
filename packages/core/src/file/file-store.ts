/**
 * The embedded default store: for each session one append-only file of hash-chained JSON lines, readable by `tail` and
 * `jq`.
 *
 *     <dir>/sessions/fix-auth.jsonl       the journal (see `chain.ts`)
 *     <dir>/sessions/fix-auth.lease       its holder, advisory (see `lease-file.ts`)
 *     <dir>/sessions/fix-auth.blobs/      bodies too large for a line (see `blob-files.ts`)
 *     <dir>/sessions/*.removed/           what is being removed (see `removed-files.ts`)
 *     <dir>/shared/                       what all sessions share (see `shared-files.ts`)
 *
 * It needs a local file system, where O_APPEND writes are atomic: NFS and the like are refused (see `volume.ts`).
 * Several processes may share a folder: leases depend on their clocks, the fence in the chain does not. To move a
 * session, export it.
 */
import { constants, statSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { inChunks } from '../store/chunked.ts'
import { type Clock, systemClock } from '../clock.ts'
import { isLastgoodError } from '../errors.ts'
import { type Entry, parseEntry } from '../journal/journal.ts'
import { type LeftOut, listError } from '../store/left-out.ts'
import { thisOwner } from '../store/owner.ts'
import {
  type Busy,
  type Lease,
  type SessionSummary,
  type Store,
  assertBlobName,
  matchesFilter,
  sessionBusy,
} from '../store/store.ts'
import { readBlobFile } from './blob-files.ts'
import { fileError, onPath } from './file-error.ts'
import { assertSoundFileSystem } from './volume.ts'
import { type Examined, fileFindings } from './findings.ts'
import { namesIn, openIfThere, statOfFile } from './folder.ts'
import { type TornTail, linesAfter } from './journal-file.ts'
import { leaseWithout, liveHolder } from './lease-file.ts'
import { isLeft, openRemoval, removalTtlMs, removeFiles, removeFolder } from './removed-files.ts'
import { openForLook } from './open-file.ts'
import { type SessionPlace, placeOf, sessionIdOfJournal } from './session-place.ts'
import { summaryIn } from './session-summary.ts'
import { type SessionWriter, sessionWriter } from './session-writer.ts'
import { sharedFiles } from './shared-files.ts'
import { stateDir } from './state-dir.ts'

/** The end of a journal was written only in part (a crash, a full disk) and is left out: it was never acknowledged. */
export interface TornTailWarning {
  kind: 'torn-tail'
  sessionId: string
  file: string
  /** Offset and number of the torn bytes. */
  at: number
  bytes: number
}

export interface FileStoreOptions {
  /** The folder; created when needed. Default: `~/.local/state/lastgood`, whatever the environment says. */
  dir?: string
  /** Default: the system's clock. */
  clock?: Clock
  /** Called with what was left out when a session is acquired or read. Default: none. */
  onWarning?: (warning: TornTailWarning) => void
}

/** Twice the coarsest timestamp of a file system (FAT): an entry may be newer than the ctime of its file. */
const ctimeLagMs = 4_000
/** Sessions of a list read at once: enough to keep the disk busy with few files open. */
const lookedAtOnce = 32

/** Sessions as files in one folder. Nothing to close: no file stays open between calls. */
export function fileStore(options: FileStoreOptions = {}): Store {
  const { clock = systemClock, onWarning } = options
  const dir = resolve(options.dir ?? stateDir({}, homedir()))
  const folder = join(dir, 'sessions')
  /** Writers with a granted lease or a running operation: what they remember spares reading the file again. */
  const writers = new Map<string, { writer: SessionWriter; users: number }>()

  function warn({ sessionId, journal: file }: SessionPlace, torn: TornTail): void {
    onWarning?.({ kind: 'torn-tail', sessionId, file, ...torn })
  }

  function writerOf(sessionId: string): { writer: SessionWriter; users: number } {
    const known = writers.get(sessionId)
    if (known) return known
    const place = placeOf(folder, sessionId)
    const made = { writer: sessionWriter(place, clock, (torn) => warn(place, torn)), users: 0 }
    writers.set(sessionId, made)
    return made
  }

  /** `isOver`: whether, given the result, no lease is out any more. The writer is dropped when nobody else uses it. */
  async function write<T>(
    sessionId: string,
    job: (writer: SessionWriter) => Promise<T>,
    isOver: (result: T, wasKnown: boolean) => boolean = () => false,
  ): Promise<T> {
    const wasKnown = writers.has(sessionId)
    const used = writerOf(sessionId)
    used.users += 1
    try {
      const result = await job(used.writer)
      if (isOver(result, wasKnown) && used.users === 1) writers.delete(sessionId)
      return result
    } finally {
      used.users -= 1
    }
  }

  /**
   * Whether the file's ctime shows that nothing was written since, so that it need not be opened; a copy or a restored
   * file may have any mtime. Synchronous: a promise for each of thousands of files costs more than the calls. Only if
   * the system's clock stamps the entries too.
   */
  function isOlder(path: string, updatedSince: number | undefined): boolean {
    if (updatedSince === undefined || clock !== systemClock) return false
    try {
      return statSync(path).ctimeMs < updatedSince - ctimeLagMs
    } catch {
      return false // it is opened, and that says what is wrong, if it is still there
    }
  }

  let fileSystem: Promise<void> | undefined
  /** Checked once: a folder stays on its file system. */
  function onSoundFileSystem(): Promise<void> {
    fileSystem ??= onPath(folder, () => assertSoundFileSystem(folder)).catch((error: unknown) => {
      fileSystem = undefined
      throw error
    })
    return fileSystem
  }

  async function* entriesOf(
    place: SessionPlace,
    afterSeq: number,
    onTornTail: (torn: TornTail) => void,
  ): AsyncGenerator<readonly Entry[], void, undefined> {
    const handle = await onPath(place.journal, () => openIfThere(place.journal, constants.O_RDONLY))
    if (!handle) return
    try {
      const { size } = await statOfFile(handle, place.journal)
      for await (const lines of linesAfter(handle, place.journal, size, afterSeq, onTornTail)) {
        const entries: Entry[] = []
        try {
          for (const { line, place: where } of lines) {
            for (const value of 'entries' in line ? line.entries : []) {
              if (value.seq > afterSeq) entries.push(parseEntry(value, where))
            }
          }
        } catch (error) {
          // The entries before the damaged one are sound.
          yield entries
          throw error
        }
        yield entries
      }
    } catch (error) {
      throw fileError(error, place.journal)
    } finally {
      await handle.close()
    }
  }

  /** Reads all of a session; throws if it is damaged. */
  async function examine(sessionId: string): Promise<Examined> {
    let torn: TornTail | undefined
    for await (const _ of entriesOf(placeOf(folder, sessionId), 0, (found) => (torn = found))) continue
    return { torn, isEmpty: (await summary(sessionId)) === undefined }
  }

  async function summary(sessionId: string): Promise<SessionSummary | undefined> {
    const place = placeOf(folder, sessionId)
    return onPath(place.journal, async () => {
      const handle = openForLook(place.journal)
      if (!handle) return undefined
      try {
        return await summaryIn(handle, place, clock.now())
      } finally {
        await handle.close()
      }
    })
  }

  /** Names of folders of removals that are over but could not be deleted. */
  const left = new Set<string>()
  /** The owners that have tried to remove the session under a lease. */
  const removers = new WeakMap<Lease, Set<string>>()

  async function removal(sessionId: string, lease?: Lease): Promise<Busy | undefined> {
    const place = placeOf(folder, sessionId)
    const names = await onPath(folder, () => namesIn(folder))
    const over = names.filter((name) => left.has(name) || isLeft(name, clock.now()))
    await onPath(folder, async () => {
      for (const name of over) await removeFolder(join(folder, name))
    })
    if (![place.journal, place.lease, place.blobs].some((path) => names.includes(basename(path)))) return undefined
    // As long as the lease would have been: nobody takes the session before this is tried again.
    const ttlMs = Math.max(removalTtlMs, (lease?.expiresAt ?? 0) - clock.now())
    const opened = await onPath(folder, () => openRemoval(place, clock.now() + ttlMs, clock.newId()))
    const { writer } = writerOf(sessionId)
    let held: Lease | undefined
    try {
      const taken = await heldByRemover(place, opened.ownerId, ttlMs, lease)
      if (taken.kind === 'busy') return taken
      held = taken
      await onPath(place.journal, async () => {
        for (const name of names) if (place.temporary.test(name)) await rm(join(folder, name), { force: true })
        await removeFiles(place, taken, opened.path, () => clock.now())
      })
      writers.delete(sessionId)
      return undefined
    } catch (error) {
      if (held && !lease) await writer.release(held).catch(() => {})
      throw error
    } finally {
      left.add(basename(opened.path))
      await onPath(folder, () => removeFolder(opened.path))
      left.delete(basename(opened.path))
    }
  }

  /** A damaged journal gives no lease. If its lease file shows no writer that has not noticed the damage, one is made up. */
  async function heldByRemover(
    place: SessionPlace,
    id: string,
    ttlMs: number,
    lease: Lease | undefined,
  ): Promise<Lease | Busy> {
    const { sessionId } = place
    const owner = { ...(lease?.owner ?? thisOwner(id)), id }
    if (lease) removers.set(lease, (removers.get(lease) ?? new Set()).add(id))
    const { writer } = writerOf(sessionId)
    try {
      return await writer.acquireToRemove(owner, ttlMs, lease, lease && removers.get(lease))
    } catch (error) {
      if (lease || !isLastgoodError(error, 'journal-corrupt')) throw error
      const [recorded, since] = [await leaseWithout(place), clock.now()]
      const live = liveHolder(recorded, since)
      if (live) return { kind: 'busy', sessionId, ...live }
      const fence = (recorded?.holder.fence ?? 0) + 1
      return { kind: 'lease', sessionId, owner, fence, since, expiresAt: since + ttlMs }
    }
  }

  return {
    location: `file:${dir}`,
    shared: sharedFiles(join(dir, 'shared'), () => clock.newId()),
    journalAt: (sessionId) => placeOf(folder, sessionId).journal,

    async acquire(sessionId, owner, ttlMs, takeover) {
      await onSoundFileSystem()
      const acquire = (writer: SessionWriter) => writer.acquire(owner, ttlMs, takeover)
      for (;;) {
        // A writer that was known may have a lease out, and remembers which bytes may not be on disk.
        const taken = await write(sessionId, acquire, ({ kind }, wasKnown) => kind === 'busy' && !wasKnown)
        if (taken.kind !== 'unfinished') return taken
        const busy = await removal(sessionId)
        if (busy) return busy
      }
    },

    renew: (lease, ttlMs) => write(lease.sessionId, (writer) => writer.renew(lease, ttlMs)),
    release: (lease) =>
      write(
        lease.sessionId,
        (writer) => writer.release(lease, removers.get(lease)),
        () => true,
      ),
    append: (lease, afterSeq, entries, head) =>
      write(lease.sessionId, (writer) => writer.append(lease, afterSeq, entries, head)),

    async putBlob(lease, name, text) {
      assertBlobName(name)
      await write(lease.sessionId, (writer) => writer.putBlob(lease, name, text))
    },

    async readBlob(sessionId, name) {
      const place = placeOf(folder, sessionId)
      assertBlobName(name)
      return onPath(join(place.blobs, name), () => readBlobFile(place, name))
    },

    read: (sessionId, afterSeq = 0) =>
      inChunks(async function* () {
        const place = placeOf(folder, sessionId)
        yield* entriesOf(place, afterSeq, (torn) => warn(place, torn))
      }),

    summary,
    findings: () => fileFindings(dir, examine, clock.now()),

    /** A damaged session does not hide the others: the error is thrown after all others are listed. */
    async *list(filter = {}) {
      const leftOut: LeftOut[] = []
      const names = await onPath(folder, () => namesIn(folder))
      const ids = names
        .filter((name) => name.endsWith('.jsonl') && !isOlder(join(folder, name), filter.updatedSince))
        .flatMap((name) => sessionIdOfJournal(name) ?? [])
      for (let at = 0; at < ids.length; at += lookedAtOnce) {
        const some = await Promise.allSettled(ids.slice(at, at + lookedAtOnce).map(summary))
        for (const [i, one] of some.entries()) {
          if (one.status === 'rejected') leftOut.push({ sessionId: ids[at + i] ?? '', error: one.reason })
          else if (one.value && matchesFilter(one.value, filter)) yield one.value
        }
      }
      if (leftOut.length > 0) throw listError(leftOut)
    },

    async remove(sessionId, lease) {
      const busy = await removal(sessionId, lease)
      if (busy) throw sessionBusy(busy)
    },

    async close() {},
  }
}
