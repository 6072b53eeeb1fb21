/** The verdict for people and for programs. Pure. */
import type { Palette } from '../terminal.ts'
import { padded, safeLine } from '../text.ts'
import { demoModels } from './outages.ts'
import type { Verdict } from './verdict.ts'

/** Where everything is, for readers who want to inspect it. */
export interface Whereabouts {
  readonly sessionId: string
  readonly store: string
  /** The journal: the file, if the store keeps one, else the store's address and the session id. */
  readonly journal: string
  readonly folder: string
  readonly showCommand: string
}

export function verdictLines(verdict: Verdict, where: Whereabouts, palette: Palette): string[] {
  const { green, red, bold, dim } = palette
  const count = (value: number) => value.toLocaleString('en-US')
  const share = `${(verdict.cacheHitShare * 100).toFixed(1)} %`
  const rows: Row[] = [
    [
      'turns lost',
      count(verdict.turnsLost),
      `resumed from turn ${verdict.resumedFromTurn}, inside turn ${verdict.resumedFromTurn + 1}`,
    ],
    ['tools run twice', count(verdict.toolsRunTwice), "by the tools' own count and migrations.log"],
    ...labRows(verdict, count),
    [
      'input tokens re-sent',
      count(verdict.inputTokensResent),
      `to continue; starting over would send ${count(verdict.inputTokensStartingOver)}`,
    ],
    ['read from the cache', share, 'of the input of the first resumed request'],
  ]
  return [
    verdict.ok
      ? green(bold('VERDICT ✔ it continued from its last good turn'))
      : red(bold('VERDICT ✖ something is wrong')),
    ...rows.map(([label, value, meaning]) => `  ${padded(label, 20)} ${bold(padded(value, 7))} ${dim(meaning)}`),
    ...verdict.failed.map(({ check, found }) => red(`  ✖ failed: ${check}: ${safeLine(found)}`)),
    dim(
      `  ${verdict.checksPassed} of ${verdict.checksPassed + verdict.failed.length} checks passed; the repository's tests were run`,
    ),
    `  journal  ${where.journal}`,
    `  folder   ${where.folder}`,
    `  look at it:`,
    where.showCommand,
  ]
}

type Row = [label: string, value: string, meaning: string]

/** What only the lab can count. */
function labRows(verdict: Verdict, count: (value: number) => string): Row[] {
  const { faultsSurvived, turnsByOther, turnsTakenBack, requestsRefused, requestsMended, pageReadings } = verdict
  const rows: [label: string, value: number | undefined, meaning: string][] = [
    ['outages survived', faultsSurvived, 'each seen by the API and recorded in the journal'],
    ['turns handed over', turnsByOther, `to ${demoModels[1]}; taken back afterwards: ${turnsTakenBack}`],
    ['requests repaired', requestsMended, `of ${requestsRefused} refused; the journal lists what was left out`],
    ['status page readings', pageReadings, 'late: all well in the outage, an incident after it'],
  ]
  return rows.flatMap(([label, value, meaning]) => (value === undefined ? [] : [[label, count(value), meaning]]))
}

/** What programs read, as the last line of stdout. */
export function verdictJson(verdict: Verdict, where: Whereabouts): object {
  return { schema: 'lastgood.demo/v1', ...verdict, ...where }
}
