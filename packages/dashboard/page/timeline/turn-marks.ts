/**
 * What a turn draws: bars for what took time, points for what happened at an instant. Pure.
 *
 * 1. A wait ends when the next thing happens, or now, never later: a wait that was broken off is not drawn in full.
 * 2. Waiting is not busy: the axis may fold it, together with the tries in it that only prolonged it.
 * 3. An in-doubt call has no known end either: it is drawn so, and keeps no time open.
 */
import type { Step, StepOf, TurnReport } from '../../src/turn-report.ts'
import { stepWords, faultCode } from './step-words.ts'
import { visibleLine } from '../../src/visible-text.ts'
import { foldOverMs, type Span } from './time-axis.ts'

export type Bar = Span & {
  kind: 'answer' | 'fallback' | 'failed' | 'tool' | 'doubt' | 'wait' | 'suspended'
  /** The text on the mark, or empty. */
  label: string
  /** The full description. */
  text: string
}

export interface Point {
  kind: 'fault' | 'checkpoint' | 'repaired' | 'rung' | 'resumed' | 'rewound' | 'suspended' | 'doubt' | 'other'
  at: number
  glyph: string
  label: string
  text: string
}

export interface TurnMarks {
  bars: readonly Bar[]
  calls: readonly Bar[]
  points: readonly Point[]
  /** For the axis. */
  busy: readonly Span[]
}

interface MarkOptions {
  /** The model that the session uses when no other has to help. */
  usualModel: string | null
  /** Where a part that has not ended is drawn to; undefined if the session is not going on. */
  openUntil: number | undefined
}

export function turnMarks(turn: Pick<TurnReport, 'steps' | 'endedAt'>, options: MarkOptions): TurnMarks {
  const bars: Bar[] = []
  const calls: Bar[] = []
  const points: Point[] = []
  const idle = idleSteps(turn.steps)
  let rung: string | undefined
  for (const [index, step] of turn.steps.entries()) {
    const at = Date.parse(step.at)
    const { mark: glyph, what, detail } = stepWords(step)
    const text = detail === '' ? what : `${what} · ${detail}`
    const next = nextAt(turn, index, options.openUntil)
    const point = (kind: Point['kind'], label: string): void => void points.push({ kind, at, glyph, label, text })
    switch (step.kind) {
      case 'answer': {
        if (rung !== undefined && !isSame(step.model, rung)) rung = undefined
        const isFallback = rung !== undefined && (options.usualModel === null || !isSame(rung, options.usualModel))
        const from = at - Math.max(0, step.durationMs)
        bars.push({
          kind: isFallback ? 'fallback' : 'answer',
          from,
          to: at,
          label: isFallback ? shortModel(step.model) : '',
          text,
        })
        break
      }
      case 'tool':
        calls.push({
          kind: step.outcome === 'in-doubt' ? 'doubt' : 'tool',
          from: at,
          to: at + (step.durationMs ?? 0),
          label: labelOf(step),
          text,
        })
        if (step.outcome === 'in-doubt' || step.outcome === 'none') point('doubt', '')
        break
      case 'fault':
        bars.push({ kind: 'failed', from: startOf(step), to: at, label: '', text })
        point('fault', faultCode(step.fault))
        if (step.waitMs !== null && step.decision !== 'suspend') wait(bars, at, step.waitMs, next, text)
        break
      case 'held':
        wait(bars, at, step.waitMs, next, text)
        break
      case 'suspended':
        point('suspended', '')
        if (next !== undefined) bars.push({ kind: 'suspended', from: at, to: next, label: '', text })
        break
      case 'rung':
        rung = step.model
        point('rung', shortModel(step.model))
        break
      case 'repaired':
      case 'repairs-reverted':
        point('repaired', '')
        break
      case 'resumed':
        point('resumed', 'resumed')
        break
      case 'rewound':
        point('rewound', step.turn > step.to ? `in ${step.turn}` : `to ${step.to}`)
        break
      case 'retention':
        break
      default:
        point('other', '')
    }
  }
  if (turn.endedAt !== null) {
    points.push({
      kind: 'checkpoint',
      at: Date.parse(turn.endedAt),
      glyph: '◆',
      label: '',
      text: 'checkpoint: the turn is saved',
    })
  }
  points.sort((a, b) => a.at - b.at)
  const work = [...bars, ...calls].filter(({ kind, to }) => isBusy.has(kind) && !(kind === 'failed' && idle.has(to)))
  const moments = points.filter(({ kind, at }) => !((kind === 'fault' || kind === 'rung') && idle.has(at)))
  return { bars, calls, points, busy: [...work, ...moments.map(({ at }) => ({ from: at, to: at }))] }
}

const isBusy: ReadonlySet<Bar['kind']> = new Set(['answer', 'fallback', 'failed', 'tool'])
const isTrying: ReadonlySet<Step['kind']> = new Set(['fault', 'held', 'rung'])

/** When the steps ended that only prolonged a wait: from the first one after a long pause until work goes on. */
function idleSteps(steps: readonly Step[]): Set<number> {
  const idle = new Set<number>()
  let end = -Infinity
  let isWaiting = false
  for (const step of steps) {
    const at = Date.parse(step.at)
    if (!isTrying.has(step.kind)) isWaiting = false
    else if (end !== -Infinity && startOf(step) - end > foldOverMs) isWaiting = true
    if (isWaiting) idle.add(at)
    end = at + (step.kind === 'tool' ? (step.durationMs ?? 0) : 0)
  }
  return idle
}

/** `opus-5-5` of `claude-opus-5-5-20261001`. */
function shortModel(model: string): string {
  return visibleLine(model)
    .replace(/^(.*[./])?claude-/, '')
    .replace(/-\d{8}.*$/, '')
}

function wait(bars: Bar[], at: number, waitMs: number, next: number | undefined, text: string): void {
  const to = Math.min(at + waitMs, next ?? at + waitMs)
  if (to > at) bars.push({ kind: 'wait', from: at, to, label: '', text })
}

/** When the next thing began: an answer and a failed request begin before they are recorded. */
function nextAt(
  turn: Pick<TurnReport, 'steps' | 'endedAt'>,
  index: number,
  openUntil: number | undefined,
): number | undefined {
  const next = turn.steps[index + 1]
  if (next) return Math.max(startOf(next), Date.parse(turn.steps[index]?.at ?? next.at))
  return turn.endedAt === null ? openUntil : Date.parse(turn.endedAt)
}

function startOf(step: Step): number {
  const at = Date.parse(step.at)
  return step.kind === 'answer' || step.kind === 'fault' ? at - Math.max(0, step.durationMs) : at
}

const labelOf = ({ name, outcome }: StepOf<'tool'>): string => `${outcome === 'error' ? '✖ ' : ''}${visibleLine(name)}`

/** One may be the dated name of the other. */
const isSame = (one: string, other: string): boolean => one.startsWith(other) || other.startsWith(one)
