/**
 * What decides when a session sends: lastgood's own pure functions, applied to what each worker knows, or a back-off
 * that is shared with no other session.
 *
 * A worker is modelled as in the package: it reads the shared record at once if something is wrong, and trusts a copy
 * of up to 1 s if all is well (`health.ts`); it counts answers and writes them every 5 s; it stops asking the limiter
 * once the ramp is over. A read or write takes no time here, and always succeeds.
 */
import { decide, defaultPolicy, type HealthRecord } from '@lastgood/core'
import { admit, isCalm, isSettled, recoveryOf, report, reportLate } from '@lastgood/core/testing'
import { take, type Bucket } from '@lastgood/fleet/testing'

/** The state of one session. */
export interface Asker {
  readonly session: number
  /** One draw for all waits of a request, and whether there was a wait. */
  draw: number
  waited: boolean
  faults: number
  firstFaultAt: number
  sentAt: number
  ticket: number | undefined
}

export interface Pacing {
  /** When the session may send: `now`, or when it asks again. */
  ask(asker: Asker, now: number): number
  answered(asker: Asker, now: number): void
  /** When the session asks again. */
  failed(asker: Asker, now: number): number
  /** How often a worker asked the limiter or read the record. */
  readonly asked: { limiter: number; record: number }
  /** When the breaker closed for the last time. */
  readonly closedAt: number | undefined
}

const key = { endpoint: 'https://api.anthropic.com', model: 'm' }
const [freshMs, stillCalmMs, writeAnswersMs] = [1000, 30_000, 5000]
/** Refusals that were not reported within this are forgotten: they belong to the outage. */
const refusedMs = 2000

interface Worker {
  copy: HealthRecord | undefined
  readAt: number
  answers: { session: string; at: number }[]
  writtenAt: number
  refused: number
  refusedAt: number
  heardOf: number
  overFor: number
}

export function fleet(workerCount: number, random: () => number, { limiter }: { limiter: boolean }): Pacing {
  const workers = Array.from({ length: workerCount }, (): Worker => ({
    copy: undefined,
    readAt: -Infinity,
    answers: [],
    writtenAt: 0,
    refused: 0,
    refusedAt: 0,
    heardOf: 0,
    overFor: 0,
  }))
  const asked = { limiter: 0, record: 0 }
  let shared: HealthRecord | undefined
  let bucket: Bucket | undefined
  const workerOf = ({ session }: Asker) => workers[session % workerCount] as Worker
  const nameOf = ({ session }: Asker) => `s${session}`

  function look(worker: Worker, now: number): void {
    asked.record += 1
    worker.copy = shared
    worker.readAt = now
  }

  function write(worker: Worker, record: HealthRecord | undefined): void {
    const late = worker.answers.length > 0 ? reportLate(record, key, worker.answers) : record
    if (late === shared) return
    worker.answers = []
    shared = worker.copy = late
  }

  /** By the breaker alone. */
  function admitted(asker: Asker, worker: Worker, now: number): { until: number; isProbe: boolean } {
    const isFresh = now - worker.readAt <= freshMs
    if (isCalm(worker.copy, now) && now - worker.readAt <= stillCalmMs) {
      if (!isFresh) look(worker, now)
      return { until: now, isProbe: false }
    }
    if (!isFresh || !isSettled(worker.copy, now)) look(worker, now)
    const { draw, waited } = asker
    const { admission, record } = admit(worker.copy, {
      session: nameOf(asker),
      now,
      random: draw,
      waited: waited && asker.ticket === undefined,
    })
    if (record !== worker.copy) write(worker, record)
    return { until: admission.kind === 'wait' ? admission.until : now, isProbe: admission.kind === 'probe' }
  }

  function limited(asker: Asker, worker: Worker, now: number): number {
    const recovery = recoveryOf(worker.copy, now)
    if (recovery === undefined || worker.overFor >= recovery.at) return now
    asked.limiter += 1
    const { at, usualPerSecond: usual = 0 } = recovery
    const refused = now < worker.refusedAt + refusedMs && at <= worker.heardOf ? worker.refused : 0
    worker.refused = 0
    worker.heardOf = at
    const result = take(bucket, { now, ticket: asker.ticket, limit: 0, recovery: { at, usual }, refused })
    bucket = result.bucket
    const { taken } = result
    asker.ticket = taken.kind === 'wait' ? taken.ticket : undefined
    if (taken.kind === 'wait') return now + taken.ms
    if (taken.isOver) worker.overFor = recovery.at
    return now
  }

  return {
    asked,

    get closedAt() {
      return shared?.breaker.state === 'closed' ? shared.breaker.recovered?.at : undefined
    },

    ask(asker, now) {
      const worker = workerOf(asker)
      const { until, isProbe } = admitted(asker, worker, now)
      return until > now || isProbe || !limiter ? until : limited(asker, worker, now)
    },

    answered(asker, now) {
      const worker = workerOf(asker)
      if (now - worker.readAt > freshMs) look(worker, now)
      if (isSettled(worker.copy, now)) {
        worker.answers.push({ session: nameOf(asker), at: now })
        if (now < worker.writtenAt + writeAnswersMs) return
        look(worker, now)
        worker.writtenAt = now
        return write(worker, worker.copy)
      }
      look(worker, now)
      const outcome = { kind: 'ok', sentAt: asker.sentAt } as const
      write(worker, report(worker.copy, { key, session: nameOf(asker), outcome, now, random: random() }))
    },

    failed(asker, now) {
      const worker = workerOf(asker)
      worker.refused += 1
      worker.refusedAt = now
      look(worker, now)
      const outcome = { kind: 'fault', fault: 'overloaded' } as const
      write(worker, report(worker.copy, { key, session: nameOf(asker), outcome, now, random: random() }))
      const { faults: attempts, firstFaultAt } = asker
      const history = { attempts, firstFaultAt, now, random: random() }
      const decision = decide({ kind: 'overloaded', status: 529 }, history, defaultPolicy)
      if (decision.kind !== 'retry') throw new Error(`a session of the simulation was told: ${decision.kind}`)
      return decision.at
    },
  }
}

/** Full jitter: a draw below base * 2^n, at most `capMs`. No session gives up. */
export function backOff(capMs: number, baseMs: number, random: () => number): Pacing {
  return {
    asked: { limiter: 0, record: 0 },
    closedAt: undefined,
    ask: (_asker, now) => now,
    answered: () => {},
    failed: ({ faults }, now) => now + random() * Math.min(capMs, baseMs * 2 ** Math.min(faults - 1, 20)),
  }
}
