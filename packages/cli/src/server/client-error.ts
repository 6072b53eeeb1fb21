/** Answers a malformed or incomplete request in the API's own form: clients read nothing else. */
import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'

/** `isAnswering`: an answer is under way on the socket, and nothing else may be written into it. */
export function tellClientError(
  error: NodeJS.ErrnoException,
  socket: Duplex,
  maxHeaderBytes: number,
  isAnswering: boolean,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable || isAnswering) {
    socket.destroy()
    return
  }
  const { status, type, message, retry } = meantBy(error, maxHeaderBytes)
  const body = JSON.stringify({ type: 'error', error: { type, message: `lastgood: ${message}` } })
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'content-type: application/json',
    `x-should-retry: ${retry}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}

function meantBy({ code }: NodeJS.ErrnoException, maxHeaderBytes: number) {
  const type = 'invalid_request_error'
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return { status: 431, type, message: `the headers are larger than ${maxHeaderBytes} bytes`, retry: false }
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { status: 408, type: 'timeout_error', message: 'the request did not arrive in full in time', retry: true }
    default:
      return { status: 400, type, message: 'this is not an HTTP request', retry: false }
  }
}
