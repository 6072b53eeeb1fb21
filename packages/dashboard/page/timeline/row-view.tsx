/** One row of the timeline: its label on the left, its marks on the axis. */
import type { ComponentChildren, JSX } from 'preact'
import type { SessionDocument } from '../../src/session-document.ts'
import { isNarrow } from '../shell/narrow.ts'
import { spent } from '../../src/durations.ts'
import { counted } from '../words/numbers.ts'
import { visibleLine } from '../../src/visible-text.ts'
import { placedPoints } from './placed-points.ts'
import { ResumeHere } from './resume-here.tsx'
import type { Row } from './session-rows.ts'
import { across, type TimeAxis } from './time-axis.ts'
import type { Bar, Point } from './turn-marks.ts'

const glyphWidth = 15
/** Of a bold character, in pixels. */
const characterWidth = 7.4

interface RowProps {
  row: Row
  axis: TimeAxis
  width: number
  document: SessionDocument
  toggle: (key: string) => void
  onResume: (() => void) | undefined
}

export function RowView({ row, axis, width, document, toggle, onResume }: RowProps): JSX.Element {
  switch (row.kind) {
    case 'before':
      return (
        <Frame label={<span class="muted">before</span>}>
          <Points points={row.marks.points} axis={axis} width={width} />
        </Frame>
      )
    case 'turn':
      return (
        <Frame label={<TurnLabel row={row} toggle={toggle} />}>
          <Track row={row} axis={axis} />
          {row.marks.bars.map((bar, index) => (
            <BarView key={index} bar={bar} axis={axis} room={roomOf(row.marks.bars, index, axis, width)} />
          ))}
          {!row.isOpen &&
            row.marks.calls.map((bar, index) => (
              <BarView key={index} bar={{ ...bar, label: '' }} axis={axis} room="none" />
            ))}
          <Points points={row.marks.points} axis={axis} width={width} isLastGood={row.isLastGood} />
        </Frame>
      )
    case 'lane':
      return (
        <Frame label={row.isFirst ? <span class="muted">tools</span> : null}>
          {row.calls.map(({ bar, side }, index) => (
            <BarView key={index} bar={bar} axis={axis} room={side} />
          ))}
        </Frame>
      )
    case 'resume':
      return <ResumeHere document={document} onResume={onResume} />
  }
}

function Frame({ label, children }: { label: ComponentChildren; children: ComponentChildren }): JSX.Element {
  return (
    <>
      <div class="label">{label}</div>
      <div class="plot">{children}</div>
    </>
  )
}

function TurnLabel({
  row: { key, turn, isOpen, isLastGood, marks },
  toggle,
}: {
  row: Row & { kind: 'turn' }
  toggle: (key: string) => void
}): JSX.Element {
  const state = turn.state === 'ended' ? spent(turn.durationMs) : turn.state
  const notes = [isLastGood ? (isNarrow.value ? 'last good' : 'last good turn') : state, turn.inherited && 'inherited']
    .filter(Boolean)
    .join(' · ')
  const name = (
    <span class="turn-words">
      <span class={`line${isLastGood ? ' last-good' : ''}`}>turn {turn.turn}</span>
      <span class="muted line number">{notes}</span>
    </span>
  )
  if (marks.calls.length === 0) return <span class="turn-label">{name}</span>
  return (
    <button
      type="button"
      class="turn-label"
      aria-expanded={isOpen}
      onClick={() => toggle(key)}
      title={`${counted(turn.tools, 'tool call')}${turn.message === '' ? '' : `: ${visibleLine(turn.message)}`}`}
    >
      <span class="twist" aria-hidden="true">
        {isOpen ? '▾' : '▸'}
      </span>
      {name}
    </button>
  )
}

/** The extent of the turn, whatever is in it. */
function Track({ row: { turn, marks }, axis }: { row: Row & { kind: 'turn' }; axis: TimeAxis }): JSX.Element {
  const ends = [...marks.bars, ...marks.calls].map(({ to }) => to)
  const to = turn.endedAt === null ? Math.max(Date.parse(turn.startedAt), ...ends) : Date.parse(turn.endedAt)
  return (
    <i
      class={`track state-${turn.state}`}
      style={across({ x0: axis.at(Date.parse(turn.startedAt)), x1: axis.at(to) })}
    />
  )
}

type Room = 'inside' | 'before' | 'after' | 'none'

/** Where a bar's label may stand: after it, if there is room, or inside; the words are in its title anyway. */
function roomOf(bars: readonly Bar[], index: number, axis: TimeAxis, width: number): Room {
  const bar = bars[index]
  if (!bar || bar.label === '') return 'none'
  const needed = bar.label.length * characterWidth + 8
  const [from, to] = [axis.at(bar.from) * width, axis.at(bar.to) * width]
  const next = bars[index + 1]
  if (next?.label === bar.label) return 'none'
  if (to + needed <= (next ? axis.at(next.from) * width : width)) return 'after'
  return needed <= to - from ? 'inside' : 'none'
}

function BarView({
  bar: { kind, from, to, label, text },
  axis,
  room,
}: {
  bar: Bar
  axis: TimeAxis
  room: Room
}): JSX.Element {
  return (
    <span
      class={`bar bar-${kind}`}
      data-mark={kind}
      style={across({ x0: axis.at(from), x1: axis.at(to) })}
      title={`${text} (${spent(to - from)})`}
    >
      {room !== 'none' && <span class={`bar-label ${room}`}>{label}</span>}
    </span>
  )
}

interface PointsProps {
  points: readonly Point[]
  axis: TimeAxis
  width: number
  isLastGood?: boolean
}

function Points({ points, axis, width, isLastGood = false }: PointsProps): JSX.Element {
  const placed = placedPoints(points, {
    at: ({ at }) => axis.at(at) * width,
    kind: ({ kind, label }) => `${kind} ${label}`,
    labelWidth: ({ label }) => label.length * characterWidth + 6,
    glyph: glyphWidth,
    timesWidth: (count) => characterWidth * (1 + String(count).length) + 3,
    width: width + glyphWidth / 2,
  })
  return (
    <>
      {placed.map(({ points: own, left, hasLabel }) => {
        const [first] = own
        const times = own.length > 1 ? `×${own.length}` : ''
        return (
          <span
            key={`${first.kind} ${first.at}`}
            class={`point point-${first.kind}${isLastGood && first.kind === 'checkpoint' ? ' last-good' : ''}`}
            data-mark={first.kind}
            data-count={own.length}
            style={{ left: `${left.toFixed(1)}px` }}
            title={own
              .map(({ text }) => text)
              .slice(0, 12)
              .join('\n')}
          >
            <span class="glyph">{first.glyph}</span>
            {hasLabel && first.label !== '' && <span class="point-label">{`${first.label} ${times}`.trim()}</span>}
            {(!hasLabel || first.label === '') && times !== '' && <span class="point-times">{times}</span>}
          </span>
        )
      })}
    </>
  )
}
