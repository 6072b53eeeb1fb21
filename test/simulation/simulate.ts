/**
 * One simulation, from one seed: processes that live and die on a few sessions, each behind a network and a provider
 * that fail; then a healthy one that brings every session to rest; then the verdict.
 */
import { memoryStore, type Clock, type Session, type Store } from '@lastgood/core'
import { storesOf } from './at-rest.ts'
import { forgetfulStore } from './forgetful-store.ts'
import { Process } from './process.ts'
import { finish, live, type Surroundings } from './programs.ts'
import { openProvider } from './provider.ts'
import { leaseMs, Referee } from './referee.ts'
import { unreliableStore } from './unreliable-store.ts'
import { judge } from './verdict.ts'
import { World } from './world.ts'

export interface SimulationOptions {
  /** Default: a memory store. */
  newStore?: (clock: Clock) => Store
  /** Leases run by the world's clock, so that one may wait for them to expire. Default true. */
  leasesExpire?: boolean
  /** How it is kept. Default: as the seed chooses. */
  atRest?: (store: Store) => Store
  /** What a test makes wrong. Default: nothing. */
  session?: (session: Session) => Session
  fetch?: (reach: typeof fetch) => typeof fetch
}

export interface Simulation {
  seed: number
  /** Broken promises; empty if there are none. */
  findings: readonly string[]
  trace: readonly string[]
  elapsedMs: number
  entries: number
  requests: number
}

const processes = 4
const livesOfEach = 3
/** Far longer than any outage here, and than any back-off after it. */
const limitMs = 12 * 3_600_000

export async function simulate(seed: number, options: SimulationOptions = {}): Promise<Simulation> {
  const { newStore = (clock) => memoryStore({ clock }), leasesExpire = true } = options
  const { session = (one) => one, fetch = (one) => one } = options
  const world = new World(seed)
  const referee = new Referee(world)
  const kept = forgetfulStore(newStore(world.clock), world)
  const { atRest } = options
  const storeFor = atRest ? () => atRest(kept) : storesOf(world, kept)
  const lab = openProvider(world, seed)
  const troubleShare = world.pick([0, 0.02, 0.08])

  const start = (name: string, isHealthy: boolean): Surroundings => {
    const process = new Process(world, name, isHealthy, true)
    const share = isHealthy ? 0 : troubleShare
    return {
      process,
      referee,
      lab,
      session,
      fetch,
      store: unreliableStore(referee.watch(storeFor()), process, referee, share),
    }
  }

  async function supervise(place: number): Promise<void> {
    for (let life = 1; life <= livesOfEach; life += 1) {
      await world.sleep(world.below(60_000))
      const it = start(`p${place}.${life}`, false)
      await Promise.race([live(it, leasesExpire), it.process.death])
    }
  }

  const places = Array.from({ length: processes }, (_, at) => supervise(at + 1))
  await world.run(failing(world, Promise.all(places)), limitMs)
  lab.setOutages([])
  const rest = async () => {
    await world.sleep(3 * leaseMs + 60_000) // leases of the dead, and calls that are still on their way
    await world.real(() => kept.recover())
    for (const [sessionId, journal] of referee.journals) {
      if (journal.length > 0 && !referee.isOrphan(sessionId))
        await finish(start('healthy', true), sessionId, leasesExpire)
    }
  }
  await world.run(failing(world, rest()), limitMs)
  const { elapsedMs } = world
  await judge(world, storeFor(), referee, lab)
  await lab.close()
  const journals = [...referee.journals.values(), ...referee.removed]
  const entries = journals.reduce((sum, { length }) => sum + length, 0)
  return { seed, findings: world.findings, trace: world.trace, elapsedMs, entries, requests: lab.requests.length }
}

/** An error that no program expects is a finding. */
export function failing(world: World, work: Promise<unknown>): Promise<void> {
  return work.then(
    () => {},
    (error: unknown) => world.find('P6', error instanceof Error ? (error.stack ?? error.message) : String(error)),
  )
}
