/**
 * The timeline of a session: a row for each turn, time to the right, the provider and its status page on the same axis.
 *
 * 1. No two marks differ by colour alone: bars have patterns, points have signs and codes.
 * 2. Only the rows in view exist, however many turns there are.
 */
import type { JSX } from 'preact'
import { useMemo, useState } from 'preact/hooks'
import type { SessionDocument } from '../../src/session-document.ts'
import { isNarrow } from '../shell/narrow.ts'
import { spent } from '../../src/durations.ts'
import { offsetsOf, type Range } from '../windowed/rows-in-view.ts'
import { useWindow } from '../windowed/use-window.ts'
import { Bands } from './bands.tsx'
import { Legend } from './legend.tsx'
import { RowView } from './row-view.tsx'
import { drawnSession, rowsOf, type Row } from './session-rows.ts'
import { ticksOf } from './ticks.ts'
import { across, type Part, type TimeAxis } from './time-axis.ts'
import { useWidth } from './use-width.ts'

/** With more turns on one axis, they are too small to read. */
const turnsShown = 40
const heights = {
  wide: { before: 44, turn: 44, lane: 24, resume: 76 },
  narrow: { before: 44, turn: 44, lane: 24, resume: 196 },
}
/** Without a button, as in a report. */
const withoutButton = { wide: 76, narrow: 140 }
const characterWidth = 6.6

interface TimelineProps {
  document: SessionDocument
  /** Absent in a report, from which nobody can resume. */
  onResume?: () => void
}

export function Timeline({ document, onResume }: TimelineProps): JSX.Element {
  const count = document.turns.length
  const [chosen, choose] = useState<Chosen>('newest')
  const range = rangeOf(chosen, count)
  const [opened, setOpened] = useState<ReadonlySet<string> | 'all'>(new Set())
  const { element, width } = useWidth(900)
  const drawn = useMemo(() => drawnSession(document, range), [document, range.first, range.end])
  const { axis } = drawn
  const rows = useMemo(
    () =>
      rowsOf(drawn, {
        isOpen: (key) => opened === 'all' || opened.has(key),
        lastGoodTurn: document.card.lastGoodTurn,
        hasResume: document.resume !== null,
        labelShare: (text) => (text.length * characterWidth + 10) / Math.max(1, width),
      }),
    [drawn, opened, width],
  )
  const shape = isNarrow.value ? 'narrow' : 'wide'
  const hasButton = onResume !== undefined
  const height = useMemo(
    () => (hasButton ? heights[shape] : { ...heights[shape], resume: withoutButton[shape] }),
    [shape, hasButton],
  )
  const offsets = useMemo(() => offsetsOf(rows.length, (index) => height[rows[index]?.kind ?? 'turn']), [rows, height])
  const { place, range: seen } = useWindow(offsets)
  const toggle = (key: string): void => {
    const before = opened === 'all' ? new Set(drawn.turns.map((turn) => turn.key)) : new Set(opened)
    if (!before.delete(key)) before.add(key)
    setOpened(before)
  }
  if (count === 0 && !drawn.before) return <p class="empty">No turn has begun yet.</p>
  return (
    <section class="timeline" aria-labelledby="timeline-title">
      <header>
        <h2 id="timeline-title">Timeline</h2>
        <span class="muted says number">{rangeText(axis, range, count)}</span>
        <Chooser count={count} range={range} choose={choose} />
        <button type="button" class="quiet" onClick={() => setOpened(opened === 'all' ? new Set() : 'all')}>
          {opened === 'all' ? 'Fold tools' : 'Show tools'}
        </button>
      </header>
      <Legend />
      <div class="chart" role="group" aria-label="Timeline; the table below has the same facts">
        <div class="axis grid-row">
          <div class="label muted">time</div>
          <div class="plot" ref={element}>
            <Ticks axis={axis} width={width} />
          </div>
        </div>
        <div
          class="turn-rows"
          ref={(element) => void (place.current = element)}
          style={{ height: `${offsets.at(-1) ?? 0}px` }}
        >
          <div class="fold-columns plot" aria-hidden="true">
            {axis.parts
              .filter(({ isFold }) => isFold)
              .map((fold) => (
                <i key={fold.from} style={across(fold)} />
              ))}
          </div>
          {rows.slice(seen.first, seen.end).map((row, index) => (
            <div
              key={row.key}
              class={`grid-row row-${row.kind}`}
              style={{ top: `${offsets[seen.first + index] ?? 0}px`, height: `${height[row.kind]}px` }}
              {...rowData(row)}
            >
              <RowView row={row} axis={axis} width={width} document={document} toggle={toggle} onResume={onResume} />
            </div>
          ))}
        </div>
        <Bands bands={document.bands} axis={axis} width={width} />
      </div>
    </section>
  )
}

