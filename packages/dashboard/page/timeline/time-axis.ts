/**
 * Time on a line from 0 to 1, with idle time folded: a wait of 90 minutes must not squeeze the work to nothing.
 *
 * 1. A later instant is never further left, and nothing is outside the line.
 * 2. Every moment between the first and the last is either on the scale of its part or in a fold.
 * 3. Short parts get a minimum width, so that their marks can be told apart.
 */

export interface Span {
  from: number
  to: number
}

/** A stretch of the line from `x0` to `x1`. */
export interface Part extends Span {
  isFold: boolean
  x0: number
  x1: number
}

export interface TimeAxis extends Span {
  parts: readonly Part[]
  /** The place of an instant; 0 before the beginning, 1 after the end. */
  at(instant: number): number
}

/** Idle time longer than this is folded. */
export const foldOverMs = 30_000
const foldShare = 0.05
const foldsShare = 0.4
const leastShare = 0.04
const leastsShare = 0.5

/** `busy`: when something was done or happened. `bounds`, if given, is shown too, though nothing happened in it. */
export function timeAxis(busy: readonly Span[], bounds?: Span): TimeAxis {
  const shown = bounds ? [...busy, { from: bounds.from, to: bounds.from }, { from: bounds.to, to: bounds.to }] : busy
  const parts = placed(partsOf(merged(shown)))
  const [from, to] = [parts[0]?.from ?? 0, parts.at(-1)?.to ?? 0]
  return {
    from,
    to,
    parts,
    at(instant) {
      if (!(instant > from)) return 0
      if (instant >= to) return 1
      const part = partAt(parts, instant)
      return part.x0 + ((instant - part.from) / (part.to - part.from)) * (part.x1 - part.x0)
    },
  }
}

/** Merges overlapping and close spans, in order. */
function merged(spans: readonly Span[]): Span[] {
  const found: Span[] = []
  for (const { from, to } of [...spans].sort((a, b) => a.from - b.from)) {
    const last = found.at(-1)
    if (last && from - last.to <= foldOverMs) last.to = Math.max(last.to, to)
    else found.push({ from, to })
  }
  return found
}

function partsOf(busy: readonly Span[]): Omit<Part, 'x0' | 'x1'>[] {
  return busy.flatMap((span, index) => {
    const before = busy[index - 1]
    const work = { ...span, isFold: false }
    return before ? [{ from: before.to, to: span.from, isFold: true }, work] : [work]
  })
}

function placed(parts: readonly Omit<Part, 'x0' | 'x1'>[]): Part[] {
  const folds = parts.filter(({ isFold }) => isFold).length
  const works = parts.length - folds
  const fold = Math.min(foldShare, foldsShare / Math.max(1, folds))
  const room = 1 - fold * folds
  const least = Math.min(leastShare, (leastsShare * room) / Math.max(1, works))
  const busyMs = parts.reduce((sum, { from, to, isFold }) => sum + (isFold ? 0 : to - from), 0)
  const shareOf = ({ from, to, isFold }: Omit<Part, 'x0' | 'x1'>): number => {
    if (isFold) return fold
    return busyMs === 0 ? room / works : least + (room - least * works) * ((to - from) / busyMs)
  }
  let x = 0
  return parts.map((part, index) => {
    const x0 = x
    // Rounding must not put the last moment outside the line, or short of its end.
    x = index === parts.length - 1 ? 1 : Math.min(1, x + shareOf(part))
    return { ...part, x0, x1: x }
  })
}

/** The last part that begins at or before an instant inside the axis. */
function partAt(parts: readonly Part[], instant: number): Part {
  let [low, high] = [0, parts.length - 1]
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((parts[middle]?.from ?? Infinity) < instant) low = middle
    else high = middle - 1
  }
  return parts[low] ?? { from: 0, to: 1, isFold: false, x0: 0, x1: 1 }
}

/** The place of a stretch of the line, as CSS. */
export const across = ({ x0, x1 }: { x0: number; x1: number }): Record<string, string> => ({
  left: `${(x0 * 100).toFixed(3)}%`,
  width: `${((x1 - x0) * 100).toFixed(3)}%`,
})
