/**
 * Writes a web-standard response to a Node socket.
 *
 * 1. Nothing waits for more: a piece goes out as it comes, and the headers after one turn of the event loop at the
 *    latest. Within that turn they share a packet with the first piece.
 * 2. The client sets the pace. When it has gone, the body is cancelled.
 * 3. An error in the body breaks the connection, even while the client reads nothing: a broken end never passes for
 *    success.
 */
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { readPieces } from '@lastgood/core'

/** Every connection closes: an error made for each would cost more than all else here. */
const left = new Error('the connection has closed')

export async function writeResponse({ status, headers, body }: Response, outgoing: ServerResponse): Promise<void> {
  outgoing.writeHead(status, [...headers].flat())
  if (!body) {
    outgoing.end()
    return
  }
  // The client left before there was an answer: no event will say so any more.
  if (outgoing.destroyed) {
    await body.cancel()
    return
  }
  const gone = new AbortController()
  const pieces = readPieces(body)
  outgoing.once('close', () => {
    gone.abort(left)
    pieces.cancel().catch(() => {})
  })
  pieces.broken?.catch((error: Error) => outgoing.destroy(error))
  const late = setImmediate(() => outgoing.flushHeaders())
  try {
    for (;;) {
      const piece = await pieces.next()
      clearImmediate(late)
      if (!piece) break
      if (!outgoing.write(piece)) await once(outgoing, 'drain', { signal: gone.signal })
    }
    outgoing.end()
  } catch (error) {
    outgoing.destroy(error as Error)
  }
}
