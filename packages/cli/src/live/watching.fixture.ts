/** A live view that is told of a session, and what it wrote. */
import { ManualClock } from '@lastgood/core/testing'
import type { Entry, EntryBody } from '@lastgood/core'
import { Collector, overloaded, sent } from '../../test/context.ts'
import { liveRenderer, type LiveOptions } from './live-renderer.ts'

export function watching(changes: Partial<LiveOptions> = {}, isTTY = false) {
  const [output, clock] = [new Collector(), new ManualClock()]
  output.isTTY = isTTY
  const renderer = liveRenderer({ output, clock, ...changes })
  let seq = 0
  const tell = (...bodies: EntryBody[]) => {
    for (const body of bodies) renderer.onEvent({ type: 'entry', entry: stamped(body, (seq += 1), clock.now()) })
  }
  const say = (text: string) => renderer.onEvent({ type: 'delta', kind: 'text', text })
  /** What was written since the last time. */
  const written = () => {
    const { text } = output
    output.text = ''
    return text
  }
  return { clock, output, renderer, tell, say, written }
}

export const stamped = (body: EntryBody, seq: number, at: number): Entry => ({
  ...body,
  v: 3,
  seq,
  at,
  fence: 1,
  lane: 'main',
})
export const retry = (attempt: number, waitMs: number, now: number): EntryBody[] => [
  sent(attempt),
  overloaded(waitMs, now),
]
