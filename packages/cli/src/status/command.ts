/** `lastgood status`: is it me or them? What requests from here met, what the status page says, which sessions wait. */
import { Command } from 'commander'
import { LastgoodError, providerHealth, type HealthRecord } from '@lastgood/core'
import { setUp, withCommonOptions, type CommonOptions } from '../common-options.ts'
import type { CliContext } from '../context.ts'
import { endWith, failureJson, failureOf } from '../failure.ts'
import { exampleOf } from '../help-example.ts'
import { durationOption } from '../option-values.ts'
import { sessionRows } from '../sessions/session-row.ts'
import { storeLine } from '../stores.ts'
import { terminalOf } from '../terminal.ts'
import { jsonDocument } from '../text.ts'
import { pageChoice } from './page-choice.ts'
import { tellReport } from './report/command.ts'
import { providerState } from './provider-state.ts'
import { reportJson } from './report-json.ts'
import { reportLines } from './report-lines.ts'
import { commandOf, openRows, verdictOf, type StatusReport, type Verdict } from './verdict.ts'

interface StatusOptions extends CommonOptions {
  /** False: the status page is not asked. */
  page: boolean
  report?: boolean
  since?: number
}

const dayMs = 86_400_000

export function statusCommand(context: CliContext): Command {
  return withCommonOptions(new Command('status'))
    .summary('is it me or them? With --report: what the outages were')
    .description('is it me or them? The API as seen from here, its status page, and the waiting sessions')
    .option('--no-page', "do not ask the API's status page (LASTGOOD_STATUS_URL)")
    .option('--report', 'the morning after: outages, how each session came through, what was lost, what it cost')
    .option(
      '--since <duration>',
      'with --report: how far back, 90s, 2h, 7d (default: 24h)',
      durationOption('write 90s, 2h, 1h30m or 7d.'),
    )
    .addHelpText('after', exampleOf('lastgood status', 'lastgood status --report --since 12h --json'))
    .action((options: StatusOptions) => status(context, options))
}

async function status(context: CliContext, options: StatusOptions): Promise<void> {
  const place = await setUp(context, options, true)
  if (options.report) return tellReport(context, place, { ...options, sinceMs: options.since ?? dayMs })
  if (options.since !== undefined) throw sinceAlone()
  const opened = await place.choices[0].open()
  try {
    const { store, source } = opened
    const { rows, failure } = await sessionRows(store, context.clock.now())
    const records = await providerHealth(store.shared, context.clock).records()
    const open = openRows(rows)
    const choice = pageChoice(context, store, options.page, place)
    const urgent = open.length > 0 || records.some(isOpen)
    const page = 'off' in choice ? choice : await choice.poller.poll({ urgent })
    const now = context.clock.now()
    const report = { now, providers: records.map((record) => providerState(record, now)), page, open }
    const verdict = verdictOf(report)
    const command = commandOf(verdict, place.flags)
    const broken = failure === undefined ? undefined : failureOf(failure, context.argv)
    if (options.json) {
      const { kind, text } = verdict
      const document = {
        schema: 'lastgood.status/v1',
        store: store.location,
        source,
        ...reportJson(report, place.flags),
        verdict: { kind, text, command: command ?? null },
        ...(broken && failureJson(broken)),
      }
      context.stdout.write(jsonDocument(document))
    } else {
      context.stderr.write(`${storeLine(store.location, source)}\n`)
      print(context, options, report, verdict, command)
    }
    endWith(context, broken)
  } finally {
    await opened.close()
  }
}

function sinceAlone(): LastgoodError {
  return new LastgoodError('bad-option', '--since needs --report: without it, status is about now', {
    hint: 'lastgood status --report --since 2h',
  })
}

const isOpen = ({ breaker }: HealthRecord): boolean => breaker.state !== 'closed'

function print(
  { stdout, env }: CliContext,
  { color }: StatusOptions,
  report: StatusReport,
  { kind, text }: Verdict,
  command: string | undefined,
): void {
  const { palette, room } = terminalOf(stdout, env, color)
  const { red, yellow, green } = palette
  for (const line of reportLines(report, room(), palette)) stdout.write(`${line}\n`)
  const paint = kind === 'fine' ? green : kind === 'outage' ? red : yellow
  stdout.write(`\n${paint(text)}\n`)
  if (command !== undefined) stdout.write(`  next: ${command}\n`)
}
