/**
 * What endangers the promises in a folder of sessions, for people. Reads only. Every journal is read and verified
 * whole, because damage found early can still be mended from a copy.
 */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isLastgoodError } from '../errors.ts'
import type { Finding } from '../store/store.ts'
import { accessFindings } from './access-findings.ts'
import { shellWord } from '../shell-word.ts'
import { onPath } from './file-error.ts'
import { fileSystemOf, otherPlaces, statsOfFileSystem, whyRefused } from './volume.ts'
import { namesIn } from './folder.ts'
import type { TornTail } from './journal-file.ts'
import { isLeft } from './removed-files.ts'
import { placeOf, sessionIdOfJournal } from './session-place.ts'

/** The findings on a session that can be read. */
export interface Examined {
  torn: TornTail | undefined
  /** Without an entry: just begun, or its removal was interrupted. */
  isEmpty: boolean
}

/** `examine` reads all of a session, and throws if it is damaged. */
export async function fileFindings(
  dir: string,
  examine: (sessionId: string) => Promise<Examined>,
  now: number,
): Promise<Finding[]> {
  const sessions = join(dir, 'sessions')
  return onPath(dir, async () => {
    const ids = (await namesIn(sessions)).flatMap((name) => sessionIdOfJournal(name) ?? [])
    const journals = await journalFindings(sessions, ids, examine)
    return [
      ...(await fileSystemFindings(dir)),
      ...(await accessFindings(dir)),
      ...journals.found,
      ...(await leftoverFindings(dir, now, journals.empty)),
    ]
  })
}

const mebibyte = 1024 * 1024
/** A request to the Messages API has up to 32 MB, and all that is new in it is recorded before it is sent. */
const largestTurnBytes = 32 * mebibyte
const scarceBytes = 10 * largestTurnBytes
/** A session has three files, and replacing one takes a fourth. */
const scarceFiles = 100

async function fileSystemFindings(dir: string): Promise<Finding[]> {
  const stats = await statsOfFileSystem(dir)
  const found: Finding[] = []
  const { name, trust } = fileSystemOf(stats.type) ?? { name: '', trust: 'sound' }
  if (trust === 'refused') {
    const [what, risk] = [`${dir} is on ${name}, a network file system`, `${whyRefused(name)} (P1, P3)`]
    found.push({ severity: 'danger', what, risk, mend: otherPlaces })
  } else if (trust === 'doubtful') {
    const risk =
      'unless its appends are atomic for all hosts that write there, two writers can damage a journal (P1, P3)'
    found.push({
      severity: 'warning',
      what: `${dir} is on ${name}, whose guarantees lastgood does not know`,
      risk,
      mend: otherPlaces,
    })
  } else if (trust === 'volatile') {
    const ends =
      name === 'overlay' ? 'this container is replaced, unless the folder is a volume' : 'the machine restarts'
    const risk = `what was acknowledged is gone when ${ends} (P1)`
    found.push({ severity: 'warning', what: `${dir} is on ${name}`, risk, mend: otherPlaces })
  } else if (trust === 'linkless') {
    const risk =
      'nothing is shared about a provider: while it is down, every process asks it by itself (P8); sessions are safe'
    found.push({ severity: 'warning', what: `${dir} is on ${name}, which has no hard links`, risk, mend: otherPlaces })
  }

  const free = stats.bavail * stats.bsize
  if (free < scarceBytes) {
    found.push({
      severity: free < largestTurnBytes ? 'danger' : 'warning',
      what: `${Math.floor(free / mebibyte)} MiB are free on the disk of ${dir}`,
      risk: 'one large turn may need 32 MiB; on a full disk sessions stop, but lose nothing that was acknowledged (P5)',
      mend: 'free some space there, or choose another disk: --store file:<folder>',
    })
  }
  // Some file systems have no such limit, and say 0 of 0.
  if (stats.files > 0 && stats.ffree < scarceFiles) {
    found.push({
      severity: 'danger',
      what: `only ${stats.ffree} more files fit on the disk of ${dir} (inodes)`,
      risk: 'without free inodes no session can start or renew its lease (P5)',
      mend: 'delete files there, or choose another disk: --store file:<folder>',
    })
  }
  return found
}

