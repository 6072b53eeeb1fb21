/**
 * Where a session's files are. Ids that differ only in case are different sessions, but many file systems ignore case
 * in names. So a file name is lower case, and `~` with a bit mask in hex marks the upper-case letters: `Fix-Auth` is
 * `fix-auth~11`. (No id has a `~`. Escaping each letter could exceed the 255 bytes that a name may have.)
 */
import { join } from 'node:path'
import { assertSessionId } from '../store/store.ts'

export interface SessionPlace {
  sessionId: string
  folder: string
  /** The journal; the truth. */
  journal: string
  /** Who holds the session; advisory. */
  lease: string
  /** The folder of the texts kept beside the journal; see `blob-files.ts`. */
  blobs: string
  /** Of a removal; see `removed-files.ts`. */
  removal: (id: string) => string
  /** Matches the names of lease files that are not yet in place. */
  temporary: RegExp
}

export function placeOf(folder: string, sessionId: string): SessionPlace {
  assertSessionId(sessionId)
  const stem = stemOf(sessionId)
  const temporary = new RegExp(`^${stem.replaceAll('.', '\\.')}\\.lease\\.[^.]+\\.tmp$`)
  const pathOf = (kind: string) => join(folder, `${stem}.${kind}`)
  const [journal, lease, blobs] = ['jsonl', 'lease', 'blobs'].map(pathOf) as [string, string, string]
  return { sessionId, folder, journal, lease, blobs, temporary, removal: (id) => pathOf(`${id}.removed`) }
}

/** The session whose journal has this file name; undefined if it is not a journal. */
export function sessionIdOfJournal(name: string): string | undefined {
  return name.endsWith('.jsonl') ? sessionIdOf(name.slice(0, -'.jsonl'.length)) : undefined
}

/** The stem of the names of this session's files. */
function stemOf(sessionId: string): string {
  const lower = sessionId.toLowerCase()
  let mask = 0n
  for (let i = 0; i < sessionId.length; i++) if (sessionId[i] !== lower[i]) mask |= 1n << BigInt(i)
  return mask === 0n ? lower : `${lower}~${mask.toString(16)}`
}

function sessionIdOf(stem: string): string | undefined {
  const match = /^([a-z0-9][a-z0-9._-]{0,127})(?:~([0-9a-f]{1,32}))?$/.exec(stem)
  if (!match?.[1]) return undefined
  const mask = BigInt(`0x${match[2] ?? '0'}`)
  const id = Array.from(match[1], (char, i) => (mask & (1n << BigInt(i)) ? char.toUpperCase() : char)).join('')
  return stemOf(id) === stem ? id : undefined
}
