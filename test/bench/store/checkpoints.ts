/** Checkpoints one after another, and several sessions at once: floor, store and session in turns, in one process. */
import { cpuOf } from '../process-facts.ts'
import { roles, type Medium, type Role, type Writer } from './contenders.ts'
import { median, spreadOf, timed, type Spread } from '../spread.ts'

export interface Checkpoints {
  readonly medium: string
  readonly times: Readonly<Record<Role, Spread>>
}

/** `count` checkpoints of each after a warm-up. The order changes: one's fdatasync may leave work to the next. */
export async function measureCheckpoints(medium: Medium, count: number): Promise<Checkpoints> {
  const writers = await byRole((role) => medium.open(role, `checkpoints-${role}`))
  const times: Record<Role, number[]> = { floor: [], append: [], record: [] }
  const warmUp = Math.ceil(count / 3)
  for (let step = 0; step < warmUp + count; step++) {
    for (const role of inTurn(step)) {
      const time = await timed(writers[role].prepare(step))
      if (step >= warmUp) times[role].push(time)
    }
  }
  for (const role of roles) await writers[role].close()
  return { medium: medium.name, times: await byRole(async (role) => spreadOf(times[role])) }
}

export interface AtOnce {
  readonly medium: string
  readonly sessions: number
  /** Median of the rounds. */
  readonly stepsPerSecond: Readonly<Record<Role, number>>
}

export async function measureAtOnce(medium: Medium, sessions: number, steps: number, rounds: number): Promise<AtOnce> {
  const rates: Record<Role, number[]> = { floor: [], append: [], record: [] }
  const all = await byRole((role) =>
    Promise.all(Array.from({ length: sessions }, (_, at) => medium.open(role, `at-once-${sessions}-${role}-${at}`))),
  )
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    for (const role of inTurn(round)) {
      const jobs = all[role].map((writer) =>
        Array.from({ length: steps }, (_, at) => prepared(writer, round * steps + at)),
      )
      const ms = await timed(() => Promise.all(jobs.map(inOrder)))
      if (round > 0) rates[role].push((sessions * steps * 1000) / ms)
    }
  }
  for (const role of roles) for (const writer of all[role]) await writer.close()
  return { medium: medium.name, sessions, stepsPerSecond: await byRole(async (role) => median(rates[role])) }
}

const prepared = (writer: Writer, step: number) => writer.prepare(step)

/** Processor time of client and server together for a checkpoint, ms. */
export interface Processor {
  readonly medium: string
  readonly cpu: Readonly<Record<Role, number>>
}

/** `count` checkpoints of each, in alternating blocks: a single one is too short for the system to measure. */
export async function measureProcessor(medium: Medium, count: number, rounds: number): Promise<Processor> {
  const writers = await byRole((role) => medium.open(role, `processor-${role}`))
  const cpu: Record<Role, number[]> = { floor: [], append: [], record: [] }
  const used = () => [process.pid, medium.serverPid].reduce<number>((sum, pid) => sum + (cpuOf(pid) ?? 0), 0)
  const block = Math.ceil(count / rounds)
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    for (const role of inTurn(round)) {
      const jobs = Array.from({ length: block }, (_, at) => prepared(writers[role], round * block + at))
      const before = used()
      await inOrder(jobs)
      if (round > 0) cpu[role].push((used() - before) / block)
    }
  }
  for (const role of roles) await writers[role].close()
  return { medium: medium.name, cpu: await byRole(async (role) => median(cpu[role])) }
}

async function inOrder(jobs: readonly (() => Promise<unknown>)[]): Promise<void> {
  for (const job of jobs) await job()
}

function inTurn(round: number): Role[] {
  return roles.map((_, at) => roles[(round + at) % roles.length] as Role)
}

async function byRole<T>(of: (role: Role) => Promise<T>): Promise<Record<Role, T>> {
  return { floor: await of('floor'), append: await of('append'), record: await of('record') }
}
