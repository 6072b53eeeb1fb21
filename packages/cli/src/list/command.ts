/** `lastgood list`: the sessions of the store, recoverable first. */
import type { Store } from '@lastgood/core'
import { Command, InvalidArgumentError } from 'commander'
import { jsonlOption, setUp, withCommonOptions, type CommonOptions } from '../common-options.ts'
import type { CliContext } from '../context.ts'
import { ago, left } from '../durations.ts'
import { endWith, failureJson, failureOf, writeFailureJson } from '../failure.ts'
import { exampleOf } from '../help-example.ts'
import { durationOption } from '../option-values.ts'
import { processText, sessionRows, shownStatuses, type SessionRow, type ShownStatus } from '../sessions/session-row.ts'
import { missingFolder, storeLine, type StoreChoice } from '../stores.ts'
import { table, type Cell } from '../table.ts'
import { terminalOf, type Palette } from '../terminal.ts'
import { commandLine, joined, jsonDocument, jsonLine, safeLine } from '../text.ts'
import { elsewhere } from '../sessions/elsewhere.ts'
import { expiryText } from '../sessions/expiry.ts'
import { sessionJson } from '../sessions/session-json.ts'

interface ListOptions extends CommonOptions {
  all?: boolean
  state?: ShownStatus[]
  since?: number
  jsonl?: boolean
}

export function listCommand(context: CliContext): Command {
  return withCommonOptions(new Command('list'))
    .description('list the sessions in the store, recoverable first')
    .option('--all', 'include idle sessions and helpers')
    .option('--state <states>', `only these, comma-separated: ${shownStatuses.join(', ')}`, states)
    .option(
      '--since <duration>',
      'only sessions written within this time: 90s, 2h, 7d',
      durationOption('write 90s, 2h or 7d.'),
    )
    .addOption(jsonlOption('one JSON line on stdout for each session'))
    .addHelpText(
      'after',
      exampleOf('lastgood list', 'lastgood list --all --since 2h', 'lastgood list --jsonl | jq -r .sessionId'),
    )
    .action((options: ListOptions) => list(context, options))
}

async function list(context: CliContext, options: ListOptions): Promise<void> {
  const place = await setUp(context, options, false)
  const { choices, flags } = place
  const { store, source, close } = await choices[0].open()
  try {
    const now = context.clock.now()
    const { rows, failure } = await sessionRows(
      store,
      now,
      options.since === undefined ? {} : { updatedSince: now - options.since },
    )
    const shown = rows.filter((row) =>
      options.state ? options.state.includes(row.status) : options.all || row.isRecoverable || isAtWork(row),
    )
    const { location } = store
    const broken = failure === undefined ? undefined : failureOf(failure, context.argv)
    if (options.jsonl) {
      for (const row of shown) {
        context.stdout.write(
          jsonLine({ schema: 'lastgood.session/v1', store: location, ...sessionJson(row, now, flags) }),
        )
      }
      if (broken) writeFailureJson(context, broken)
    } else if (options.json) {
      const sessions = shown.map((row) => sessionJson(row, now, flags))
      const document = {
        schema: 'lastgood.session-list/v1',
        store: location,
        source,
        sessions,
        ...(broken && failureJson(broken)),
      }
      context.stdout.write(jsonDocument(document))
    } else if (!broken || rows.length > 0) {
      const all = commandLine('lastgood list --all', ...flags)
      const hidden = { count: rows.length - shown.length, all }
      print(context, options, shown, hidden, { location, source })
      const other = rows.length === 0 && options.since === undefined ? await elsewhere(place, location) : undefined
      if (other)
        context.stderr.write(`there are some in ${other.place}: ${commandLine('lastgood list', ...other.flags)}\n`)
    }
    endWith(context, broken)
  } finally {
    await close()
  }
}

const isAtWork = ({ holder, status, isForWorkers }: SessionRow): boolean =>
  isForWorkers || (holder !== null && status !== 'idle')

function print(
  context: CliContext,
  { color }: ListOptions,
  rows: readonly SessionRow[],
  hidden: { count: number; all: string },
  { location, source }: Pick<StoreChoice, 'source'> & Pick<Store, 'location'>,
): void {
  const { stdout, stderr, env, clock } = context
  const { palette, room } = terminalOf(stdout, env, color)
  stderr.write(`${storeLine(location, source)}\n`)
  if (rows.length === 0) {
    stderr.write(
      hidden.count === 0
        ? `no sessions${missingFolder(location) === undefined ? '' : ': there is no such folder yet'}\n`
        : `nothing to resume; ${hidden.count} more with: ${hidden.all}\n`,
    )
    return
  }
  const header = ['STATUS', 'SESSION', 'AGENT', 'TURN', 'SAVED', 'WRITTEN', 'ABOUT']
  const cells = rows.map((row) => cellsOf(row, clock.now(), palette))
  // In one piece: one write for each of thousands of lines takes longer than making them.
  stdout.write(`${table(header, cells, room(), palette).join('\n')}\n`)
  if (hidden.count > 0) stderr.write(`${hidden.count} more with: ${hidden.all}\n`)
}

function cellsOf(
  { head, holder, status, isRecoverable }: SessionRow,
  now: number,
  { green, yellow, dim, bold }: Palette,
): Cell[] {
  const about = [
    holder && `held by ${processText(holder.owner)}`,
    head.dueAt !== undefined && head.dueAt > now && `next try in ${left(head.dueAt - now)}`,
    head.reason,
    expiryText(head, now),
  ]
  return [
    { text: status, paint: isRecoverable ? yellow : status === 'idle' ? dim : green },
    { text: safeLine(head.sessionId), paint: bold },
    { text: safeLine(head.agent ?? '-') },
    { text: String(head.turn) },
    { text: String(head.lastGoodTurn) },
    { text: ago(head.updatedAt, now) },
    { text: joined(about) },
  ]
}

function states(text: string): ShownStatus[] {
  return text.split(',').map((word) => {
    const status = shownStatuses.find((one) => one === word.trim())
    if (status === undefined) throw new InvalidArgumentError(`there is no state ${JSON.stringify(word)}.`)
    return status
  })
}
