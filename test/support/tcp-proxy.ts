/**
 * The network between a client and a server, to be broken: a TCP proxy on a port of its own.
 *
 * 1. `blackHole` silently swallows everything from now on, on old and new connections, in the named directions. `heal`
 *    passes what comes afterwards; what was swallowed is lost, so a connection that lost bytes is cut.
 * 2. `cut` resets every connection at once; new ones are possible.
 * 3. `hold` keeps what comes and passes it on, in order, when healed: a slow network.
 */
import { once } from 'node:events'
import { type Socket, connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'

/** From the client, or from the server. */
export type Direction = 'questions' | 'answers'
type State = 'passes' | 'swallows' | 'holds'

export interface TcpProxy {
  readonly port: number
  /** Bytes that did not pass because of `blackHole`, and because of `hold`. */
  readonly swallowed: Readonly<Record<Direction, number>>
  readonly held: Readonly<Record<Direction, number>>
  blackHole(...directions: Direction[]): void
  hold(...directions: Direction[]): void
  cut(): void
  heal(): void
  close(): Promise<void>
}

interface Pair {
  client: Socket
  server: Socket
  held: { to: Socket; chunk: Buffer }[]
  hasLost: boolean
}

export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const states: Record<Direction, State> = { questions: 'passes', answers: 'passes' }
  const swallowed: Record<Direction, number> = { questions: 0, answers: 0 }
  const held: Record<Direction, number> = { questions: 0, answers: 0 }
  const pairs = new Set<Pair>()

  const listener = createServer((client) => {
    const server = connect(targetPort, '127.0.0.1')
    const pair: Pair = { client, server, held: [], hasLost: false }
    pairs.add(pair)
    pipe('questions', pair, client, server)
    pipe('answers', pair, server, client)
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')

  function pipe(direction: Direction, pair: Pair, from: Socket, to: Socket): void {
    from.on('data', (chunk) => {
      if (states[direction] === 'passes') to.write(chunk)
      else if (states[direction] === 'holds') {
        held[direction] += chunk.length
        pair.held.push({ to, chunk })
      } else {
        swallowed[direction] += chunk.length
        pair.hasLost = true
      }
    })
    // A black hole does not even report that the other side has gone.
    from.on('close', () => {
      if (states[direction] === 'passes') end(pair)
    })
    from.on('error', () => {})
  }

  function end(pair: Pair): void {
    pairs.delete(pair)
    pair.client.resetAndDestroy()
    pair.server.resetAndDestroy()
  }

  return {
    port: (listener.address() as AddressInfo).port,
    swallowed,
    held,
    blackHole: (...directions) => directions.forEach((one) => (states[one] = 'swallows')),
    hold: (...directions) => directions.forEach((one) => (states[one] = 'holds')),
    cut: () => pairs.forEach(end),
    heal() {
      states.questions = states.answers = 'passes'
      for (const pair of pairs) {
        for (const { to, chunk } of pair.held.splice(0)) to.write(chunk)
        if (pair.hasLost || pair.client.destroyed || pair.server.destroyed) end(pair)
      }
    },
    async close() {
      pairs.forEach(end)
      listener.close()
      await once(listener, 'close')
    },
  }
}
