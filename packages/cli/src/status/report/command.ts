/** `lastgood status --report`: for the morning after, and for the post-mortem. */
import type { CliContext } from '../../context.ts'
import { configOrNone, type SetUp } from '../../common-options.ts'
import { endWith, failureJson, failureOf } from '../../failure.ts'
import { storeLine } from '../../stores.ts'
import { terminalOf, type ColorMode } from '../../terminal.ts'
import { jsonDocument } from '../../text.ts'
import { readReport } from './report.ts'
import { reportJson } from './report-json.ts'
import { reportLines } from './report-lines.ts'

export interface ReportCommandOptions {
  json?: boolean
  color: ColorMode
  sinceMs: number
}

export async function tellReport(context: CliContext, place: SetUp, options: ReportCommandOptions): Promise<void> {
  const { stdout, stderr, env, clock } = context
  const { store, source, close } = await place.choices[0].open()
  try {
    const now = clock.now()
    const { report, failure } = await readReport(store, {
      since: now - options.sinceMs,
      now,
      prices: configOrNone(place)?.prices,
    })
    const broken = failure === undefined ? undefined : failureOf(failure, context.argv)
    if (options.json) {
      const document = {
        schema: 'lastgood.report/v1',
        store: store.location,
        source,
        ...reportJson(report, place.flags),
        ...(broken && failureJson(broken)),
      }
      stdout.write(jsonDocument(document))
    } else if (!broken || report.read + report.unreadable.length > 0) {
      stderr.write(`${storeLine(store.location, source)}\n`)
      const { palette, room } = terminalOf(stdout, env, options.color)
      for (const line of reportLines(report, place.flags, room(), palette)) stdout.write(`${line}\n`)
    }
    endWith(context, broken)
  } finally {
    await close()
  }
}
