/** Simulates in several threads; each run has a random generator and a clock of its own. */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { simulate, type Simulated, type SimulationOptions } from './simulate.ts'

/** Simulates all `runs`, a number of them at a time; `onSimulated` is called with each as it ends. */
export async function simulateAll(
  runs: readonly SimulationOptions[],
  jobs: number,
  onSimulated: (simulated: Simulated) => void,
): Promise<Simulated[]> {
  const simulated: Simulated[] = []
  let next = 0
  const work = async (): Promise<void> => {
    for (let at = next++; at < runs.length; at = next++) {
      const one = await simulateInThread(runs[at] as SimulationOptions)
      simulated[at] = one
      onSimulated(one)
    }
  }
  await Promise.all(Array.from({ length: jobs }, work))
  return simulated
}

function simulateInThread(options: SimulationOptions): Promise<Simulated> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: options })
    worker.once('message', resolve)
    worker.once('error', reject)
  })
}

if (!isMainThread) parentPort?.postMessage(simulate(workerData as SimulationOptions), [])
