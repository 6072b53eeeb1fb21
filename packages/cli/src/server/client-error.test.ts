import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { tellClientError } from './client-error.ts'

const error = (code: string) => Object.assign(new Error('of the parser'), { code })

test.each([
  [
    'ERR_HTTP_REQUEST_TIMEOUT',
    '408 Request Timeout',
    'true',
    'timeout_error',
    'the request did not arrive in full in time',
  ],
  ['HPE_HEADER_OVERFLOW', '431 ', 'false', 'invalid_request_error', 'the headers are larger than 9 bytes'],
  ['HPE_INVALID_METHOD', '400 Bad Request', 'false', 'invalid_request_error', 'this is not an HTTP request'],
])('%s is told as a %s, and whether asking again helps: %s', async (code, status, retry, type, message) => {
  const socket = new PassThrough()
  tellClientError(error(code), socket, 9, false)
  const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n')
  expect(head).toContain(`HTTP/1.1 ${status}`)
  expect(head).toContain(`x-should-retry: ${retry}`)
  expect(JSON.parse(body)).toEqual({ type: 'error', error: { type, message: `lastgood: ${message}` } })
})

test('nothing is written into an answer that is under way', () => {
  const socket = new PassThrough()
  tellClientError(error('HPE_INVALID_METHOD'), socket, 9, true)
  expect([socket.read(), socket.destroyed]).toEqual([null, true])
})