/** For tests and curious readers: which turn a row is. */
const rowData = (row: Row): Record<string, string | number> =>
  row.kind === 'turn' ? { 'data-turn': row.turn.turn, 'data-last-good': String(row.isLastGood) } : {}

function Ticks({ axis, width }: { axis: TimeAxis; width: number }): JSX.Element {
  const zoneMs = -new Date(axis.from).getTimezoneOffset() * 60_000
  return (
    <>
      {ticksOf(axis, width, 68, zoneMs).map(({ x, text }) => (
        <span key={x} class="tick number" style={{ left: `${(x * 100).toFixed(3)}%` }}>
          {text}
        </span>
      ))}
      {foldLabels(axis.parts, width).map(({ fold, text, left }) => (
        <Fold key={fold.from} fold={fold} text={text} left={left} />
      ))}
    </>
  )
}

interface FoldLabel {
  fold: Part
  text: string
  /** Undefined if the label before it takes the room. */
  left: number | undefined
}

function foldLabels(parts: readonly Part[], width: number): FoldLabel[] {
  let taken = 0
  return parts
    .filter(({ isFold }) => isFold)
    .map((fold) => {
      const text = spent(fold.to - fold.from)
      const room = text.length * characterWidth + 6
      const left = Math.min(width - room, Math.max(0, ((fold.x0 + fold.x1) / 2) * width - room / 2))
      if (left < taken) return { fold, text, left: undefined }
      taken = left + room
      return { fold, text, left }
    })
}

function Fold({ fold, text, left }: FoldLabel): JSX.Element {
  return (
    <>
      {left !== undefined && (
        <span class="fold-text number" style={{ left: `${left.toFixed(1)}px` }}>
          {text}
        </span>
      )}
      <span
        class="fold"
        style={across(fold)}
        title={`${text} in which nothing happened, folded`}
        data-fold-ms={fold.to - fold.from}
      >
        <svg class="zigzag" viewBox="0 0 40 8" preserveAspectRatio="none" aria-hidden="true">
          <path d="M0 6l5-4 5 4 5-4 5 4 5-4 5 4 5-4 5 4" />
        </svg>
      </span>
    </>
  )
}

function rangeText({ from, to, parts }: TimeAxis, { first, end }: Range, count: number): string {
  const folded = parts.reduce((sum, part) => sum + (part.isFold ? part.to - part.from : 0), 0)
  const which = end - first < count ? `turns ${first + 1}–${end} of ${count.toLocaleString('en-US')} · ` : ''
  return `${which}${spent(to - from)}${folded > 0 ? `, of which ${spent(folded)} idle is folded` : ''}`
}

/** `newest` and `all` follow a session to which turns are added. */
type Chosen = 'newest' | 'all' | Range

function rangeOf(chosen: Chosen, count: number): Range {
  if (chosen === 'newest') return { first: Math.max(0, count - turnsShown), end: count }
  return chosen === 'all' ? { first: 0, end: count } : chosen
}

interface ChooserProps {
  count: number
  range: Range
  choose: (chosen: Chosen) => void
}

function Chooser({ count, range: { first, end }, choose }: ChooserProps): JSX.Element | null {
  if (count <= turnsShown) return null
  const isAll = end - first >= count
  const page = (from: number): void => {
    const start = Math.max(0, Math.min(from, count - turnsShown))
    choose(start + turnsShown >= count ? 'newest' : { first: start, end: start + turnsShown })
  }
  return (
    <span class="chooser">
      <button type="button" class="quiet" disabled={isAll || first === 0} onClick={() => page(first - turnsShown)}>
        ‹ Earlier
      </button>
      <button type="button" class="quiet" disabled={isAll || end >= count} onClick={() => page(first + turnsShown)}>
        Later ›
      </button>
      <button type="button" class="quiet" onClick={() => choose(isAll ? 'newest' : 'all')}>
        {isAll ? `Last ${turnsShown}` : 'All turns'}
      </button>
    </span>
  )
}
