/**
 * A session as rows under one axis: a row for each turn, lanes of its tool calls below it, and where to resume. Pure.
 *
 * 1. What happened before the first turn has its own row.
 * 2. The row that says how to resume stands right below the last good turn.
 */
import type { SessionDocument } from '../../src/session-document.ts'
import type { TurnReport } from '../../src/turn-report.ts'
import type { Range } from '../windowed/rows-in-view.ts'
import { lanesOf, type Extent } from './lanes.ts'
import { timeAxis, type Span, type TimeAxis } from './time-axis.ts'
import { turnMarks, type Bar, type TurnMarks } from './turn-marks.ts'

export type Row =
  | { kind: 'before'; key: string; marks: TurnMarks }
  | { kind: 'turn'; key: string; turn: TurnReport; marks: TurnMarks; isOpen: boolean; isLastGood: boolean }
  | { kind: 'lane'; key: string; calls: readonly PlacedCall[]; isFirst: boolean }
  | { kind: 'resume'; key: string }

interface PlacedCall {
  bar: Bar
  /** Where its label stands. */
  side: 'before' | 'after'
}

export interface DrawnSession {
  axis: TimeAxis
  turns: readonly { key: string; turn: TurnReport; marks: TurnMarks }[]
  before: TurnMarks | undefined
}

/** The session as it was at the document's instant `at`; `range`: the turns that are drawn, by index. */
export function drawnSession(document: SessionDocument, range: Range): DrawnSession {
  const { card, before, turns, at } = document
  const isGoingOn = ['running', 'waiting', 'suspended', 'needs-input'].includes(card.status)
  const shown = turns.slice(range.first, range.end).map((turn, index) => {
    const place = range.first + index
    // An open turn extends until the next one begins; the last one, until now.
    const next = turns[place + 1]
    const openUntil = next ? Date.parse(next.startedAt) : isGoingOn ? Date.parse(at) : undefined
    const marks = turnMarks(turn, { usualModel: card.model, openUntil })
    return { key: `turn-${place}`, turn, marks }
  })
  const opening = range.first === 0 && before.some(({ kind }) => kind !== 'retention')
  const drawn = opening
    ? turnMarks({ steps: before, endedAt: null }, { usualModel: card.model, openUntil: undefined })
    : undefined
  const busy = [
    ...(drawn?.busy ?? []),
    ...shown.flatMap(({ turn, marks }) => [instant(Date.parse(turn.startedAt)), ...marks.busy]),
  ]
  const isOpen = range.end >= turns.length && isGoingOn
  if (isOpen && busy.length > 0) busy.push(instant(Date.parse(at)))
  return { axis: timeAxis(busy), turns: shown, before: drawn }
}

interface RowOptions {
  isOpen(key: string): boolean
  lastGoodTurn: number
  hasResume: boolean
  /** What a label takes, as a share of the axis. */
  labelShare(text: string): number
}

export function rowsOf({ axis, turns, before }: DrawnSession, options: RowOptions): Row[] {
  const rows: Row[] = before ? [{ kind: 'before', key: 'before', marks: before }] : []
  const resume: Row = { kind: 'resume', key: 'resume' }
  if (options.lastGoodTurn === 0 && options.hasResume) rows.push(resume)
  const good = turns.findLastIndex(({ turn }) => turn.turn === options.lastGoodTurn && turn.state !== 'rewound')
  for (const [index, { key, turn, marks }] of turns.entries()) {
    const isOpen = options.isOpen(key)
    rows.push({ kind: 'turn', key, turn, marks, isOpen, isLastGood: index === good })
    if (isOpen) rows.push(...laneRows(key, marks.calls, axis, options))
    if (index === good && options.hasResume) rows.push(resume)
  }
  return rows
}

function laneRows(key: string, bars: readonly Bar[], axis: TimeAxis, { labelShare }: RowOptions): Row[] {
  const calls = bars.map((bar): PlacedCall & Extent => {
    const [x0, x1, label] = [axis.at(bar.from), axis.at(bar.to), labelShare(bar.label)]
    // At the end of the line, where the newest call is, the room is before it.
    const isBefore = x1 + label > 1 && x0 > 1 - x1
    return isBefore ? { bar, side: 'before', x0: x0 - label, x1 } : { bar, side: 'after', x0, x1: x1 + label }
  })
  const lanes = lanesOf(calls)
  const count = Math.max(-1, ...lanes) + 1
  return Array.from({ length: count }, (_, lane) => ({
    kind: 'lane',
    key: `${key}-lane-${lane}`,
    calls: calls.filter((_, index) => lanes[index] === lane),
    isFirst: lane === 0,
  }))
}

const instant = (at: number): Span => ({ from: at, to: at })
