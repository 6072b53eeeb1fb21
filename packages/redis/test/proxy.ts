// Between a client and its server: passes everything on, until it is told to swallow a reply and break the connection, or
// to bring nothing any more.
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

export interface Proxy {
  port: number
  /** The next bytes that the server sends do not arrive: the client's connection breaks in their place. */
  swallowNextReply(): void
  /** The connections of now stay open and bring nothing any more, as after the host of the server is gone; later ones do. */
  silence(): void
  /** Replies that did not arrive. */
  swallowed: number
}

export async function startProxy(serverPort: number): Promise<Proxy> {
  const open = new Set<Socket>()
  let swallows = false
  let pastOnes = new AbortController()
  const server = createServer((down) => {
    const { signal } = pastOnes
    signal.addEventListener('abort', () => down.unpipe(up))
    const up = connect(serverPort, '127.0.0.1')
    for (const socket of [down, up]) {
      open.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => open.delete(socket))
    }
    down.pipe(up)
    up.on('close', () => down.destroy())
    up.on('data', (bytes) => {
      if (signal.aborted) return
      if (!swallows) return void down.write(bytes)
      swallows = false
      proxy.swallowed += 1
      up.destroy()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the proxy has no port')
  const proxy: Proxy = {
    port: address.port,
    swallowNextReply: () => void (swallows = true),
    silence() {
      pastOnes.abort()
      pastOnes = new AbortController()
    },
    swallowed: 0,
  }
  return proxy
}
