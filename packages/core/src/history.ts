/**
 * A session's history: the entries that a fork shares with the sessions it came from, then its own, bodies that are kept
 * apart in place. The one way to read for everything above a store.
 *
 * 1. A fork copies nothing: its journal names a place in another one, and what is up to there comes first.
 * 2. That place is the end of a turn. If it is not there any more, the history is damaged: it is never read as shorter.
 * 3. The lineage is read from the journals, not from heads, and is finite: no circles, and no more than so many.
 */
import { withBlobs } from './blobs.ts'
import { LastgoodError } from './errors.ts'
import type { Entry, Origin } from './journal.ts'
import type { Store } from './store.ts'

export interface HistoryEntry {
  readonly entry: Entry
  /** The session whose journal it is in: of a fork's inherited entries another one than the one that was asked for. */
  readonly sessionId: string
  readonly isInherited: boolean
}

/** Forks of forks: far more than anybody makes by hand, and few enough to read. */
const deepest = 1_000

/** Errors: `journal-corrupt`, `journal-version`, `store-unavailable`. Nothing for a session that is not there. */
export async function* readHistory(store: Store, sessionId: string): AsyncGenerator<HistoryEntry, void, undefined> {
  const lineage = await lineageOf(store, sessionId)
  for (const origin of lineage) {
    for await (const entry of upTo(store, sessionId, origin)) {
      yield { entry, sessionId: origin.sessionId, isInherited: true }
    }
  }
  for await (const entry of withBlobs(store, sessionId, store.read(sessionId))) {
    yield { entry, sessionId, isInherited: false }
  }
}

/** Of each finished turn of the conversation, the place where it ended: there it can be forked. */
export async function endsOfTurns(history: AsyncIterable<HistoryEntry>): Promise<Map<number, Origin>> {
  const ends = new Map<number, Origin>()
  for await (const { entry, sessionId } of history) {
    if (entry.type === 'turn-ended') ends.set(entry.turn, { sessionId, seq: entry.seq, at: entry.at })
    if (entry.type !== 'rewound') continue
    for (const turn of ends.keys()) if (turn > entry.lastGoodTurn) ends.delete(turn)
  }
  return ends
}

/** The history that a fork at `origin` begins with. */
export async function* inheritedFrom(store: Store, origin: Origin): AsyncGenerator<HistoryEntry, void, undefined> {
  for await (const one of readHistory(store, origin.sessionId)) {
    if (!one.isInherited && one.entry.seq > origin.seq) return
    yield { ...one, isInherited: true }
  }
}

/** The oldest first. */
async function lineageOf(store: Store, sessionId: string): Promise<Origin[]> {
  const lineage: Origin[] = []
  const seen = new Set([sessionId])
  for (let origin = await originOf(store, sessionId); origin; origin = await originOf(store, origin.sessionId)) {
    if (seen.has(origin.sessionId) || lineage.length === deepest) throw endless(sessionId, origin.sessionId)
    seen.add(origin.sessionId)
    lineage.unshift(origin)
  }
  return lineage
}

/** A fork says so before anything else; only that it was opened comes before. */
async function originOf(store: Store, sessionId: string): Promise<Origin | undefined> {
  for await (const entry of store.read(sessionId)) {
    if (entry.type === 'session-forked') return entry.origin
    if (entry.type !== 'session-opened') return undefined
  }
  return undefined
}

async function* upTo(store: Store, child: string, origin: Origin): AsyncGenerator<Entry, void, undefined> {
  const { sessionId, seq, at } = origin
  const isIt = (entry: Entry): boolean => entry.type === 'turn-ended' && entry.at === (at ?? entry.at)
  let last: Entry | undefined
  for await (const entry of withBlobs(store, sessionId, store.read(sessionId))) {
    last = entry
    if (entry.seq === seq && !isIt(entry)) break
    yield entry
    if (entry.seq >= seq) break
  }
  if (last?.seq === seq && isIt(last)) return
  const what = last === undefined ? 'is not there' : 'is not the journal that it was'
  throw new LastgoodError(
    'journal-corrupt',
    `session ${child} goes on from entry ${seq} of session ${sessionId}, which ${what}`,
    {
      hint: `restore ${sessionId} in ${store.location} from a copy, or from a file: lastgood import <file> --as ${sessionId}`,
      details: { sessionId: child, origin },
    },
  )
}

function endless(sessionId: string, ancestor: string): LastgoodError {
  return new LastgoodError('journal-corrupt', `session ${sessionId}: its forks go in a circle at session ${ancestor}`, {
    hint: `restore ${ancestor} from a copy; its own entries are shown by: lastgood show ${ancestor} --raw`,
    details: { sessionId, ancestor },
  })
}
