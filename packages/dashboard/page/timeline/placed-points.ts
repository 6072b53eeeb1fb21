/**
 * Places marks of single moments on a line, so that none covers another. Pure.
 *
 * 1. Marks of one kind that would touch become one with a count; no mark is left out.
 * 2. Marks of different kinds that would touch stand side by side, in order, inside the line.
 * 3. A label is shown only if nothing begins before its end.
 */

export interface PlacedPoint<Point> {
  /** The points that the mark stands for. */
  points: readonly [Point, ...Point[]]
  /** Its left edge, in pixels. */
  left: number
  hasLabel: boolean
}

interface PointSizes<Point> {
  /** The position of the moment, in pixels. */
  at(point: Point): number
  kind(point: Point): string
  labelWidth(point: Point): number
  glyph: number
  /** The width of a group's count. */
  timesWidth(count: number): number
  width: number
}

/** `points` must be in the order of time. */
export function placedPoints<Point>(points: readonly Point[], sizes: PointSizes<Point>): PlacedPoint<Point>[] {
  const { at, kind, labelWidth, glyph, timesWidth, width } = sizes
  const groups: { points: [Point, ...Point[]]; left: number }[] = []
  const widthOf = (group: { points: readonly Point[] }): number =>
    glyph + (group.points.length > 1 ? timesWidth(group.points.length) : 0)
  for (const point of points) {
    const last = groups.at(-1)
    const left = Math.max(0, at(point) - glyph / 2)
    const taken = last ? last.left + widthOf(last) : 0
    const joins = last && kind(last.points[0]) === kind(point)
    if (last && joins && left < last.left + glyph + timesWidth(last.points.length + 1)) last.points.push(point)
    else groups.push({ points: [point], left: Math.max(left, taken) })
  }
  // Groups pushed beyond the end push the ones before them back.
  let end = width
  for (const group of groups.toReversed()) {
    group.left = Math.max(0, Math.min(group.left, end - widthOf(group)))
    end = group.left
  }
  return groups.map((group, index) => {
    const next = groups[index + 1]?.left ?? width
    const hasLabel = group.left + widthOf(group) + labelWidth(group.points[0]) <= next
    return { points: group.points, left: group.left, hasLabel }
  })
}
