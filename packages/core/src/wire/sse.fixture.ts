/** A stream's events, grouped by the piece that completed them. */
import { EventReader, type ServerSentEvent } from './sse.ts'

export async function* eventsOf(body: ReadableStream<Uint8Array> | null): AsyncGenerator<readonly ServerSentEvent[]> {
  const events = new EventReader()
  for await (const piece of body ?? []) yield events.take(piece)
  yield events.end()
}
