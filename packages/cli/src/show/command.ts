/** `lastgood show`: one session's history. Only `--raw` shows content in full. */
import { Command, Option } from 'commander'
import {
  isJournalError,
  LastgoodError,
  readHistory,
  shellWord,
  withBlobs,
  type Entry,
  type HistoryEntry,
  type Store,
} from '@lastgood/core'
import { sessionWords, setUp, withCommonOptions, type CommonOptions } from '../common-options.ts'
import type { CliContext } from '../context.ts'
import { left } from '../durations.ts'
import { entryFacts } from '../entry-facts.ts'
import { endWith, failureJson, failureOf, type Failure } from '../failure.ts'
import { exampleOf } from '../help-example.ts'
import { expiryText } from '../sessions/expiry.ts'
import { sessionJson } from '../sessions/session-json.ts'
import { savedAt } from '../live/outage-line.ts'
import { counted } from '../numbers.ts'
import { turnOption } from '../option-values.ts'
import { locateJournal } from '../sessions/locate.ts'
import { goOnLines, processText, type SessionRow } from '../sessions/session-row.ts'
import { storeLine } from '../stores.ts'
import { terminalOf, type Palette, type Terminal } from '../terminal.ts'
import { commandLine, joined, jsonDocument, jsonLine, safeLine } from '../text.ts'
import { SessionReport } from './report.ts'
import { stepLines, totalsLine, turnLines } from './report-lines.ts'

interface ShowOptions extends CommonOptions {
  turn?: number
  entries?: boolean
  raw?: boolean
  html?: string | true
  withContent?: boolean
  force?: boolean
}

type Journal = Awaited<ReturnType<typeof locateJournal>>

export function showCommand(context: CliContext): Command {
  return withCommonOptions(new Command('show'))
    .summary('show the turns of a session: tools, faults, resumes, tokens')
    .description('show the turns of a session: tools, faults and what was done about them, resumes, tokens')
    .argument('<session>', sessionWords)
    .option('--turn <n>', 'only this turn', turnOption)
    .addOption(
      new Option(
        '--entries',
        "the journal's entries, one line each (with --json one document each), without content",
      ).conflicts('raw'),
    )
    .addOption(new Option('--raw', "the journal's entries as JSON lines, with all content").conflicts('json'))
    .addOption(
      new Option(
        '--html [file]',
        'the timeline as one page for a post-mortem, without content; - is stdout. Default: <session>.html here',
      ).conflicts(['turn', 'entries', 'raw', 'json']),
    )
    .addOption(
      new Option('--with-content', 'with --html: quote messages, calls and results; secrets are masked').implies({
        html: true,
      }),
    )
    .option('--force', 'replace the file of --html if it exists')
    .addHelpText(
      'after',
      exampleOf(
        'lastgood show last',
        'lastgood show fix-auth --turn 2',
        'lastgood show fix-auth --html post-mortem.html',
      ),
    )
    .action((argument: string, options: ShowOptions) => show(context, argument, options))
}

async function show(context: CliContext, argument: string, options: ShowOptions): Promise<void> {
  const place = await setUp(context, options, false)
  const { flags } = place
  const journal = await locateJournal(context, place, argument)
  try {
    const { sessionId, opened } = journal
    if (options.raw) {
      const own = ofTurn(opened.store.read(sessionId), options.turn, (entry) => entry)
      for await (const entry of own) context.stdout.write(jsonLine(await whole(opened.store, sessionId, entry)))
      return
    }
    if (options.html !== undefined) {
      const { row } = journal
      // An unreadable journal has no page: this throws its error. The text report shows the part before the damage.
      if (!row) for await (const { entry } of readHistory(opened.store, sessionId)) void entry
      if (!row) return
      const { html, withContent = false, force = false } = options
      const { showHtml } = await import('./html-report.ts')
      return await showHtml(context, { opened, row }, { html, withContent, force, flags })
    }
    const history = ofTurn(readHistory(opened.store, sessionId), options.turn, ({ entry }) => entry)
    if (options.entries) await showEntries(context, options, history)
    else await showReport(context, options, journal, history, flags)
  } finally {
    await journal.opened.close()
  }
}

/** The entry with its separate body in place, if that can be read: a damaged entry is shown as it is. */
async function whole(store: Store, sessionId: string, entry: Entry): Promise<Entry> {
  async function* just() {
    yield entry
  }
  try {
    for await (const one of withBlobs(store, sessionId, just())) return one
  } catch (error) {
    if (!isJournalError(error)) throw error
  }
  return entry
}

async function showEntries(
  { stdout }: CliContext,
  { json }: ShowOptions,
  history: AsyncIterable<HistoryEntry>,
): Promise<void> {
  for await (const { entry, isInherited, sessionId } of history) {
    const { seq, at, type, ...own } = entryFacts(entry)
    const facts = isInherited ? { inheritedFrom: sessionId, ...own } : own
    if (json) {
      stdout.write(jsonLine({ schema: 'lastgood.entry/v1', seq, at, type, ...facts }))
      continue
    }
    const known = Object.entries(facts).filter(([, value]) => value !== undefined && value !== false)
    const text = known.map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    stdout.write(`${String(seq).padStart(5)}  ${at}  ${type.padEnd(17)}  ${safeLine(text.join(' '))}\n`)
  }
}

