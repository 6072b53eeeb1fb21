/**
 * A response of web standards, written to a socket of Node's.
 *
 * 1. Nothing waits for more: a piece goes out as it comes, and the headers after one turn of the event loop at the latest.
 *    In that turn they share a packet with the first piece.
 * 2. The client sets the pace. When it has gone, the body is cancelled.
 * 3. What breaks the body breaks the connection, also while the client reads nothing: an end is never passed off as success.
 */
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { readPieces } from '@lastgood/core'

export async function writeResponse({ status, headers, body }: Response, outgoing: ServerResponse): Promise<void> {
  outgoing.writeHead(status, [...headers].flat())
  if (!body) {
    outgoing.end()
    return
  }
  // It left before there was an answer: nothing will tell so any more.
  if (outgoing.destroyed) {
    await body.cancel()
    return
  }
  const gone = new AbortController()
  const pieces = readPieces(body)
  outgoing.once('close', () => {
    gone.abort()
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