async function journalFindings(
  sessions: string,
  ids: readonly string[],
  examine: (sessionId: string) => Promise<Examined>,
): Promise<{ found: Finding[]; empty: string[] }> {
  const found: Finding[] = []
  const empty: string[] = []
  for (const id of ids) {
    try {
      const { torn, isEmpty } = await examine(id)
      if (isEmpty) empty.push(id)
      if (!torn) continue
      found.push({
        severity: 'info',
        what: `${placeOf(sessions, id).journal} ends in ${torn.bytes} bytes of an interrupted append (a crash, a full disk)`,
        risk: 'none: they were never acknowledged and are ignored',
        mend: 'nothing to do; the next append continues after them',
      })
    } catch (error) {
      if (!isLastgoodError(error)) throw error
      // Another user's file: reported once for all of them.
      if (error.details['code'] === 'EACCES') continue
      const risk = `session ${id} cannot be continued (P1)`
      found.push({ severity: 'danger', what: error.message, risk, mend: error.hint })
    }
  }
  return { found, empty }
}

/** A write takes moments: a temporary file this old was left by a crash. */
const leftoverMs = 3_600_000

async function leftoverFindings(dir: string, now: number, empty: readonly string[]): Promise<Finding[]> {
  const [sessions, shared] = [join(dir, 'sessions'), join(dir, 'shared')]
  const names = await namesIn(sessions)
  const blobs = names.filter((name) => name.endsWith('.blobs')).map((name) => join(sessions, name))
  const isOld = (path: string) => isOlder(path, now - leftoverMs)
  const [ofSessions, ofShared] = [
    await oldTemporaries([sessions, ...blobs], isOld),
    await oldTemporaries([shared], isOld),
  ]
  const count = ofSessions + ofShared
  const found: Finding[] = []
  if (count > 0) {
    // Anything else in `dir` is not the store's.
    const folders = [...(ofSessions > 0 ? [sessions] : []), ...(ofShared > 0 ? [shared] : [])]
    found.push({
      severity: 'info',
      what: `${count} temporary file${count === 1 ? '' : 's'} in ${dir}, left by a crash`,
      risk: 'none but the space they take',
      mend: `find ${folders.map(shellWord).join(' ')} -type f -name '*.tmp' -mmin +60 -delete`,
    })
  }
  const journals = new Set(names.filter((name) => name.endsWith('.jsonl')).map((name) => join(sessions, name)))
  const begun = new Set(empty.map((id) => placeOf(sessions, id).journal))
  for (const folder of blobs) {
    const journal = `${folder.slice(0, -'.blobs'.length)}.jsonl`
    if (journals.has(journal) && !(begun.has(journal) && (await isOld(folder)))) continue
    if ((await namesIn(folder)).length === 0) continue
    found.push({
      severity: 'warning',
      what: `${folder} belongs to no session: a removal was interrupted, or the journal is missing`,
      risk: 'it holds content of a session that is no longer listed',
      mend: `restore the journal from a copy, or: rm -r ${shellWord(folder)}`,
    })
  }
  for (const folder of names.filter((name) => isLeft(name, now)).map((name) => join(sessions, name))) {
    found.push({
      severity: 'warning',
      what: `${folder} is left of a removal that was interrupted`,
      risk: 'it may hold content of a session that is no longer listed',
      mend: `rm -r ${shellWord(folder)}`,
    })
  }
  return found
}

async function oldTemporaries(folders: readonly string[], isOld: (path: string) => Promise<boolean>): Promise<number> {
  let count = 0
  for (const folder of folders) {
    for (const name of await namesIn(folder)) if (name.endsWith('.tmp') && (await isOld(join(folder, name)))) count += 1
  }
  return count
}

async function isOlder(path: string, instant: number): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  return found !== undefined && found.mtimeMs < instant
}
