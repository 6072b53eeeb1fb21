/** A report as lines for people: the totals first, then their parts. Pure. */
import { pricesAsOf } from '../../cost/prices.ts'
import { ago, iso, left, spent } from '../../durations.ts'
import { counted } from '../../numbers.ts'
import { table, type Cell } from '../../table.ts'
import type { Palette } from '../../terminal.ts'
import { commandLine, joined, safeLine } from '../../text.ts'
import type { ExtraCost } from './extra-cost.ts'
import type { Outage } from '../../outages/model-outages.ts'
import { answeredBy } from '../../outages/trouble.ts'
import type { Report, SessionLine } from './report.ts'
import { summaryOf } from './summary.ts'

/** At most this many recovered sessions are listed; the others only count in the totals. */
const listed = 50

/** `flags`: of the store. */
export function reportLines(report: Report, flags: readonly string[], columns: number, palette: Palette): string[] {
  const { outages, sessions, recoveries, unreadable, now } = report
  const lines = headline(report)
  const section = (header: readonly string[], rows: readonly (readonly Cell[])[]) => {
    if (rows.length > 0) lines.push('', ...table(header, rows, columns, palette))
  }
  section(
    ['OUTAGE OF', 'FROM', 'FOR', 'SESSIONS', 'FAULTS', 'ERRORS SEEN'],
    outages.map((one) => outageCells(one, now, palette)),
  )
  section(
    ['ANSWERED BY', 'TIMES', 'LONGEST', 'AVERAGE'],
    answeredBy
      .filter((how) => recoveries[how].count > 0)
      .map((how) => {
        const { count, longestMs, totalMs } = recoveries[how]
        return [
          { text: howWords[how] },
          { text: String(count) },
          { text: spent(longestMs) },
          { text: spent(totalMs / count) },
        ]
      }),
  )
  section(
    ['STATUS', 'SESSION', 'SAVED', 'FAULTS', 'WRITTEN', 'ABOUT'],
    sessions.slice(0, listed).map((one) => sessionCells(one, now, palette)),
  )
  if (sessions.length > listed) lines.push(`${sessions.length - listed} more with --json`)
  const doctor = commandLine('lastgood doctor', ...flags)
  for (const { sessionId, code } of unreadable) lines.push(`${sessionId} could not be read (${code}): ${doctor}`)
  return lines
}

function headline(report: Report): string[] {
  const { outages, outageMs, sessions, since, now, calls, extra, read, unreadable } = report
  const { bySelf, standings, lost } = summaryOf(report)
  const lines = [`since    ${iso(since)} (${spent(now - since)}), ${counted(read, 'session')} written`]
  const down = outages.length === 0 ? 'none' : `${spent(outageMs)} in ${counted(outages.length, 'outage')}`
  lines.push(`outage   ${down}`)
  const needing = standings.suspended + standings.stopped + standings.refused
  const facts = [
    `${counted(sessions.length, 'session')} affected`,
    sessions.length > 0 && `${bySelf} recovered unattended`,
    standings.recovered > bySelf && `${standings.recovered - bySelf} resumed`,
    standings.waiting > 0 && `${standings.waiting} still waiting`,
    standings.rewound > 0 && `${standings.rewound} rewound`,
    needing > 0 && `${needing} need${needing === 1 ? 's' : ''} a person`,
  ]
  lines.push(`sessions ${joined(facts, ', ')}`)
  const unknown = unreadable.length === 0 ? '' : `; unknown for ${counted(unreadable.length, 'session')}`
  lines.push(`lost     ${lost === 0 ? '0 turns' : lostWords(sessions)}${unknown}`)
  const asked = [
    calls.told > 0 && `${calls.told} reported as outcome unknown`,
    calls.rerun > 0 && `${calls.rerun} run again`,
    calls.verified > 0 && `${calls.verified} verified as done`,
  ]
  lines.push(`tools    ${joined(asked, ', ') || 'none run again, none of unknown outcome'}`)
  lines.push(`cost     ${costWords(extra)}`)
  return lines
}

const howWords = { 'same-model': 'same model', fallback: 'fallback', repaired: 'repair', resumed: 'resume' } as const

function lostWords(sessions: readonly SessionLine[]): string {
  const each = sessions.flatMap(({ row, turnsLost }) =>
    turnsLost.map(({ turn, was }) => `turn ${turn} of ${row.head.sessionId}${was === 'open' ? ' (not ended)' : ''}`),
  )
  return safeLine(`${counted(each.length, 'turn')}: ${each.slice(0, 10).join(', ')}${each.length > 10 ? ', …' : ''}`)
}

function costWords({ repeated, reread, usd, unpriced }: ExtraCost): string {
  if (repeated + reread === 0) return 'nothing extra'
  const what = [
    repeated > 0 && `${repeated.toLocaleString('en-US')} tokens of failed attempts`,
    reread > 0 && `${reread.toLocaleString('en-US')} tokens read into a cold cache`,
  ]
  const without = unpriced.size === 0 ? '' : `, without ${[...unpriced].join(', ')}`
  return safeLine(
    `about $${usd.toFixed(2)} more (prices of ${pricesAsOf}, an estimate${without}): ${joined(what, ', ')}`,
  )
}

function outageCells(
  { model, from, to, sessions, faults, labels, said }: Outage,
  now: number,
  { red, bold }: Palette,
): Cell[] {
  const wire = [...labels]
    .sort(([, a], [, b]) => b - a)
    .map(([label, times]) => (times > 1 ? `${label} ×${times}` : label))
  return [
    { text: safeLine(model), paint: bold },
    { text: iso(from).replace(/\.\d+Z$/, 'Z') },
    {
      text: to === undefined ? `${spent(now - from)} so far` : spent(to - from),
      ...(to === undefined && { paint: red }),
    },
    { text: String(sessions.size) },
    { text: String(faults) },
    { text: joined([wire.join(', '), said !== undefined && `"${said}"`], ' ') },
  ]
}

function sessionCells(
  { row, standing, isBySelf, faults, parked, openSince, turnsLost }: SessionLine,
  now: number,
  palette: Palette,
): Cell[] {
  const { yellow, green, bold } = palette
  const { sessionId, lastGoodTurn, updatedAt } = row.head
  const retryAt = parked?.retryAt
  const about = [
    turnsLost.length > 0 && `${counted(turnsLost.length, 'turn')} lost`,
    openSince !== undefined && `in trouble for ${spent(now - openSince)}`,
    standing !== 'recovered' && parked?.reason,
    retryAt !== undefined && retryAt > now && `next try in ${left(retryAt - now)}`,
  ]
  return [
    { text: standing, paint: standing === 'recovered' ? green : yellow },
    { text: sessionId, paint: bold },
    { text: `turn ${lastGoodTurn}` },
    { text: String(faults) },
    { text: ago(updatedAt, now) },
    { text: joined(about) || (isBySelf ? 'by itself' : '') },
  ]
}
