/**
 * Provider health, shared by all sessions of a store: the pure breaker applied to shared records.
 *
 * 1. It is advice and fails no request: when the shared state does not answer, it continues with what this process
 *    knows and asks again some seconds later.
 * 2. While all is well it costs little: an admission is answered from a copy up to 30 s old. A copy older than 1 s is
 *    refreshed in the background, so a request may leave on old news. Answers are counted here and written together,
 *    also while sessions come back from an outage. Everything else is read and written at once, by compare-and-swap.
 * 3. Within this process, operations on one model run one at a time; between processes nobody waits.
 */
import type { Clock } from '../clock.ts'
import { inTime } from '../in-time.ts'
import { oneAtATime } from '../one-at-a-time.ts'
import type { SharedState } from '../records/shared-state.ts'
import { type Admission, admit, isCalm, isSettled, report, reportLate } from './breaker.ts'
import { probeFactor } from '../status-page/advice.ts'
import { lastReading } from '../status-page/poller.ts'
import { type Evidence, evidence } from './evidence.ts'
import { heldReasons } from './held.ts'
import type { Outcome } from './notes.ts'
import {
  asOf,
  type HealthKey,
  type HealthRecord,
  cleanKey,
  endpointPrefix,
  healthPrefix,
  parseHealthRecord,
  sharedKeyOf,
} from './record.ts'
import { type Recovery, recoveryOf } from './recovery.ts'

/** None of these ever rejects. */
export interface Health {
  /** Whether `session` may send. `waited`: it was told to wait before; `random`: the waiter's draw in [0, 1). */
  admit(key: HealthKey, session: string, asking: { waited: boolean; random: number }): Promise<Admission>
  /**
   * Whether sending is known to be useless now: the breaker is open and no probe is due, or the server asked all
   * sessions to wait. If a probe is due, that is not known, and the next session to ask makes the probe.
   */
  isDown(key: HealthKey): Promise<boolean>
  /** Reports how a request ended. The caller need not wait for it. */
  report(key: HealthKey, session: string, outcome: Outcome): Promise<void>
  /** What other sessions observed; successes count after `since` (epoch ms). */
  evidence(key: HealthKey, session: string, since: number): Promise<Evidence>
  /** The recovery under way, if an outage ended some minutes ago; as of the last admission, from memory. */
  recovery(key: HealthKey): Recovery | undefined
  /** All records, for people. */
  records(): Promise<HealthRecord[]>
}

/** What this process knows of one model. */
interface Local {
  readonly key: HealthKey
  copy: { version: number; record: HealthRecord | undefined; readAt: number } | undefined
  /** Answers not yet written. */
  answers: { session: string; at: number }[]
  /** By `elapsed()`, as is `aloneUntil`: a wall clock that is set back delays no write. */
  writtenAt: number
  /** After the shared state failed, it is not asked until then. */
  aloneUntil: number
  inOrder: ReturnType<typeof oneAtATime>
}

/** Computes the next record from the current one; returns the same object if nothing changes. */
type Change<T> = (record: HealthRecord | undefined) => { record: HealthRecord | undefined; result: T }

const nothing: Change<null> = (record) => ({ record, result: null })

const freshMs = 1000
const stillCalmMs = 30_000
const writeAnswersMs = 5000
/** How many answers are kept while they cannot be written. */
const keptAnswers = 1000
const aloneMs = 5000
/** How long an answer is waited for. */
const answerMs = 5000
/** How often one writer tries, when many write at the same instant. */
const attempts = 20

const known = new WeakMap<SharedState, Health>()

/** The health of the providers as recorded in `shared`; one object for each `shared`. */
export function providerHealth(shared: SharedState, clock: Clock): Health {
  const health = known.get(shared) ?? healthOver(shared, clock)
  known.set(shared, health)
  return health
}

