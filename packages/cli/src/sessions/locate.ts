/** Which session an argument means, and where it is. */
import {
  helpedBy,
  isJournalError,
  isLastgoodError,
  LastgoodError,
  readFleetAgents,
  shellWord,
  type Store,
} from '@lastgood/core'
import type { SetUp } from '../common-options.ts'
import type { CliContext } from '../context.ts'
import { nearest } from '../nearest.ts'
import type { OpenStore, StoreChoice } from '../stores.ts'
import { elsewhere, type Elsewhere } from './elsewhere.ts'
import { noteOfFolder, resumeCommandFor, rowOf, sessionRows, type SessionRow } from './session-row.ts'
import { commandLine } from '../text.ts'

/** Where a command looks. */
type Place = Pick<SetUp, 'choices' | 'configFlag'>
type Here = Pick<CliContext, 'cwd' | 'stderr' | 'clock'>

export interface Located {
  readonly opened: OpenStore
  readonly row: SessionRow
}

/**
 * The session that `argument` names in the first store. `last` is the one written last, of this folder if it has any:
 * agents of other projects have the same names. Closes the store when it throws. Errors: `session-not-found`, which
 * names other stores that have it.
 *
 * `commands`: given by `resume` alone, the commands that its argument may have meant instead. `resume` also warns about
 * a session of another folder itself; for all other commands this function does.
 */
export async function locate(
  { cwd, stderr, clock }: Here,
  place: Place,
  argument: string,
  commands: readonly string[] = [],
): Promise<Located> {
  const [choice] = place.choices
  const opened = await choice.open()
  const now = clock.now()
  try {
    const { row, later } =
      argument === 'last' ? await newest(opened.store, cwd, now) : { row: await named(opened.store, argument, now) }
    if (row) {
      if (later) stderr.write(`note: written later, in a folder that is not known: ${later.head.sessionId}\n`)
      const note = argument === 'last' && commands.length === 0 ? noteOfFolder(row.head, cwd) : undefined
      if (note !== undefined) stderr.write(`${note}\n`)
      return { opened, row }
    }
    throw await notFound(opened.store, argument, place, commands, now)
  } catch (error) {
    await opened.close()
    throw error
  }
}

/** Runs `work` with the session that `argument` names, and closes its store. Errors: those of `locate`. */
export async function withSession(
  here: Here,
  place: Place,
  argument: string,
  work: (store: Store, row: SessionRow) => Promise<void>,
): Promise<void> {
  const { opened, row } = await locate(here, place, argument)
  try {
    await work(opened.store, row)
  } finally {
    await opened.close()
  }
}

/**
 * The journal that `argument` names, for read-only commands: even one whose head cannot be read, so that the part
 * before the damage can be shown.
 */
export async function locateJournal(
  here: Here,
  place: Place,
  argument: string,
): Promise<{ opened: OpenStore; sessionId: string; row: SessionRow | undefined }> {
  try {
    const { opened, row } = await locate(here, place, argument)
    return { opened, sessionId: row.head.sessionId, row }
  } catch (error) {
    const isDamaged = isLastgoodError(error, 'journal-corrupt') || isLastgoodError(error, 'journal-version')
    if (!isDamaged || argument === 'last') throw error
    return { opened: await place.choices[0].open(), sessionId: argument, row: undefined }
  }
}

async function named(store: Store, sessionId: string, now: number): Promise<SessionRow | undefined> {
  const summary = await store.summary(sessionId)
  return summary && rowOf(summary, await readFleetAgents(store.shared, now))
}

/** `later`: one that was written after it, and may be of this folder, too: that of a client of `lastgood gateway`. */
async function newest(
  store: Store,
  cwd: string,
  now: number,
): Promise<{ row: SessionRow | undefined; later?: SessionRow | undefined }> {
  const { rows, failure } = await sessionRows(store, now)
  // The damaged session may be the newest: going on with another could surprise.
  if (isJournalError(failure)) {
    const { code, message, hint: shows, cause, details } = failure
    const hint = `name the session, as in lastgood list --all; ${shows}`
    throw new LastgoodError(code, message, { hint, cause, details })
  }
  if (failure !== undefined) throw failure
  const here = newestOf(rows.filter(({ head }) => head.cwd === cwd))
  if (!here) return { row: newestOf(rows) }
  const isLater = ({ head }: SessionRow) => head.cwd === undefined && head.updatedAt > here.head.updatedAt
  return { row: here, later: newestOf(rows.filter(isLater)) }
}

function newestOf(rows: readonly SessionRow[]): SessionRow | undefined {
  return rows
    .filter(({ head }) => helpedBy(head) === undefined)
    .reduce<SessionRow | undefined>(
      (best, one) => (best && best.head.updatedAt >= one.head.updatedAt ? best : one),
      undefined,
    )
}

async function notFound(
  store: Store,
  sessionId: string,
  place: Place,
  commands: readonly string[],
  now: number,
): Promise<LastgoodError> {
  const [{ flag }, ...others] = place.choices
  const flags = [flag, place.configFlag]
  if (sessionId === 'last') return noneYet(store.location, await elsewhere(place, store.location))
  // Only `resume` suggests resuming another session: that costs.
  const isResume = commands.length > 0
  const commandFor = (id: string, at: readonly string[]) =>
    isResume ? resumeCommandFor(id, at) : commandLine('lastgood show', shellWord(id), ...at)
  const known = await whereElse(sessionId, store.location, others, (flag) =>
    commandFor(sessionId, [flag, place.configFlag]),
  )
  const { rows } = await sessionRows(store, now)
  const id = nearest(
    sessionId,
    rows.map(({ head }) => head.sessionId),
  )
  const command = nearest(sessionId, commands)
  const hint =
    known.hint ??
    (command !== undefined && (id === undefined || command === sessionId)
      ? `did you mean ${command}? lastgood ${command}`
      : id === undefined
        ? `see what is there: ${commandLine('lastgood list --all', ...flags)}`
        : `did you mean ${id}? ${commandFor(id, flags)}`)
  return new LastgoodError('session-not-found', `no session ${sessionId} in ${store.location}${known.text}`, {
    hint,
    details: { sessionId, location: store.location },
  })
}

/** `other`: a place that has some. */
export function noneYet(location: string, other: Elsewhere | undefined): LastgoodError {
  return new LastgoodError('session-not-found', `no session yet in ${location}`, {
    hint: other
      ? `there are some in ${other.place}: ${commandLine('lastgood list', ...other.flags)}`
      : 'sessions appear here once a program has run one: lastgood demo shows how; another store: --store <url>',
    details: { location },
  })
}

/** What the other configured stores know of the session. A store that cannot be asked is named, not taken for empty. */
async function whereElse(
  sessionId: string,
  here: string,
  others: readonly StoreChoice[],
  commandAt: (flag: string) => string,
): Promise<{ text: string; hint?: string }> {
  let text = ''
  let hint: string | undefined
  for (const choice of others) {
    try {
      const { store, close } = await choice.open()
      try {
        if (store.location === here || !(await store.summary(sessionId))) continue
        text += `; it is in ${store.location} (${choice.source})`
        hint ??= commandAt(choice.flag || `--store ${shellWord(store.location)}`)
      } finally {
        await close()
      }
    } catch (error) {
      const why = isLastgoodError(error) ? error.code : 'failed'
      text += `; the store of ${choice.source} could not be asked (${why})`
    }
  }
  return hint === undefined ? { text } : { text, hint }
}
