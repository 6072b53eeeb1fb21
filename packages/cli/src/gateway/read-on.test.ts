import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { upstreamFetch } from './upstream-fetch.ts'

const refusal = 'HTTP/1.1 413 Payload Too Large\r\ncontent-length: 9\r\nconnection: close\r\n\r\ntoo large'

/** An upload to a server that says `answer` to its first piece, and resets the connection before the second is sent. */
async function uploadTo(answer: string): Promise<Response> {
  const api = createServer().listen(0, '127.0.0.1')
  await once(api, 'listening')
  const connected = once(api, 'connection')
  const outside = upstreamFetch({})
  onTestFinished(async () => {
    await outside.close()
    api.close()
  })
  async function* pieces() {
    yield Buffer.from('one')
    const [socket] = (await connected) as [Socket]
    await once(socket, 'data')
    socket.write(answer)
    socket.resetAndDestroy()
    // In the same turn of the event loop: nothing of the answer has been read.
    yield Buffer.from('two')
    yield Buffer.from('three')
  }
  const url = `http://127.0.0.1:${(api.address() as AddressInfo).port}/v1/files`
  return outside.fetch(url, { method: 'POST', body: ReadableStream.from(pieces()) })
}

test('what a server answered before it closed is read, though the rest of the upload cannot be written', async () => {
  const response = await uploadTo(refusal)
  expect(response.status).toBe(413)
  expect(await response.text()).toBe('too large')
})

test('a server that closed without an answer is told as such', async () => {
  await expect(uploadTo('')).rejects.toMatchObject({ code: expect.stringMatching(/ECONNRESET|EPIPE|UND_ERR_SOCKET/) })
})
