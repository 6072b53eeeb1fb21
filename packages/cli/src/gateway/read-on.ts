/**
 * Connections on which an answer is read even after a write has failed. A server that refuses an upload answers and
 * closes; Node would destroy the socket at the next write, and with it the answer that lies there.
 */
import type { Socket } from 'node:net'
import { systemClock } from '@lastgood/core'
import { buildConnector } from 'undici'

/** Only a closed connection makes a write fail. What lies there is read within moments, and then its end is. */
const longestReadMs = 1_000

const connect = buildConnector({})

export const connectToRead: buildConnector.connector = (options, callback) =>
  connect(options, (...connected) => {
    if (connected[1]) readOn(connected[1])
    callback(...connected)
  })

type Done = (error?: Error | null) => void

function readOn(socket: Socket): void {
  const write = socket._write.bind(socket)
  const writev = socket._writev?.bind(socket)
  const afterReading =
    (done: Done): Done =>
    (error) => {
      if (!error) return done()
      const callOff = systemClock.after(longestReadMs, () => done(error))
      socket.once('close', callOff)
    }
  socket._write = (chunk, encoding, done) => write(chunk, encoding, afterReading(done))
  if (writev) socket._writev = (chunks, done) => writev(chunks, afterReading(done))
}
