/**
 * What the process of each contender does: its job comes as an argument, its results go to the bench as messages.
 *
 *     run    several sessions at once, `steps` each: when each step began, processor time, bytes written to disk
 *     read   one session, until the array of its messages is in memory
 *     die    one session, until step `steps` begins; there it stands still and is killed
 *     go on  one session, until its next step begins
 *
 * 1. An adapter has `run(id, next)`, which continues from what is stored, and `read(id)`. It calls `next(step)` where
 *    its model would be asked: there the step begins, and everything before it must be durable.
 * 2. `next` returns the two messages of the step, ready-made, or undefined at the end.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** The job. An adapter reads from it where to store, and its options. It loads its modules before it calls `work`. */
export const job = JSON.parse(process.argv[2] ?? '{}')

/**
 * `open` returns the adapter: an object with `run` and `read`, and optionally `tidy()` for work that a store defers,
 * `settle(id)` before the process ends, and `close()`.
 */
export async function work(open) {
  const loaded = performance.now()
  process.once('disconnect', () => process.exit(1))
  const adapter = await open()
  const jobs = { run, read, die, 'go on': goOn }
  await jobs[job.kind](adapter, loaded)
  await adapter.close?.()
  process.exit()
}

async function run(adapter) {
  const contents = workload()
  const warmAt = performance.now() + job.warmUpMs
  const isWarm = (step) => step === job.warmUp || performance.now() > warmAt
  await adapter.run(`${job.id}-warm`, (step) => (isWarm(step) ? undefined : contents[step]))
  await adapter.tidy?.()
  const ids = Array.from({ length: job.sessions }, (_, at) => (at === 0 ? job.id : `${job.id}-${at}`))
  await tell({ kind: 'ready' })
  await new Promise((resolve) => process.once('message', resolve))
  const [cpu, written, startedAt] = [process.cpuUsage(), bytesWritten(), performance.now()]
  const begun = await Promise.all(ids.map((id) => runOne(adapter, id, contents, startedAt + job.limitMs)))
  const { user, system } = process.cpuUsage(cpu)
  await tell({ kind: 'done', begun, cpuMs: (user + system) / 1000, written: bytesWritten() - written })
  for (const id of ids) await adapter.settle?.(id)
}

async function runOne(adapter, id, contents, endsAt) {
  const begun = []
  await adapter.run(id, (step) => {
    const now = performance.now()
    begun.push(now)
    return step < job.steps && now < endsAt ? contents[step] : undefined
  })
  return begun
}

async function read(adapter, loaded) {
  const messages = await adapter.read(job.id)
  const total = performance.now()
  const plain = messages.map(({ role, content }) => ({ role, content }))
  const digest = createHash('sha256').update(JSON.stringify(plain)).digest('hex')
  await tell({ kind: 'read', loaded, total, messages: messages.length, digest })
}

async function die(adapter) {
  const contents = workload()
  await adapter.run(job.id, (step) => {
    if (step < job.steps) return contents[step]
    standStill(step)
  })
}

async function goOn(adapter) {
  await adapter.run(job.id, standStill)
}

/** The message is on its way. From here on nothing in this process runs, just as after the kill that it waits for. */
function standStill(step) {
  process.send({ kind: 'asked', step })
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000)
  process.exit(1) // the parent is gone
}

const workload = () => JSON.parse(readFileSync(job.workload, 'utf8'))

/** Bytes that this process wrote to disk, in whole pages; 0 if the system does not say. */
function bytesWritten() {
  try {
    return Number(/^write_bytes: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}

const tell = (message) => new Promise((resolve) => process.send(message, () => resolve()))
