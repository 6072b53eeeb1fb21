/**
 * Where a cut point lies in a body.
 * 1. The result is a byte position, or undefined if this answer has no such point: then the fault does not happen.
 * 2. `inside` never falls before the first or after the last delta of its block.
 */
import { lengthOf, type Frame } from './frames.ts'
import type { CutPoint } from './outage.ts'

export function locate(point: CutPoint, frames: readonly Frame[]): number | undefined {
  const after = (count: number): number => lengthOf(frames.slice(0, count))
  if ('bytes' in point) return Math.min(point.bytes, after(frames.length))
  if ('events' in point) return after(point.events)
  if ('before' in point)
    return existing(
      frames.findIndex((frame) => frame.event === point.before),
      after,
    )
  if ('afterBlock' in point) {
    const stop = frames.findIndex(
      (frame) => frame.event === 'content_block_stop' && frame.blockIndex === point.afterBlock,
    )
    return existing(stop, (at) => after(at + 1))
  }
  const blocks = [...new Set(frames.filter((frame) => frame.deltaOf === point.inside).map((frame) => frame.blockIndex))]
  const block = blocks[point.index ?? 0]
  if (block === undefined) return undefined
  const first = frames.findIndex((frame) => frame.deltaOf !== undefined && frame.blockIndex === block)
  const deltas = frames.filter((frame) => frame.deltaOf !== undefined && frame.blockIndex === block).length
  if (deltas > 1) return after(first + Math.floor(deltas / 2))
  // The whole content came in one delta: the middle is inside its line.
  return after(first) + Math.floor((frames[first]?.bytes.length ?? 0) / 2)
}

/** A JSON body has no events: every point but a byte position means its middle. */
export function locateInJson(point: CutPoint, length: number): number {
  return 'bytes' in point ? Math.min(point.bytes, length) : Math.floor(length / 2)
}

function existing(index: number, position: (index: number) => number): number | undefined {
  return index < 0 ? undefined : position(index)
}
