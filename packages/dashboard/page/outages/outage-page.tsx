/** The provider over the last hours: answered and failed by minute, and every outage that sessions met. */
import type { JSX } from 'preact'
import { useEffect, useMemo, useState } from 'preact/hooks'
import type { OutagesDocument, ProviderMinutes, SessionOutageRow } from '../../src/outages.ts'
import { getJson } from '../live/api.ts'
import { overview } from '../live/overview-state.ts'
import { now } from '../live/server-clock.ts'
import { Icon } from '../shell/icon.tsx'
import { sessionLink } from '../shell/route.ts'
import { spent } from '../../src/durations.ts'
import { clockTime, dayTime } from '../words/clock-time.ts'
import { counted, percent } from '../words/numbers.ts'
import { visibleLine } from '../../src/visible-text.ts'
import { outageGroups, type OutageGroup } from './outage-groups.ts'
import { OutagePlot } from './outage-plot.tsx'

const hourMs = 3_600_000
const spans = [
  ['1 hour', hourMs],
  ['6 hours', 6 * hourMs],
  ['24 hours', 24 * hourMs],
] as const
const againMs = 30_000
const mostRows = 100
const ends = {
  'same-model': 'answered by the same model',
  fallback: 'answered by another model',
  resumed: 'answered after a resume',
  suspended: 'suspended',
  'given-up': 'given up',
  open: 'waiting',
}

export function OutagePage(): JSX.Element {
  const [hours, setHours] = useState<number>(6 * hourMs)
  const [document, setDocument] = useState<OutagesDocument>()
  const [failure, setFailure] = useState<string>()
  const isReady = overview.value !== undefined
  useEffect(() => {
    if (!isReady) return
    const stop = new AbortController()
    const read = (): void => {
      const since = new Date(now.peek() - hours).toISOString()
      getJson<OutagesDocument>(`api/outages?since=${encodeURIComponent(since)}`, stop.signal).then(
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

function Facts({ document }: { document: OutagesDocument }): JSX.Element {
  const groups = useMemo(() => outageGroups(document.outages), [document])
  return (
    <>
      {!document.complete && <p class="muted">Journals are still being read: there is more in a moment.</p>}
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
        <h2 id="outages-title">{groups.length === 0 ? 'No outage in this time' : counted(groups.length, 'outage')}</h2>
        {groups.map((group) => (
          <Group key={`${group.from} ${group.model}`} group={group} at={Date.parse(document.at)} />
        ))}
      </section>
    </>
  )
}

function Minutes({ provider, from, to }: { provider: ProviderMinutes; from: number; to: number }): JSX.Element {
  const answered = provider.minutes.reduce((sum, minute) => sum + minute.answered, 0)
  const failed = provider.minutes.reduce((sum, minute) => sum + minute.failed, 0)
  const summary = `${counted(answered, 'request')} answered, ${failed.toLocaleString('en-US')} failed (${percent(failed, answered + failed).replaceAll(' ', '\u00a0')})`
  return (
    <section class="minutes-of" data-provider={provider.model}>
      <h2>
        {visibleLine(provider.model)}{' '}
        {provider.endpoint !== null && <span class="muted">{visibleLine(provider.endpoint)}</span>}
      </h2>
      <p class="muted number">{summary}</p>
      <OutagePlot minutes={provider.minutes} from={from} to={to} summary={`${provider.model}: ${summary}`} />
    </section>
  )
}

function Group({ group, at }: { group: OutageGroup; at: number }): JSX.Element {
  const { model, from, to, causes, rows, sessions } = group
  const count = (...ends: SessionOutageRow['end'][]): number => sessions.filter(({ end }) => ends.includes(end)).length
  const parts = [
    [count('same-model', 'fallback', 'resumed'), 'recovered'],
    [count(null), 'waiting'],
    [count('suspended'), 'suspended'],
    [count('given-up'), 'given up'],
  ] as const
  const facts = parts.filter(([number]) => number > 0).map(([number, word]) => `${number} ${word}`)
  return (
    <details class="outage" data-outage={to === undefined ? 'open' : 'over'}>
      <summary>
        <span class="number outage-when">
          <strong>{dayTime(from)}</strong>
          <span>
            {to === undefined ? (
              <span class="tone-bad">
                <Icon name="down" tone="bad" /> {spent(at - from)} so far
              </span>
            ) : (
              `lasted ${spent(to - from)}`
            )}
          </span>
        </span>
        <span class="outage-what">
          <strong>{model === null ? 'no model yet' : visibleLine(model)}</strong>{' '}
          <span class="muted">{causes.map(visibleLine).slice(0, 3).join(', ')}</span>
        </span>
        <span class="number outage-who">
          {counted(sessions.length, 'session')}: {facts.join(', ')}
        </span>
      </summary>
      <ul>
        {rows.slice(0, mostRows).map((row) => (
          <li key={`${row.sessionId} ${row.since}`}>
            <a href={sessionLink(row.sessionId)}>{visibleLine(row.sessionId)}</a>
            <span class="muted number">
              {clockTime(Date.parse(row.since))} ·{' '}
              {row.until === null ? 'lasts' : spent(Date.parse(row.until) - Date.parse(row.since))} ·{' '}
              {counted(row.attempts, 'attempt')} · {ends[row.end ?? 'open']}
            </span>
          </li>
        ))}
        {rows.length > mostRows && <li class="muted">and {(rows.length - mostRows).toLocaleString('en-US')} more</li>}
      </ul>
    </details>
  )
}
