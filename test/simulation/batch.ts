/**
 * Plays some seeds in a thread of its own, and sends what came of each. When the thread ends, so do the requests of
 * processes that died, each of which would hold its world.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { simulateGateway } from './gateway/simulate-gateway.ts'
import { openPlace, type StoreName } from './place.ts'
import { simulate, type Simulation } from './simulate.ts'

export interface Batch {
  store: StoreName
  first: number
  seeds: number
  /** The gateway with its clients, and not programs with their sessions. */
  gateway: boolean
}

const { store, first, seeds, gateway } = workerData as Batch
const place = await openPlace(store)
const played: Simulation[] = []
for (let seed = first; seed < first + seeds; seed += 1) {
  const { trace, ...one } = await (gateway ? simulateGateway : simulate)(seed, place.options)
  played.push({ ...one, trace: seeds === 1 || one.findings.length > 0 ? trace : [] })
}
await place.close()
parentPort?.postMessage(played, [])
