/**
 * One world: a lab, a store, a referee, and the processes that live in it one after another. A process is a program
 * that is started again after each crash, as by a supervisor, and runs until nothing is left to do.
 */
import Anthropic from '@anthropic-ai/sdk'
import {
  foldJournal,
  machineVersion,
  openSession,
  type Entry,
  type Session,
  type SessionOptions,
  type Store,
} from '@lastgood/core'
import { crashAfter, type CrashPoint, ManualClock } from '@lastgood/core/testing'
import { createLab, type ModelFunction, type Outage } from '@lastgood/outage-lab'
import { withBlobs } from '../../../packages/core/src/store/blobs.ts'
import { Referee } from './referee.ts'

const sessionId = 'ses'

/** What a program has. */
export interface Life {
  referee: Referee
  client: Anthropic
  open(options?: SessionOptions): Promise<Session>
}

export interface Scenario {
  name: string
  model: ModelFunction
  outages: Outage[]
  /** What happened on this store before, in other sessions. */
  before?: (life: Omit<Life, 'open'>, store: Store, clock: ManualClock) => Promise<void>
  /** The program: started on whatever a crash left, it does the rest, and returns the same in the end. */
  live: (life: Life) => Promise<string>
  says: string
  /** Effects by name, sorted: each happens exactly once. */
  effects: string[]
}

export interface Crash {
  after: number
  point: CrashPoint
}

export interface Outcome {
  /** How many of the processes really crashed. */
  crashes: number
  journal: Entry[]
  /** One of the entries that the store keeps in pieces, if any; the journal has all of them whole. */
  apart: Entry[]
  /** Broken promises; empty if there are none. */
  broken: string[]
}

/** Plays the scenario with a process for each crash, and then one that is left alone. */
export async function play(scenario: Scenario, store: Store, crashes: readonly Crash[]): Promise<Outcome> {
  // Time continues from life to life, and waits cost nothing.
  const clock = new ManualClock({ autoAdvance: true })
  const referee = new Referee()
  const lab = createLab({ model: scenario.model, outages: scenario.outages, now: () => clock.now() })
  const client = new Anthropic({ baseURL: lab.url, apiKey: 'test', logLevel: 'off', fetch: lab.fetch })
  const watched = referee.watch(store, sessionId)

  const live = (on: Store) => {
    const open = async (options: SessionOptions = {}) => {
      const session = await openSession(sessionId, { store: on, clock, takeover: true, cwd: '/', ...options })
      session.subscribe((event) => event.type === 'entry' && referee.acknowledge(event.entry))
      return session
    }
    return scenario.live({ referee, client, open })
  }

  await scenario.before?.({ referee, client }, store, clock)
  const askedBefore = lab.requests.length
  let crashed = 0
  for (const { after, point } of crashes) {
    const dying = crashAfter(watched, after, point)
    const end = await live(dying).catch((error: unknown) => error)
    if (dying.crashed) crashed += 1
    else if (end !== scenario.says) throw new Error('it failed without a crash', { cause: end })
  }
  const said = await live(watched)
  const journal: Entry[] = []
  for await (const entry of withBlobs(store, sessionId, store.read(sessionId))) journal.push(entry)
  let apart: Entry[] = []
  for await (const entry of store.read(sessionId)) if (entry.type === 'kept-apart') apart = [entry]
  const folded = await foldJournal(journal, machineVersion)
  const [wanted, done] = [scenario.effects.join(), referee.done.toSorted().join()]
  const asked = lab.requests.slice(askedBefore).filter(({ n }) => n > 0)
  const announced = journal.filter(({ type }) => type === 'request-sent').length
  return {
    crashes: crashed,
    journal,
    apart,
    broken: [
      ...referee.verdict(sessionId, journal),
      ...(said === scenario.says ? [] : [`it said ${said}`]),
      ...(done === wanted ? [] : [`P2: the effects are ${done}`]),
      ...(asked.length > announced ? [`P5: ${asked.length} requests left, ${announced} were announced`] : []),
      ...asked.flatMap(({ violation }) => (violation ? [`P4: ${violation.message}`] : [])),
      ...(folded.snapshot.value === 'idle' ? [] : [`it ended ${folded.snapshot.value}`]),
      ...((await store.summary(sessionId))?.holder ? ['somebody still holds it'] : []),
    ],
  }
}
