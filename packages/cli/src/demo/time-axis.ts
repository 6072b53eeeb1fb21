/** Maps instants to columns, with idle time folded. Pure. */
import { spent } from '../durations.ts'

export interface TimeAxis {
  column(at: number): number
  /** Spaces, with a zigzag where time was folded. */
  readonly background: readonly string[]
  /** Seconds since the start, as a line. */
  scale(): string
}

/** Idle time longer than this is folded to this length. */
const longestIdleMs = 2_500
const labelEvery = 11

export function timeAxis(busy: readonly { from: number; to: number }[], columns: number): TimeAxis {
  const spans = [...busy].sort((a, b) => a.from - b.from)
  const start = spans[0]?.from ?? 0
  const folds: { from: number; to: number }[] = []
  let end = start
  for (const { from, to } of spans) {
    if (from - end > longestIdleMs) folds.push({ from: end + longestIdleMs / 2, to: from - longestIdleMs / 2 })
    end = Math.max(end, to)
  }
  const shown = (at: number) =>
    at - start - folds.reduce((sum, fold) => sum + clamp(at, fold.from, fold.to) - fold.from, 0)
  const length = Math.max(1, shown(end))
  const column = (at: number) => Math.round((clamp(shown(at), 0, length) / length) * (columns - 1))
  const background = Array.from({ length: columns }, () => ' ')
  for (const { from } of folds) {
    const at = Math.min(column(from), columns - 2)
    background.splice(at, 2, '╱', '╲')
  }
  return { column, background, scale }

  function scale(): string {
    let line = ''
    for (let at = 0; at <= columns - 4; at += labelEvery) line = `${line.padEnd(at)}${spent(instantAt(at) - start)}`
    return line
  }

  function instantAt(wanted: number): number {
    let at = start + (wanted / (columns - 1)) * length
    for (const { from, to } of folds) if (at > from) at += to - from
    return at
  }
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, value))
}
