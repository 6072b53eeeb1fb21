/**
 * LangGraph JS: a graph with one node, which is a step. `full` is its default, the whole state in each checkpoint; `delta`
 * its channel of that name (beta), which stores what is new.
 */
import { join } from 'node:path'
import { Annotation, DeltaChannel, END, MemorySaver, START, StateGraph } from '@langchain/langgraph'
import { job, work } from './work.mjs'

const channels = {
  full: () => Annotation({ reducer: (known, more) => known.concat(more), default: () => [] }),
  delta: () => () => new DeltaChannel((known, writes) => known.concat(...writes), { initialValueFactory: () => [] }),
}

const savers = {
  memory: () => new MemorySaver(),
  sqlite: () => SqliteSaver.fromConnString(join(dir, 'checkpoints.db')),
  postgres: () => PostgresSaver.fromConnString(url),
  redis: () => RedisSaver.fromUrl(url),
}

const { url, dir, options } = job
const { saver: kind, state, durability } = options
const packages = '@langchain/langgraph-checkpoint'
const { SqliteSaver, PostgresSaver, RedisSaver } = kind === 'memory' ? {} : await import(`${packages}-${kind}`)

await work(async () => {
  const saver = await savers[kind]()
  const State = Annotation.Root({ messages: channels[state](), isOver: Annotation() })
  let isSetUp = false
  const compile = (next) =>
    new StateGraph(State)
      .addNode('step', ({ messages }) => {
        const content = next(messages.length / 2)
        return content ? { messages: content.messages, isOver: false } : { isOver: true }
      })
      .addEdge(START, 'step')
      .addConditionalEdges('step', ({ isOver }) => (isOver ? END : 'step'))
      .compile({ checkpointer: saver })
  const configOf = (id) => ({ configurable: { thread_id: id }, recursionLimit: 1e6, durability })
  return {
    async run(id, next) {
      if (!isSetUp) await saver.setup?.()
      isSetUp = true
      const isKnown = (await saver.getTuple(configOf(id))) !== undefined
      await compile(next).invoke(isKnown ? null : { messages: [] }, configOf(id))
    },
    read: async (id) => (await compile(() => {}).getState(configOf(id))).values.messages ?? [],
    // Otherwise its log would still have the warm-up, and shrink at the end.
    tidy: () => saver.db?.pragma('wal_checkpoint(TRUNCATE)'),
    close: () => saver.end?.(),
  }
})
