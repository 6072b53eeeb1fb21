/**
 * A process that holds sessions open, to see what that takes of its memory:
 *
 *     node --expose-gc worker-process.js <sessions> <steps of each>
 *
 * Prints the bytes of its heap and beside it that each session adds.
 */
import { memoryStore, openSession, type Session, type Store } from '@lastgood/core'
import { startOf, stepOf } from './steps.ts'

const [sessions = 0, steps = 0] = process.argv.slice(2).map(Number)

function used(): number {
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** A store that keeps nothing: what is measured is the worker. */
function nowhere(): Store {
  const store = memoryStore()
  return { ...store, append: async (_lease, _afterSeq, _entries, head) => head.seq }
}

async function openOne(store: Store, id: string): Promise<Session> {
  const session = await openSession(id, { store, leaseMs: 3_600_000 })
  await session.record(startOf())
  for (let at = 0; at < steps; at += 1) {
    // Read from the wire, each has texts of its own.
    await session.record(JSON.parse(JSON.stringify(stepOf(at))))
  }
  return session
}

const store = nowhere()
// What is made once is no session's.
const held = [await openOne(store, 'first')]
const before = used()
for (let at = 0; at < sessions; at += 1) held.push(await openOne(store, `session-${at}`))
console.log(Math.round((used() - before) / sessions))
for (const session of held) await session.close()
