/**
 * Which of many rows to draw: those in view, and some around them. Pure.
 */

/** Where each row begins, and at the end, where the last one ends. */
export type Offsets = Float64Array

export function offsetsOf(count: number, heightOf: (index: number) => number): Offsets {
  const offsets = new Float64Array(count + 1)
  for (let index = 0; index < count; index++) offsets[index + 1] = (offsets[index] ?? 0) + heightOf(index)
  return offsets
}

/** Indices from `first` up to, not including, `end`. */
export interface Range {
  first: number
  end: number
}

/** `top` and `bottom` are the view's edges, measured from the top of the first row. */
export function rowsInView(offsets: Offsets, top: number, bottom: number, around: number): Range {
  const count = offsets.length - 1
  if (bottom < 0 || top > (offsets[count] ?? 0)) return { first: 0, end: 0 }
  const first = Math.max(0, rowAt(offsets, top) - around)
  return { first, end: Math.min(count, rowAt(offsets, bottom) + 1 + around) }
}

/** The row at a height; outside the list, the first or last one. */
function rowAt(offsets: Offsets, height: number): number {
  let [low, high] = [0, offsets.length - 2]
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((offsets[middle] ?? 0) <= height) low = middle
    else high = middle - 1
  }
  return Math.max(0, low)
}
