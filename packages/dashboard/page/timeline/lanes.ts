/** Puts things that overlap into as few lanes as possible. Pure. */

export interface Extent {
  x0: number
  x1: number
}

/** The lane number of each extent, in order. Extents that only touch share a lane. */
export function lanesOf(extents: readonly Extent[]): number[] {
  const ends: number[] = []
  const lanes = Array.from<number>({ length: extents.length })
  const order = extents.map((extent, index) => ({ ...extent, index })).sort((a, b) => a.x0 - b.x0 || a.index - b.index)
  for (const { x0, x1, index } of order) {
    const free = ends.findIndex((end) => end <= x0)
    const lane = free === -1 ? ends.length : free
    ends[lane] = Math.max(x0, x1)
    lanes[index] = lane
  }
  return lanes
}
