/** Mastra's storage for conversations: a session is a thread, and both messages of a step are saved in one call. */
import { job, work } from './work.mjs'

const { url, options } = job
const { RedisStore, PostgresStore } = await import(options.store === 'redis' ? '@mastra/redis' : '@mastra/pg')

await work(async () => {
  const store = new (RedisStore ?? PostgresStore)({ id: 'bench', connectionString: url })
  await store.init()
  const memory = await store.getStore('memory')
  const isKnown = (id) => memory.getThreadById({ threadId: id })
  const read = async (id) => {
    const { messages } = await memory.listMessages({ threadId: id, perPage: false })
    return messages.map(({ role, content }) => ({ role, content: content.parts }))
  }
  return {
    async run(id, next) {
      const owner = { threadId: id, resourceId: 'bench' }
      const now = new Date()
      if (!(await isKnown(id))) {
        await memory.saveThread({ thread: { id, resourceId: 'bench', title: id, createdAt: now, updatedAt: now } })
      }
      let step = (await read(id)).length / 2
      for (let content; (content = next(step)); step += 1) {
        const messages = content.messages.map((message, at) => ({
          ...owner,
          id: `${id}-${step}-${at}`,
          role: message.role,
          // Messages are sorted by it.
          createdAt: new Date(now.getTime() + step * 2 + at),
          content: { format: 2, parts: message.content },
        }))
        await memory.saveMessages({ messages })
      }
    },
    read,
  }
})
