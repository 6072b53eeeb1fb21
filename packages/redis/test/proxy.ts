// Between a client and its server: passes everything on, until it is told to swallow a reply and break the connection.
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

export interface Proxy {
  port: number
  /** The next bytes that the server sends do not arrive: the client's connection breaks in their place. */
  swallowNextReply(): void
  /** Replies that did not arrive. */
  swallowed: number
}

export async function startProxy(serverPort: number): Promise<Proxy> {
  const open = new Set<Socket>()
  let swallows = false
  const server = createServer((down) => {
    const up = connect(serverPort, '127.0.0.1')
    for (const socket of [down, up]) {
      open.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => open.delete(socket))
    }
    down.pipe(up)
    up.on('close', () => down.destroy())
    up.on('data', (bytes) => {
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
  const proxy: Proxy = { port: address.port, swallowNextReply: () => void (swallows = true), swallowed: 0 }
  return proxy
}
