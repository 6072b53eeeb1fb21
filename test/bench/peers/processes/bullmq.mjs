/** BullMQ: each step is a job with the messages of the step before it, so that these are durable when it begins. */
import { Job, Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { job, work } from './work.mjs'

await work(() => {
  const connection = new Redis(job.url, { maxRetriesPerRequest: null })
  const queue = new Queue('steps', { connection })
  const sessions = new Map()
  let worker
  const begin = () => {
    worker = new Worker(
      'steps',
      async ({ data: { id, step } }) => {
        const session = sessions.get(id)
        const content = session?.next(step)
        if (!content) return session?.end()
        await add(id, step + 1, content.messages)
      },
      { connection, concurrency: 32 },
    )
  }
  // A job of this id is added once, however often it is tried.
  const add = (id, step, messages) => queue.add('step', { id, step, messages }, { jobId: `${id}-${step}` })
  return {
    async run(id, next) {
      const ended = new Promise((end) => sessions.set(id, { next, end }))
      if (!worker) begin()
      await add(id, 0, [])
      await ended
    },
    async read(id) {
      const messages = []
      for (let from = 0; ; from += 100) {
        const jobs = await Promise.all(Array.from({ length: 100 }, (_, at) => Job.fromId(queue, `${id}-${from + at}`)))
        for (const job of jobs) {
          if (!job) return messages
          messages.push(...job.data.messages)
        }
      }
    },
    close: () => worker?.close(true),
  }
})
