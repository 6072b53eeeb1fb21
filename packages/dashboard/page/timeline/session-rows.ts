/**
 * A session as rows under one axis: a row for each turn, below it lanes of its tool calls, and where it can be resumed. Pure.
 *
 * 1. What happened before the first turn has a row of its own.
 * 2. The row that says how to go on stands right below the last good turn.
 */
import type { SessionDocument } from '../../src/session-document.ts'
import type { TurnReport } from '../../src/turn-report.ts'
import { lanesOf } from './lanes.ts'
import { timeAxis, type Span, type TimeAxis } from './time-axis.ts'
import { turnMarks, type Bar, type TurnMarks } from './turn-marks.ts'

export type Row =
  | { kind: 'before'; key: string; marks: TurnMarks }
  | { kind: 'turn'; key: string; turn: TurnReport; marks: TurnMarks; isOpen: boolean; isLastGood: boolean }
  | { kind: 'lane'; key: string; calls: readonly Bar[]; isFirst: boolean }
  | { kind: 'resume'; key: string }

/** Which turns are drawn: indices from `first` up to, not including, `end`. */
export interface TurnRange {
  first: number
  end: number
}

export interface DrawnSession {
  axis: TimeAxis
  turns: readonly { key: string; turn: TurnReport; marks: TurnMarks }[]
  before: TurnMarks | undefined
}

/** `now` is the instant that the document is of. */
export function drawnSession(document: SessionDocument, range: TurnRange): DrawnSession {
  const { card, before, turns, at } = document
  const isGoingOn = ['running', 'waiting', 'suspended', 'needs-input'].includes(card.status)
  const shown = turns.slice(range.first, range.end).map((turn, index) => {
    const place = range.first + index
    // What has not ended goes on until now, if it is the last one, and else until the next turn begins.
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
  /** What a label takes, as a part of the axis. */
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

function laneRows(key: string, calls: readonly Bar[], axis: TimeAxis, { labelShare }: RowOptions): Row[] {
  const lanes = lanesOf(
    calls.map(({ from, to, label }) => ({ x0: axis.at(from), x1: axis.at(to) + labelShare(label) })),
  )
  const count = Math.max(-1, ...lanes) + 1
  return Array.from({ length: count }, (_, lane) => ({
    kind: 'lane',
    key: `${key}-lane-${lane}`,
    calls: calls.filter((_, index) => lanes[index] === lane),
    isFirst: lane === 0,
  }))
}

const instant = (at: number): Span => ({ from: at, to: at })
