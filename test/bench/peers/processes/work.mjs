/**
 * What the process of each contender does: a job comes as its argument, and goes to the bench as messages.
 *
 *     run    so many sessions at once, `steps` each: when each step began, processor, bytes given to the disk
 *     read   one session, until the array of its messages is in memory
 *     die    one session, until step `steps` begins; there it stands still and is killed
 *     go on  one session, until its next step begins
 *
 * 1. An adapter has `run(id, next)`, which goes on from what is stored, and `read(id)`. It calls `next(step)` where its
 *    model would be asked: that is the beginning of this step, and everything before it has to be durable.
 * 2. `next` gives the two messages of the step, ready-made, or undefined when it is enough.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** What an adapter needs of it: where it stores, and its options. It loads its modules before it calls `work`. */
export const job = JSON.parse(process.argv[2] ?? '{}')

/**
 * `open` gives the adapter: an object with `run` and `read`, maybe `tidy()` for what a store puts off, `settle(id)` before the
 * process ends, and `close()`.
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

/** The message is on its way. Nothing of this process runs any more, as little as after the kill that it waits for. */
function standStill(step) {
  process.send({ kind: 'asked', step })
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000)
  process.exit(1) // nobody is there
}

const workload = () => JSON.parse(readFileSync(job.workload, 'utf8'))

/** What this process gave to the disk, in whole pages; 0 where the system does not tell. */
function bytesWritten() {
  try {
    return Number(/^write_bytes: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}

const tell = (message) => new Promise((resolve) => process.send(message, () => resolve()))
