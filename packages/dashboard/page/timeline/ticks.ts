/** Which instants are labelled on the axis: round ones, with room between them, none inside a fold. Pure. */
import { clockTime } from '../words/clock-time.ts'
import type { TimeAxis } from './time-axis.ts'

export interface Tick {
  x: number
  text: string
}

const second = 1_000
const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400].map(
  (count) => count * second,
)

/** `width`: of the line, in pixels. `room`: what a label takes. `zoneMs`: how far local time is ahead of UTC. */
export function ticksOf({ parts }: TimeAxis, width: number, room: number, zoneMs: number): Tick[] {
  const ticks: Tick[] = []
  const edges = parts.filter(({ isFold }) => isFold)
  for (const { from, to, isFold, x0, x1 } of parts) {
    const pixels = (x1 - x0) * width
    if (isFold || to === from || pixels < room) continue
    const step = steps.find((one) => (one / (to - from)) * pixels >= room) ?? 86_400 * second
    for (let at = Math.ceil((from + zoneMs) / step) * step - zoneMs; at <= to; at += step) {
      const x = x0 + ((at - from) / (to - from)) * (x1 - x0)
      // A label begins at its tick, and must end before a fold's own label, or the end of the line.
      const end = edges.find((fold) => fold.x0 >= x)?.x0 ?? 1
      if ((end - x) * width < room * 0.8) continue
      ticks.push({ x, text: clockTime(at, step < 60 * second) })
    }
  }
  return ticks
}