async function showReport(
  context: CliContext,
  options: ShowOptions,
  journal: Journal,
  history: AsyncIterable<HistoryEntry>,
  flags: readonly string[],
): Promise<void> {
  const { row, sessionId } = journal
  const { store, source } = journal.opened
  const report = new SessionReport()
  let failure: unknown
  let isEmpty = true
  try {
    for await (const { entry, isInherited } of history) {
      report.take(entry, isInherited)
      isEmpty = false
    }
  } catch (error) {
    // A person needs to see the part before the damage.
    failure = error
  }
  const broken = failure === undefined ? undefined : onceShown(failureOf(failure, context.argv), sessionId, flags)
  if (options.json) {
    const { turns, before } = report
    const place = { store: store.location, source, journal: store.journalAt(sessionId) }
    const session = row ? sessionJson(row, context.clock.now(), flags) : null
    const document = {
      schema: 'lastgood.session-report/v1',
      ...place,
      session,
      before,
      turns,
      ...(broken && failureJson(broken)),
    }
    context.stdout.write(jsonDocument(document))
  } else if (!broken || !isEmpty) {
    const terminal = terminalOf(context.stdout, context.env, options.color)
    for (const line of reportLines(context, journal, report, terminal)) context.stdout.write(`${line}\n`)
    if (row?.isRecoverable && !broken) context.stderr.write(goOnLines(row.head, flags))
  }
  endWith(context, broken)
}

/** The failure, whose advice is not to show what was just shown, but what is left to do about the damage. */
function onceShown(failure: Failure, sessionId: string, flags: readonly string[]): Failure {
  const { hint = '' } = failure
  if (!hint.startsWith('lastgood show ') || hint.includes(' --raw ')) return failure
  const prune = commandLine('lastgood prune --damaged', shellWord(sessionId), ...flags)
  const cure = `restore the session from a copy to continue; if there is none, this gives the session up: ${prune}`
  return { ...failure, hint: cure }
}

function reportLines(context: CliContext, journal: Journal, report: SessionReport, terminal: Terminal): string[] {
  const { row, opened, sessionId } = journal
  const { palette } = terminal
  const now = context.clock.now()
  const columns = Math.max(60, terminal.columns())
  const { store } = opened
  return [
    ...(row ? rowLines(row, now, palette) : [`session  ${palette.bold(sessionId)}`]),
    storeLine(store.location, opened.source),
    `journal  ${safeLine(store.journalAt(sessionId))}, ${counted(report.entries, 'entry', 'entries')}`,
    ...(row?.head.origin
      ? [`forked   from entry ${row.head.origin.seq} of ${safeLine(row.head.origin.sessionId)}`]
      : []),
    `total    ${totalsLine(report)}`,
    '',
    ...stepLines(report.before, columns, palette),
    ...report.turns.flatMap((turn) => [...turnLines(turn, now, columns, palette), '']),
  ].slice(0, -1)
}

function rowLines({ head, holder, status }: SessionRow, now: number, { bold }: Palette): string[] {
  const waits = head.dueAt !== undefined && head.dueAt > now ? `, next try in ${left(head.dueAt - now)}` : ''
  const who = joined([`agent ${head.agent ?? 'unknown'}`, head.model, head.cwd && `in ${head.cwd}`])
  const expiry = expiryText(head, now)
  const reason = head.reason === undefined ? '' : ` · ${safeLine(head.reason)}`
  return [
    `session  ${bold(safeLine(head.sessionId))} · ${safeLine(who)}`,
    `state    ${status}${waits} · ${savedAt(head.lastGoodTurn)}${reason}`,
    ...(expiry === '' ? [] : [`kept     ${expiry}`]),
    ...(holder ? [`held by  ${processText(holder.owner)}`] : []),
  ]
}

/** All entries, or those from a turn's start to the next turn's. A turn rewound and started anew appears twice. */
async function* ofTurn<One>(
  all: AsyncIterable<One>,
  turn: number | undefined,
  entryOf: (one: One) => Entry,
): AsyncGenerator<One, void, undefined> {
  let current = 0
  const seen = new Set<number>()
  for await (const one of all) {
    const entry = entryOf(one)
    if (entry.type === 'turn-started') current = entry.turn
    seen.add(current)
    if (turn === undefined || current === turn) yield one
  }
  if (turn === undefined || seen.has(turn)) return
  seen.delete(0)
  throw new LastgoodError('bad-option', `the journal has no turn ${turn}`, {
    hint: `turns: ${[...seen].join(', ') || 'none yet'}`,
    details: { field: '--turn' },
  })
}
