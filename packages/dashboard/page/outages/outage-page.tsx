/** The provider over the last hours: answered and failed by minute, and every outage that sessions met. */
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { OutageDocument, OutageRow, ProviderMinutes } from '../../src/outages.ts'
import { getJson } from '../live/api.ts'
import { overview } from '../live/overview-state.ts'
import { now } from '../live/server-clock.ts'
import { dayTime, spent } from '../words/durations.ts'
import { counted, percent } from '../words/numbers.ts'
import { visibleLine } from '../words/visible-text.ts'
import { OutagePlot } from './outage-plot.tsx'

const hourMs = 3_600_000
const spans = [
  ['1 hour', hourMs],
  ['6 hours', 6 * hourMs],
  ['24 hours', 24 * hourMs],
  ['7 days', 168 * hourMs],
] as const
const againMs = 30_000

export function OutagePage(): JSX.Element {
  const [hours, setHours] = useState<number>(6 * hourMs)
  const [document, setDocument] = useState<OutageDocument>()
  const [failure, setFailure] = useState<string>()
  const isReady = overview.value !== undefined
  useEffect(() => {
    if (!isReady) return
    const stop = new AbortController()
    const read = (): void => {
      const since = new Date(now.peek() - hours).toISOString()
      getJson<OutageDocument>(`api/outages?since=${encodeURIComponent(since)}`, stop.signal).then(
        (found) => {
          setDocument(found)
          setFailure(undefined)
        },
        (error: Error) => stop.signal.aborted || setFailure(error.message),
      )
    }
    read()
    const timer = setInterval(read, againMs)
    return () => {
      clearInterval(timer)
      stop.abort()
    }
  }, [hours, isReady])
  return (
    <>
      <div class="outages-head">
        <h1>Outages</h1>
        <div class="spans" role="group" aria-label="How far back">
          {spans.map(([name, ms]) => (
            <button key={name} type="button" aria-pressed={hours === ms} onClick={() => setHours(ms)}>
              {name}
            </button>
          ))}
        </div>
      </div>
      {failure !== undefined && (
        <p class="failure" role="alert">
          {visibleLine(failure)}
        </p>
      )}
      {document ? <Facts document={document} /> : failure === undefined && <p class="empty">Reading…</p>}
    </>
  )
}

function Facts({ document }: { document: OutageDocument }): JSX.Element {
  return (
    <>
      {document.providers.length === 0 && <p class="empty">No request was sent in this time.</p>}
      {document.providers.map((provider) => (
        <Minutes
          key={`${provider.endpoint} ${provider.model}`}
          provider={provider}
          from={Date.parse(document.since)}
          to={Date.parse(document.at)}
        />
      ))}
      <section class="outages" aria-labelledby="outages-title">
        <h2 id="outages-title">
          {document.outages.length === 0 ? 'No outage in this time' : counted(document.outages.length, 'outage')}
        </h2>
        {document.outages.length > 0 && <OutageTable rows={document.outages} at={Date.parse(document.at)} />}
      </section>
    </>
  )
}

function Minutes({ provider, from, to }: { provider: ProviderMinutes; from: number; to: number }): JSX.Element {
  const answered = provider.minutes.reduce((sum, minute) => sum + minute.answered, 0)
  const failed = provider.minutes.reduce((sum, minute) => sum + minute.failed, 0)
  const summary = `${counted(answered, 'request')} answered, ${failed.toLocaleString('en-US')} failed (${percent(failed, answered + failed)})`
  return (
    <section class="minutes-of" data-provider={provider.model}>
      <h2>
        {visibleLine(provider.model)} <span class="muted">{visibleLine(provider.endpoint)}</span>
      </h2>
      <p class="muted number">{summary}</p>
      <OutagePlot minutes={provider.minutes} from={from} to={to} summary={`${provider.model}: ${summary}`} />
    </section>
  )
}

function OutageTable({ rows, at }: { rows: readonly OutageRow[]; at: number }): JSX.Element {
  return (
    <div class="outage-table" role="region" aria-labelledby="outages-title" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">Began</th>
            <th scope="col">Lasted</th>
            <th scope="col">Model</th>
            <th scope="col">Cause</th>
            <th scope="col">Sessions</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={`${row.from} ${row.model}`}>
              <td class="number">{dayTime(Date.parse(row.from))}</td>
              <td class="number">
                {spent((row.to === null ? at : Date.parse(row.to)) - Date.parse(row.from))}
                {row.to === null && <strong class="tone-bad"> so far</strong>}
              </td>
              <td>{row.model === null ? '' : visibleLine(row.model)}</td>
              <td>{visibleLine(row.cause)}</td>
              <td class="number">{sessionsText(row)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function sessionsText({ sessions, recovered, waiting, needsYou }: OutageRow): string {
  const parts = [
    recovered > 0 && `${recovered} recovered`,
    waiting > 0 && `${waiting} waiting`,
    needsYou > 0 && `${needsYou} need you`,
  ].filter((part) => part !== false)
  return parts.length === 0 ? String(sessions) : `${sessions}: ${parts.join(', ')}`
}