function healthOver(shared: SharedState, clock: Clock): Health {
  const locals = new Map<string, Local>()
  /** The last one asked for: most processes have just one, and this spares making its key for each request. */
  let last: { readonly endpoint: string; readonly model: string; readonly local: Local } | undefined

  function localOf(asked: HealthKey): Local {
    const { endpoint, model } = asked
    if (last?.endpoint !== endpoint || last.model !== model) last = { endpoint, model, local: found(asked) }
    return last.local
  }

  function found(asked: HealthKey): Local {
    const key = cleanKey(asked)
    const name = sharedKeyOf(key)
    const fresh = { key, copy: undefined, answers: [], writtenAt: -Infinity, aloneUntil: -Infinity }
    const local = locals.get(name) ?? { ...fresh, inOrder: oneAtATime() }
    locals.set(name, local)
    return local
  }

  const isAlone = ({ aloneUntil }: Local) => clock.elapsed() < aloneUntil

  const isFresh = (local: Local, ageMs = freshMs) =>
    local.copy !== undefined && (isAlone(local) || Math.abs(clock.now() - local.copy.readAt) <= ageMs)

  /** Whether the copy says that all is well and is fresh enough to be trusted. */
  const isQuiet = (local: Local, ageMs = freshMs) => isFresh(local, ageMs) && isCalm(local.copy?.record, clock.now())

  /** Asks the shared state; undefined if it does not answer in time, or did not a moment ago. */
  async function asked<T>(local: Local, question: () => Promise<T>): Promise<T | undefined> {
    if (isAlone(local)) return undefined
    try {
      return await inTime(clock, answerMs, question)
    } catch {
      // Only advice: the sessions' own appends report what is wrong with the store.
      local.aloneUntil = clock.elapsed() + aloneMs
      return undefined
    }
  }

  async function look(local: Local): Promise<void> {
    const found = await asked(local, async () => {
      const { version, value } = (await shared.read(sharedKeyOf(local.key))) ?? { version: 0, value: undefined }
      return { version, record: parseHealthRecord(value) }
    })
    if (found) local.copy = { ...found, readAt: clock.now() }
  }

  /** The record including unwritten answers; the same object if there are none. */
  const complete = ({ answers, key, copy }: Local) =>
    answers.length > 0 ? reportLate(copy?.record, key, answers) : copy?.record

  const isDue = ({ answers, writtenAt }: Local) => answers.length > 0 && clock.elapsed() >= writtenAt + writeAnswersMs

  /**
   * Applies `change` to the record and writes the result, again until no other writer interferes. Unwritten answers go
   * with it, or alone when they are due. 'lost' if others were faster each time.
   */
  async function update<T>(local: Local, change: Change<T>, writeAnswers = isDue(local)): Promise<T | 'lost'> {
    for (let attempt = 0; attempt < attempts; attempt++) {
      if (attempt > 0 || !isQuiet(local)) await look(local)
      const base = complete(local)
      const { record, result } = change(base)
      if (record === local.copy?.record || (record === base && !writeAnswers)) return result
      const { version = 0 } = local.copy ?? {}
      const won = await asked(local, () => shared.write(sharedKeyOf(local.key), version, record))
      if (won === false) continue
      if (won === undefined) return onCopy(local, change)
      local.copy = { version: version + 1, record, readAt: clock.now() }
      local.answers = []
      local.writtenAt = clock.elapsed()
      return result
    }
    return 'lost'
  }

  /** Without the shared state: the copy is all there is until the record can be read again. */
  function onCopy<T>(local: Local, change: Change<T>): T {
    const { record, result } = change(local.copy?.record)
    local.copy = { version: 0, ...local.copy, record, readAt: clock.now() }
    return result
  }

  /** The factor by which a probe waits longer while the status page reports something large. */
  async function factorOf(local: Local): Promise<number> {
    const reading = await asked(local, () => lastReading(shared, clock.now()))
    return probeFactor(reading?.page, reading?.checkedAt, clock.now())
  }

  /** Whether an answer is no news, as most are while sessions come back. */
  async function isWell(local: Local): Promise<boolean> {
    if (!isFresh(local)) await look(local)
    return isSettled(local.copy?.record, clock.now())
  }

  async function list(prefix: string): Promise<HealthRecord[]> {
    const mine = [...locals.values()].filter(({ key }) => sharedKeyOf(key).startsWith(prefix))
    const behind = mine.filter(({ answers }) => answers.length > 0)
    await Promise.all(behind.map((local) => local.inOrder(() => update(local, nothing, true))))
    try {
      const records = await inTime(clock, answerMs, () => shared.list(prefix))
      return records.flatMap(({ value }) => parseHealthRecord(value) ?? [])
    } catch {
      // Only advice, as above; what this process knows is better than nothing.
      return mine.flatMap((local) => complete(local) ?? [])
    }
  }

  return {
    async admit(key, session, asking) {
      const local = localOf(key)
      if (isQuiet(local)) return { kind: 'go' }
      if (isQuiet(local, stillCalmMs)) {
        // A concurrent admission may have refreshed the copy already.
        void local.inOrder(async () => (isQuiet(local) ? undefined : look(local)))
        return { kind: 'go' }
      }
      // While sessions come back, all of them ask. That changes nothing, so the record need not be read for each.
      const { record } = local.copy ?? {}
      const now = clock.now()
      if (isFresh(local) && isSettled(record, now)) return admit(record, { session, now, ...asking }).admission
      const admission = await local.inOrder(() =>
        update(local, (before) => {
          const { record, admission: result } = admit(before, { session, now: clock.now(), ...asking })
          return { record, result }
        }),
      )
      if (admission !== 'lost') return admission
      const until = Math.ceil(clock.now() + (1 + asking.random) * freshMs)
      return { kind: 'wait', until, reason: heldReasons.crowd(local.key.model), cause: undefined }
    },

    async isDown(key) {
      const local = localOf(key)
      if (!isQuiet(local)) await local.inOrder(() => look(local))
      const now = clock.now()
      const { record } = local.copy ?? {}
      const { breaker, held } = record ? asOf(record, now) : {}
      const triedAgainAt =
        breaker?.state === 'open' ? breaker.probeAt : breaker?.state === 'half-open' ? breaker.until : 0
      return triedAgainAt > now || (held?.until ?? 0) > now
    },

    async report(key, session, outcome) {
      const local = localOf(key)
      await local.inOrder(async () => {
        const told = { key: local.key, session, outcome, now: clock.now(), random: clock.random() }
        if (outcome.kind === 'fault' || !(await isWell(local))) {
          const factor = outcome.kind === 'fault' ? await factorOf(local) : 1
          return update(local, (before) => ({ record: report(before, told, factor), result: null }))
        }
        if (outcome.kind === 'abandoned') return null
        local.answers = [...local.answers, { session, at: told.now }].slice(-keptAnswers)
        // Until they are due, counting is enough: applying them to the record costs time for each.
        return isDue(local) ? update(local, nothing) : null
      })
    },

    async evidence(asked, session, since) {
      const key = cleanKey(asked)
      return evidence(await list(endpointPrefix(key)), { key, session, now: clock.now(), since })
    },

    recovery: (key) => recoveryOf(localOf(key).copy?.record, clock.now()),

    records: () => list(healthPrefix),
  }
}
