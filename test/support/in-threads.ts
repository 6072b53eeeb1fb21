/** Jobs in threads of their own: what runs on virtual time has a clock and a random generator that no other disturbs. */
import { Worker } from 'node:worker_threads'

/**
 * Has `program` do each job, given as its `workerData`, in `threads` at a time; `onDone` is called as each ends. A thread
 * ends with its message, and all that it holds.
 */
export async function inThreads<Result>(
  program: URL,
  jobs: readonly unknown[],
  threads: number,
  onDone: (result: Result) => void,
): Promise<Result[]> {
  const results: Result[] = []
  let next = 0
  const work = async (): Promise<void> => {
    for (let at = next++; at < jobs.length; at = next++) {
      const result = await inThread<Result>(program, jobs[at])
      results[at] = result
      onDone(result)
    }
  }
  await Promise.all(Array.from({ length: threads }, work))
  return results
}

function inThread<Result>(program: URL, job: unknown): Promise<Result> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(program, { workerData: job })
    worker.once('message', (result: Result) => {
      resolve(result)
      void worker.terminate()
    })
    worker.once('error', reject)
  })
}
