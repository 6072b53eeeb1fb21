/**
 * A session's history: the entries that a fork shares with its ancestors, then its own, with bodies from blobs in
 * place. Everything above a store reads this way.
 *
 * 1. A fork copies nothing: its journal names a place in another journal, and the entries up to there come first.
 * 2. That place is the end of a turn. If it is missing, the history is damaged: it is never read as a shorter one.
 * 3. The lineage is read from the journals, not from heads, and is finite: no cycles, at most `deepest` ancestors.
 */
import { withBlobs } from './blobs.ts'
import { chunksOf, inChunks } from './chunked.ts'
import { LastgoodError } from '../errors.ts'
import type { Entry, Origin } from '../journal/journal.ts'
import type { Store } from './store.ts'

export interface HistoryEntry {
  readonly entry: Entry
  /** The session whose journal holds it: for the inherited entries of a fork, an ancestor. */
  readonly sessionId: string
  readonly isInherited: boolean
}

/** Forks of forks: far more than anybody makes by hand, yet few enough to read. */
const deepest = 1_000

/** Errors: `journal-corrupt`, `journal-version`, `store-unavailable`. Nothing for a session that is not there. */
export function readHistory(store: Store, sessionId: string): AsyncIterable<HistoryEntry> {
  return inChunks(async function* () {
    const own = chunksOf(withBlobs(store, sessionId, store.read(sessionId)))[Symbol.asyncIterator]()
    try {
      const { origin, entries } = await beginningOf(own)
      for (const one of await lineageOf(store, sessionId, origin)) {
        for await (const some of upTo(store, sessionId, one)) yield some.map(from(one.sessionId, true))
      }
      yield entries.map(from(sessionId, false))
      for (let part = await own.next(); !part.done; part = await own.next()) {
        yield part.value.map(from(sessionId, false))
      }
    } finally {
      await own.return?.()
    }
  })
}

function from(sessionId: string, isInherited: boolean): (entry: Entry) => HistoryEntry {
  return (entry) => ({ entry, sessionId, isInherited })
}

/** Where each finished turn of the conversation ended: the places where it can be forked. */
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

/** Oldest first. */
async function lineageOf(store: Store, sessionId: string, parent: Origin | undefined): Promise<Origin[]> {
  const lineage: Origin[] = []
  const seen = new Set([sessionId])
  for (let origin = parent; origin; origin = await originOf(store, origin.sessionId)) {
    if (seen.has(origin.sessionId) || lineage.length === deepest) throw endless(sessionId, origin.sessionId)
    seen.add(origin.sessionId)
    lineage.unshift(origin)
  }
  return lineage
}

async function originOf(store: Store, sessionId: string): Promise<Origin | undefined> {
  const own = chunksOf(store.read(sessionId))[Symbol.asyncIterator]()
  try {
    return (await beginningOf(own)).origin
  } finally {
    await own.return?.()
  }
}

/** The first entries of a journal. In a fork, `session-forked` comes first; only `session-opened` may precede it. */
async function beginningOf(
  own: AsyncIterator<readonly Entry[]>,
): Promise<{ origin: Origin | undefined; entries: readonly Entry[] }> {
  const entries: Entry[] = []
  for (let part = await own.next(); !part.done; part = await own.next()) {
    for (const entry of part.value) entries.push(entry)
    const telling = entries.find(({ type }) => type !== 'session-opened')
    if (telling) return { origin: telling.type === 'session-forked' ? telling.origin : undefined, entries }
  }
  return { origin: undefined, entries }
}

async function* upTo(
  store: Store,
  child: string,
  { sessionId, seq, at }: Origin,
): AsyncGenerator<readonly Entry[], void, undefined> {
  const isIt = (entry: Entry | undefined): boolean =>
    entry?.type === 'turn-ended' && entry.seq === seq && entry.at === (at ?? entry.at)
  let last: Entry | undefined
  for await (const some of chunksOf(withBlobs(store, sessionId, store.read(sessionId)))) {
    const inherited = some.filter((entry) => entry.seq <= seq)
    last = inherited.at(-1) ?? last
    if (last?.seq === seq && !isIt(last)) inherited.pop()
    yield inherited
    if (last?.seq === seq || inherited.length < some.length) break
  }
  if (isIt(last)) return
  const what = last === undefined ? 'is not there' : 'is no longer the same journal'
  throw new LastgoodError(
    'journal-corrupt',
    `session ${child} continues from entry ${seq} of session ${sessionId}, which ${what}`,
    {
      hint: `restore ${sessionId} in ${store.location} from a copy, or from a file: lastgood import <file> --as ${sessionId}`,
      details: { sessionId: child, origin: { sessionId, seq, at } },
    },
  )
}

function endless(sessionId: string, ancestor: string): LastgoodError {
  return new LastgoodError('journal-corrupt', `session ${sessionId}: its forks form a cycle at session ${ancestor}`, {
    hint: `restore ${ancestor} from a copy; its own entries are shown by: lastgood show ${ancestor} --raw`,
    details: { sessionId, ancestor },
  })
}
