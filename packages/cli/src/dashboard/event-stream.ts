/**
 * The server-sent events of one viewer: first everything, then what changes, and in between a sign of life.
 *
 * 1. A viewer that does not read is dropped, not waited for, with its connection and its queue: it comes back and gets
 *    everything.
 * 2. When the viewer leaves, the watching for it ends.
 * 3. An event for all viewers is serialised once.
 */
import type { Clock } from '@lastgood/core'
import { iso } from '../durations.ts'
import { safeJson } from '../text.ts'
import type { Viewer, Watcher } from './watcher.ts'

const beatMs = 15_000
/** Chunks that wait to be read. */
const mostWaiting = 100

const encoder = new TextEncoder()

/** `onLeft`: called when it is over, whoever ended it. */
export function eventStream(watcher: Watcher, clock: Clock, ended: AbortSignal, onLeft: () => void): Response {
  const left = new AbortController()
  const over = AbortSignal.any([left.signal, ended])
  over.addEventListener('abort', onLeft, { once: true })
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      const fail = (error: unknown) => {
        controller.error(error)
        left.abort()
      }
      const write = (bytes: Uint8Array) => {
        if (over.aborted) return
        if ((controller.desiredSize ?? 0) < -mostWaiting) return fail(new Error('the viewer does not read'))
        controller.enqueue(bytes)
      }
      const end = () => {
        try {
          controller.close()
        } catch {
          // It has ended already.
        }
      }
      over.addEventListener('abort', end, { once: true })
      try {
        const stop = await watcher.view((event) => write(written(event)))
        if (over.aborted) return stop()
        over.addEventListener('abort', stop, { once: true })
      } catch (error) {
        return fail(error)
      }
      void beats(clock, over, () =>
        write(encoder.encode(`: beat\nevent: change\ndata: ${safeJson({ at: iso(clock.now()) })}\n\n`)),
      )
    },
    cancel: () => left.abort(),
  })
  return new Response(body, {
    headers: {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    },
  })
}

const bytesOf = new WeakMap<object, Uint8Array>()

function written(event: Parameters<Viewer>[0]): Uint8Array {
  const data = event.kind === 'overview' ? event.overview : event.change
  const bytes = bytesOf.get(data) ?? encoder.encode(`event: ${event.kind}\ndata: ${safeJson(data)}\n\n`)
  bytesOf.set(data, bytes)
  return bytes
}

async function beats(clock: Clock, over: AbortSignal, beat: () => void): Promise<void> {
  while (!over.aborted) {
    await clock.sleepUntil(clock.now() + beatMs, { signal: over, background: true }).catch(() => {})
    if (!over.aborted) beat()
  }
}
