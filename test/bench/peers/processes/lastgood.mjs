/**
 * A loop that records its session, as level 1 of the library does. `commits: 2` is the library's default: the answer
 * and the intent of its call are durable before the call runs, its result before the next request. With one commit all
 * four entries of a step are one append, like a step of the peers.
 */
import { openSession } from '@lastgood/core'
import { job, work } from './work.mjs'

const request = { type: 'request-sent', model: 'claude-opus-5-5', attempt: 1 }
const start = { type: 'turn-started', turn: 1, messages: [{ role: 'user', content: 'Make the tests green.' }] }

const { url, dir, options } = job
const store = await openStore()

await work(() => {
  return {
    async run(id, next) {
      const session = await openSession(id, { store })
      const known = session.messages().length // the question, and two of each step
      if (known === 0) await session.record([start, request])
      let step = Math.floor(known / 2)
      for (let content; (content = next(step)); step += 1) {
        const [answer, intent, result, sent] = content.bodies
        if (options.commits === 1) await session.record([answer, intent, result, sent])
        else {
          await session.record([answer, intent])
          await session.record([result, sent])
        }
      }
      await session.close()
    },
    async read(id) {
      const session = await openSession(id, { store, takeover: true })
      return session.messages().slice(1)
    },
  }
})

async function openStore() {
  const { fileStore } = url === undefined ? await import('@lastgood/core/file') : {}
  const { compressed } = options.isCompressed ? await import('@lastgood/core/at-rest') : {}
  const plain = fileStore ? fileStore({ dir }) : await redisStoreAt()
  return compressed ? compressed(plain) : plain
}

async function redisStoreAt() {
  const [{ redisStore }, { Redis }] = await Promise.all([import('@lastgood/redis'), import('ioredis')])
  return redisStore(new Redis(url))
}
