/**
 * A process that holds sessions open, to measure the memory that they take:
 *
 *     node --expose-gc worker-process.js <sessions> <steps of each>
 *
 * Prints the bytes that each session adds to its heap and outside it.
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
    // As if read from the wire: each session has its own copies of the texts.
    await session.record(JSON.parse(JSON.stringify(stepOf(at))))
  }
  return session
}

const store = nowhere()
// What is allocated once belongs to no session.
const held = [await openOne(store, 'first')]
const before = used()
for (let at = 0; at < sessions; at += 1) held.push(await openOne(store, `session-${at}`))
console.log(Math.round((used() - before) / sessions))
for (const session of held) await session.close()
