/**
 * The server-sent events of one viewer: first everything, then what changes, and in between a sign of life.
 *
 * 1. A viewer that does not read is let go, not waited for: it comes back and gets everything.
 * 2. When the viewer leaves, so does what looked for it.
 */
import type { Clock } from '@lastgood/core'
import { iso } from '../durations.ts'
import { safeJson } from '../text.ts'
import type { Watcher } from './watcher.ts'

const beatMs = 15_000
/** Chunks that wait to be read. */
const mostWaiting = 100

export function eventStream(watcher: Watcher, clock: Clock, ended: AbortSignal): Response {
  const left = new AbortController()
  const over = AbortSignal.any([left.signal, ended])
  let stop: (() => void) | undefined
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      const encoder = new TextEncoder()
      const end = () => {
        left.abort()
        stop?.()
        try {
          controller.close()
        } catch {
          // The viewer was faster.
        }
      }
      const write = (text: string) => {
        if (over.aborted) return
        if ((controller.desiredSize ?? 0) < -mostWaiting) return end()
        controller.enqueue(encoder.encode(text))
      }
      ended.addEventListener('abort', end, { once: true })
      left.signal.addEventListener('abort', () => ended.removeEventListener('abort', end), { once: true })
      stop = await watcher.view((event) => {
        const data = event.kind === 'overview' ? event.overview : event.change
        write(`event: ${event.kind}\ndata: ${safeJson(data)}\n\n`)
      })
      if (over.aborted) return stop()
      void beats(clock, over, () => write(`: beat\nevent: change\ndata: ${safeJson({ at: iso(clock.now()) })}\n\n`))
    },
    cancel() {
      left.abort()
      stop?.()
    },
  })
  return new Response(body, {
    headers: {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    },
  })
}

async function beats(clock: Clock, over: AbortSignal, beat: () => void): Promise<void> {
  while (!over.aborted) {
    await clock.sleepUntil(clock.now() + beatMs, { signal: over, background: true }).catch(() => {})
    if (!over.aborted) beat()
  }
}
