/**
 * A campaign: real agents in real processes, killed with SIGKILL at seeded instants and started again until their work
 * is done, then judged from outside.
 *
 * 1. Kills are drawn from the seed; where they land depends on the machine.
 * 2. Every session is completed: its last process is left alone.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { foldJournal, machineVersion, type Entry } from '@lastgood/core'
import { seededRandom } from '@lastgood/core/testing'
import { startLab } from '@lastgood/outage-lab'
import { linesOf, type Answers, type EffectLine, type Evidence } from './evidence.ts'
import { judge, offences, type Finding, type Offence } from './judge.ts'
import { drawKill } from './kill-plan.ts'
import { live, type Lived, type LifePlan } from './life.ts'
import { openPlace, type Place, type StoreName } from './place.ts'
import { model, outages, tasks } from './workload.ts'

export interface CampaignOptions {
  store: StoreName
  kills: number
  seed: number
  /** No further session is begun after this. Default: no limit. */
  minutes?: number
  /** Additional kills of the store's server, which there must be. Default 0. */
  serverKills?: number
  /** Called after each session. */
  tell?: (line: string) => void
}

export interface CampaignResult {
  store: StoreName
  seed: number
  kills: number
  serverKills: number
  sessions: number
  processes: number
  /** Entries that processes knew to be durable, calls that began, requests to the lab, and faults among them. */
  acknowledged: number
  calls: number
  inDoubt: number
  requests: number
  faults: number
  /** What processes were last seen doing before they were killed. */
  killedWhile: Record<string, number>
  /** How often what must never happen happened. */
  offences: Record<Offence, number>
  findings: readonly Finding[]
}

/** Level 2; level 1; level 1 with effects that are steps. */
const flavours = ['agent', 'loop', 'steps'] as const
/** After this many kills a session is left alone to finish. */
const killsOfSession = 12
/** A session that needs more processes than this makes no progress. */
const mostLives = 60

export async function runCampaign({
  store,
  kills,
  seed,
  minutes = Infinity,
  serverKills = 0,
  tell,
}: CampaignOptions): Promise<CampaignResult> {
  const random = seededRandom(seed)
  const endsAt = performance.now() + minutes * 60_000
  const none = Object.fromEntries(Object.keys(offences).map((name) => [name, 0])) as Record<Offence, number>
  const sum = {
    kills: 0,
    serverKills: 0,
    sessions: 0,
    processes: 0,
    acknowledged: 0,
    calls: 0,
    inDoubt: 0,
    requests: 0,
    faults: 0,
  }
  const result = { store, seed, ...sum, killedWhile: {} as Record<string, number>, offences: none }
  const findings: Finding[] = []
  const place = await openPlace(store)
  try {
    while (result.kills < kills && performance.now() < endsAt) {
      const flavour = flavours[result.sessions % flavours.length]!
      result.sessions += 1
      const mayKill = Math.min(killsOfSession, kills - result.kills)
      const name = `${flavour}-${result.sessions}`
      /** A kill of the server in most lives, until there were enough. */
      const strike = () => {
        const { killServer } = place
        if (!killServer || result.serverKills >= serverKills || random() > 0.6) return undefined
        const act = () => {
          result.serverKills += 1
          killServer()
        }
        return { plan: drawKill(random), act }
      }
      const labSeed = seed * 10_000 + result.sessions
      const played = await playSession(place, { name, flavour, mayKill, seed: labSeed, random, strike })
      const found = judge(played)
      findings.push(...found)
      for (const { offence } of found) result.offences[offence] += 1
      add(result, played)
      tell?.(`${result.kills} kills, ${result.sessions} sessions, ${findings.length} findings`)
    }
  } finally {
    await place.close()
  }
  return { ...result, findings }
}

interface SessionPlan {
  name: string
  flavour: (typeof flavours)[number]
  mayKill: number
  seed: number
  random: () => number
  strike: () => LifePlan['strike']
}

/** A session with all of its processes. */
type Played = Omit<Evidence, 'lives'> & { lives: readonly Lived[] }

async function playSession(
  place: Place,
  { name, flavour, mayKill, seed, random, strike }: SessionPlan,
): Promise<Played> {
  let onRequest = () => {}
  const lab = await startLab({
    model: (conversation) => (onRequest(), model(conversation)),
    outages,
    seed,
    // So that a kill can land inside an answer.
    chunkDelayMs: 1,
  })
  try {
    const effects = join(place.dir, `${name}.effects`)
    const lives: Lived[] = []
    const asked = new Set<string>()
    let killed = 0
    for (;;) {
      const answers = answersTo(asked, effectsIn(effects))
      const argument = { ...place.argument, session: name, flavour, tasks, lab: lab.url, effects, answers, toolMs: 8 }
      const kill = killed < mayKill ? drawKill(random) : undefined
      const life = await live({
        argument: { ...argument, life: lives.length + 1 },
        kill,
        strike: strike(),
        onRequest: (listener) => (onRequest = listener),
      })
      lives.push(life)
      await place.whole()
      if (life.end === 'killed') killed += 1
      // A server comes back. A dead owner's pid may have been reused; then its lease has to expire.
      if (life.end === 'not-now') await sleep(1000)
      for (const line of life.said) if ('asks' in line) asked.add(line.asks)
      const goesOn = life.end === 'killed' || life.end === 'asks' || life.end === 'not-now'
      if (!goesOn || lives.length >= mostLives) break
    }
    const journal: Entry[] = []
    for await (const entry of place.store.read(name)) journal.push(entry)
    const { snapshot } = await foldJournal(journal, machineVersion)
    const isHeld = Boolean((await place.store.summary(name))?.holder)
    const requests = [...lab.requests]
    return { session: name, lives, journal, state: snapshot.value, isHeld, effects: effectsIn(effects), requests }
  } finally {
    await lab.close()
  }
}

function effectsIn(path: string): EffectLine[] {
  return existsSync(path) ? linesOf<EffectLine>(readFileSync(path, 'utf8')) : []
}

/** The person: looks whether the call had its effect, now that no process runs it. */
function answersTo(asked: ReadonlySet<string>, effects: readonly EffectLine[]): Answers {
  const isDone = (call: string) => effects.some((line) => line.at === 'effect' && line.call === call)
  return Object.fromEntries([...asked].map((call) => [call, isDone(call) ? 'report' : 'rerun']))
}

function add(result: Omit<CampaignResult, 'findings'>, { lives, effects, journal, requests }: Played): void {
  const killed = lives.filter(({ end }) => end === 'killed')
  for (const { last } of killed) result.killedWhile[last] = (result.killedWhile[last] ?? 0) + 1
  result.kills += killed.length
  result.processes += lives.length
  result.acknowledged += lives.flatMap(({ said }) => said.filter((line) => 'entry' in line)).length
  result.calls += effects.filter(({ at }) => at === 'begin').length
  result.inDoubt += JSON.stringify(journal).split('outcome is unknown').length - 1
  result.requests += requests.length
  result.faults += requests.filter(({ outcome }) => outcome.kind === 'fault').length
}
