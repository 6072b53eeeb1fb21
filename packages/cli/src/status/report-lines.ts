/** A status as lines for people. Pure. */
import type { Count } from '@lastgood/dashboard'
import { ago, spent } from '../durations.ts'
import { processText, type SessionRow } from '../sessions/session-row.ts'
import { table, type Cell } from '../table.ts'
import type { Palette } from '../terminal.ts'
import { joined, safeLine } from '../text.ts'
import { pageWords } from './page-words.ts'
import type { ProviderState } from './provider-state.ts'
import { inTime, type StatusReport } from './verdict.ts'

export function reportLines(report: StatusReport, columns: number, palette: Palette): string[] {
  const { providers, open, now } = report
  const lines: string[] = []
  if (providers.length > 0) {
    const header = ['MODEL', 'ENDPOINT', '10 MIN', '1 H', 'STATE']
    lines.push(
      ...table(
        header,
        providers.map((one) => providerCells(one, now, palette)),
        columns,
        palette,
      ),
      '',
    )
  }
  lines.push(pageOf(report))
  if (open.length > 0) {
    const header = ['STATUS', 'SESSION', 'MODEL', 'NEXT', 'REASON']
    lines.push(
      '',
      ...table(
        header,
        open.map((row) => sessionCells(row, now, palette)),
        columns,
        palette,
      ),
    )
  }
  return lines
}

function providerCells(provider: ProviderState, now: number, { red, yellow, green, dim, bold }: Palette): Cell[] {
  const { model, endpoint, breaker, isDown, last10Min, lastHour } = provider
  const paint = isDown ? red : breaker === 'closed' ? green : yellow
  return [
    { text: safeLine(model), paint: bold },
    { text: safeLine(endpoint), paint: dim },
    { text: shareOf(last10Min) },
    { text: shareOf(lastHour) },
    { text: stateOf(provider, now), paint },
  ]
}

/** The share of requests that were answered: `12/14 ok`; the rest failed. */
function shareOf({ answered, failed }: Count): string {
  return answered + failed === 0 ? '-' : `${answered}/${answered + failed} ok`
}

function stateOf(
  { breaker, isDown, downSince, nextProbeAt, heldUntil, lastFault }: ProviderState,
  now: number,
): string {
  const fault = lastFault && `last fault ${lastFault.kind} ${ago(lastFault.at, now)}`
  const down = downSince !== undefined && `down for ${spent(now - downSince)}`
  const facts = {
    closed: [heldUntil === undefined ? 'answers' : inTime('rate limit, next', heldUntil, now), fault],
    open: isDown
      ? [down, nextProbeAt !== undefined && inTime('next probe', nextProbeAt, now), fault]
      : ['failed on the last try', fault],
    'half-open': [down, 'a probe is under way', fault],
  }[breaker]
  return joined(facts)
}

/** Adds what the short form leaves out: where the page was read, and why a read failed. */
function pageOf({ page }: StatusReport): string {
  if ('off' in page) return `status page  not asked (${page.off})`
  const { says, note } = pageWords(page)
  const { source, failure } = page
  const notes = [note, source !== undefined && new URL(source).host, failure !== undefined && `last try: ${failure}`]
  const known = joined(notes, '; ')
  return `status page  ${safeLine(known === '' ? says : `${says} (${known})`)}`
}

function sessionCells(
  { head, holder, status, isRecoverable }: SessionRow,
  now: number,
  { yellow, green, bold }: Palette,
): Cell[] {
  const { sessionId, model, dueAt, reason } = head
  const about = [holder && `held by ${processText(holder.owner)}`, reason]
  return [
    { text: status, paint: isRecoverable ? yellow : green },
    { text: safeLine(sessionId), paint: bold },
    { text: safeLine(model ?? '-') },
    { text: dueAt === undefined ? '-' : inTime('', dueAt, now).trim() },
    { text: joined(about) },
  ]
}
