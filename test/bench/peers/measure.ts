/** What is measured of a contender: its steps, opening in a fresh process, sessions at once, resuming after a kill. */
import { median, spreadOf } from '../spread.ts'
import { inProcess, messageOf, type Job, type Ready } from './job.ts'
import { digestOf } from './workload.ts'

/** One round of one contender, or the medians of all rounds; times in ms, per step. */
export interface Steps {
  /** Fewer than asked for if it took too long; none if it did not end at all. */
  readonly done: number
  readonly p50: number
  readonly p99: number
  /** p50 of the last tenth. */
  readonly late: number
  readonly clientCpu: number
  readonly serverCpu: number
  /** Written to disk by client and server, bytes. */
  readonly written: number
  /** The growth of the store, bytes. */
  readonly stored: number
  /** From the start of a process until the array of messages is in memory, and the same without loading modules. */
  readonly open: number
  readonly openAlone: number
  /** Every message came back as it was. */
  readonly isExact: boolean
}

export interface AtOnce {
  readonly p50: number
  readonly perSecond: number
}

export interface GoingOn {
  /** From the kill until the next request leaves; undefined if none did in time. */
  readonly ms: number | undefined
  /** How many of the ended steps were lost. */
  readonly lost: number | undefined
}

export interface Limits {
  /** A file with the bodies of all steps. */
  readonly workload: string
  /** Steps before those that count, and the time for them. */
  readonly warmUp: number
  readonly warmUpMs: number
  /** A run ends after this, with the steps that it has. */
  readonly limitMs: number
  readonly goOnLimitMs: number
}

export const neverEnded: Steps = {
  done: 0,
  p50: NaN,
  p99: NaN,
  late: NaN,
  clientCpu: NaN,
  serverCpu: NaN,
  written: NaN,
  stored: NaN,
  open: NaN,
  openAlone: NaN,
  isExact: false,
}

interface Done {
  readonly kind: 'done'
  readonly begun: readonly (readonly number[])[]
  readonly cpuMs: number
  readonly written: number
}

export async function measureSteps(ready: Ready, id: string, steps: number, limits: Limits): Promise<Steps> {
  const ran = await ranSteps(ready, { id, steps, sessions: 1 }, limits)
  const [times = []] = ran.times
  const done = times.length
  const { total, loaded, messages, digest } = await inProcess(ready, { kind: 'read', id }, (child) =>
    messageOf<{ total: number; loaded: number; messages: number; digest: string }>(child, limits.limitMs + 30_000),
  )
  return {
    done,
    ...spreadOf(times),
    late: median(times.slice(-Math.ceil(done / 10))),
    clientCpu: ran.clientCpu / done,
    serverCpu: ran.serverCpu / done,
    written: ran.written,
    stored: ran.stored,
    open: total,
    openAlone: total - loaded,
    isExact: messages === 2 * done && digest === digestOf(done),
  }
}

export async function measureAtOnce(ready: Ready, job: Pick<Job, 'id' | 'steps' | 'sessions'>, limits: Limits) {
  const { times, begun } = await ranSteps(ready, job, limits)
  const all = times.flat()
  const ms = Math.max(...begun.map((one) => one.at(-1) ?? 0)) - Math.min(...begun.map((one) => one[0] ?? 0))
  return { p50: median(all), perSecond: (all.length * 1000) / ms }
}

/** Kills it when it has ended `steps` steps and is about to ask for the next one; starts it again at once. */
export async function measureGoingOn(ready: Ready, id: string, steps: number, limits: Limits): Promise<GoingOn> {
  const killedAt = await inProcess(ready, { kind: 'die', id, steps, workload: limits.workload }, async (child) => {
    await messageOf(child, limits.limitMs + 30_000)
    const at = performance.now()
    child.process.kill('SIGKILL')
    return at
  })
  return inProcess(ready, { kind: 'go on', id }, async (child) => {
    const asked = await messageOf<{ step: number }>(child, limits.goOnLimitMs).catch(() => undefined)
    const at = performance.now()
    child.process.kill('SIGKILL') // it stands still
    return { ms: asked && at - killedAt, lost: asked && steps - asked.step }
  })
}

async function ranSteps(ready: Ready, job: Omit<Job, 'kind'>, { workload, warmUp, warmUpMs, limitMs }: Limits) {
  const { on } = ready
  const ran = await inProcess(ready, { kind: 'run', ...job, workload, warmUp, warmUpMs, limitMs }, async (child) => {
    await messageOf(child, limitMs + 30_000)
    const [stored, before] = [await on.stored(), on.facts()]
    child.process.send('go')
    // A contender that writes behind has most of its writing still to do when the time is over.
    const { begun, cpuMs, written } = await messageOf<Done>(child, limitMs + 90_000)
    const after = on.facts()
    // Until it has closed what it has open; then everything is stored.
    await new Promise((resolve) => (child.process.exitCode === null ? child.process.once('exit', resolve) : resolve(0)))
    return {
      begun,
      clientCpu: cpuMs,
      serverCpu: after.cpuMs - before.cpuMs,
      written: written + after.written - before.written,
      stored: (await on.stored()) - stored,
    }
  })
  return { ...ran, times: ran.begun.map((one) => one.slice(1).map((at, before) => at - (one[before] ?? NaN))) }
}
