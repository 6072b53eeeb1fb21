/** Plays outages in several threads: each has a clock of its own, so they do not disturb each other. */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { play, type Played, type PlayOptions } from './play.ts'

/** Plays all `plays`, a number of them at a time; `onPlayed` is called with each as it ends. */
export async function playAll(
  plays: readonly PlayOptions[],
  jobs: number,
  onPlayed: (played: Played) => void,
): Promise<Played[]> {
  const played: Played[] = []
  let next = 0
  const work = async (): Promise<void> => {
    for (let at = next++; at < plays.length; at = next++) {
      const one = await playInThread(plays[at] as PlayOptions)
      played[at] = one
      onPlayed(one)
    }
  }
  await Promise.all(Array.from({ length: jobs }, work))
  return played
}

function playInThread(options: PlayOptions): Promise<Played> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: options })
    worker.once('message', resolve)
    worker.once('error', reject)
  })
}

if (!isMainThread) parentPort?.postMessage(await play(workerData as PlayOptions), [])
