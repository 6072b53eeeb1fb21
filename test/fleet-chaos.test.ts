/**
 * A fleet under everything at once: 200 sessions on four worker processes while the API has outages, workers are killed
 * and frozen, Redis fails over, and a newer release takes over worker by worker. Every session completes, every step has
 * its effect once, and nothing is left.
 */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Entry, Store } from '@lastgood/core'
import { seededRandom } from '@lastgood/core/testing'
import { fleetClient } from '@lastgood/fleet'
import { reply, startLab, text, toolResults, toolUse, type Conversation, type Outage } from '@lastgood/outage-lab'
import { redisStore } from '@lastgood/redis'
import { Redis } from 'ioredis'
import { expect, it, onTestFinished } from 'vitest'
import { startSentinel, type RunningSentinel } from '../packages/redis/test/sentinel.ts'
import { newFolder } from './support/folder.ts'
import { startTold, type ToldProcess } from './support/told-process.ts'

const seed = Number(process.env['LASTGOOD_CHAOS_SEED'] ?? 1)
const [sessionCount, workerCount, stepCount] = [200, 4, 4]
const patient = { timeout: 60_000, interval: 100 }

interface Told {
  kind: string
  [field: string]: unknown
}

/** The next step of the session that the first message names, until all are done. */
function model(conversation: Conversation) {
  const done = toolResults(conversation).length
  const session = /Session (s-\d+)/.exec(JSON.stringify(conversation.messages[0]))?.[1]
  if (done === stepCount) return reply(text('All steps are done.'))
  return reply([text(`Step ${done + 1}.`), toolUse('step', { session, n: done + 1 })])
}

const outages: Outage[] = [
  { when: { window: [4_000, 8_000] }, fault: { kind: 'status', status: 529 } },
  {
    when: { window: [0, 120_000], rate: 0.08 },
    fault: {
      oneOf: [
        { weight: 3, fault: { kind: 'status', status: 500 } },
        { weight: 2, fault: { kind: 'reset', at: 'before-headers' } },
        { weight: 2, fault: { kind: 'cut', after: { inside: 'tool_use' }, how: 'reset' } },
        { weight: 1, fault: { kind: 'cut', after: { before: 'message_stop' }, how: 'end' } },
      ],
    },
  },
]

interface Stage {
  readonly store: Store
  readonly redis: Redis
  readonly effects: string
  readonly plan: object
  /** Those that live, and those that ended. */
  readonly workers: { process: ToldProcess<Told>; release: number }[]
  readonly ended: ToldProcess<Told>[]
}

const countEffects = ({ effects }: Stage): number => readdirSync(join(effects, 'done')).length

function start(stage: Stage, release: number): void {
  stage.workers.push({ process: startTold<Told>('fleet-process.mjs', { ...stage.plan, release }), release })
}

/** Takes a worker out of those that live. */
function take(stage: Stage, at: number): Stage['workers'][number] {
  const [worker] = stage.workers.splice(at, 1) as [Stage['workers'][number]]
  stage.ended.push(worker.process)
  return worker
}

/** The sessions that a process holds, each with its last entry. */
async function heldBy(store: Store, { child }: ToldProcess<Told>): Promise<Map<string, number>> {
  const held = new Map<string, number>()
  for await (const { head, holder } of store.list()) {
    if (holder && holder.owner.pid === child.pid) held.set(head.sessionId, head.seq)
  }
  return held
}

/** Freezes whoever has the most to do: one that has only just started may find nothing left to hold. */
async function freeze(stage: Stage): Promise<Stage['workers'][number]> {
  let at = 0
  const busiest = async () => {
    const sizes = await Promise.all(stage.workers.map(async ({ process }) => (await heldBy(stage.store, process)).size))
    const size = Math.max(...sizes)
    at = sizes.indexOf(size)
    return size
  }
  await expect.poll(() => busiest().catch(() => 0), patient).toBeGreaterThan(3)
  const [frozen] = stage.workers.splice(at, 1) as [Stage['workers'][number]]
  frozen.process.child.kill('SIGSTOP')
  return frozen
}

/** Wakes it up when others go on with half of what it held: as a stale writer. */
async function thaw({ store, workers }: Stage, frozen: Stage['workers'][number]): Promise<void> {
  const held = await heldBy(store, frozen.process)
  const taken = async () => {
    const summaries = await Promise.all([...held.keys()].map((id) => store.summary(id)))
    return summaries.filter((one) => one && one.head.seq > (held.get(one.head.sessionId) ?? 0)).length
  }
  await expect.poll(() => taken().catch(() => 0), patient).toBeGreaterThanOrEqual(Math.ceil(held.size / 2))
  frozen.process.child.kill('SIGCONT')
  workers.push(frozen)
}

/** Everything acknowledged is on the replica when the master dies: what Redis loses otherwise is not what this is about. */
async function failOver({ master }: RunningSentinel, redis: Redis): Promise<void> {
  const own = new Redis(master.url)
  own.on('error', () => undefined)
  onTestFinished(() => own.disconnect())
  await own.call('CLIENT', 'PAUSE', '60000', 'WRITE')
  const isBehind = async () => {
    const info = await own.info('replication')
    const [, offset] = /offset=(\d+)/.exec(info) ?? []
    return offset !== /master_repl_offset:(\d+)/.exec(info)?.[1]
  }
  await expect.poll(isBehind, { ...patient, interval: 20 }).toBe(false)
  await master.kill()
  await expect.poll(() => redis.info('replication').catch(() => ''), patient).toContain('role:master')
}

async function entriesOf(store: Store, id: string): Promise<Entry[]> {
  const entries: Entry[] = []
  for await (const entry of store.read(id)) entries.push(entry)
  return entries
}

it(
  'P1 P2 P3 P6: every session completes and every step happens once, whatever is killed, frozen, failed over and upgraded',
  { timeout: 180_000 },
  async () => {
    const random = seededRandom(seed)
    const sentinel = await startSentinel()
    onTestFinished(sentinel.stop)
    const lab = await startLab({ model, outages, seed, toolIds: 'fresh' })
    onTestFinished(() => lab.close())
    const effects = newFolder()
    for (const name of ['done', 'drafts']) mkdirSync(join(effects, name))
    const redis = new Redis({
      sentinels: [{ host: '127.0.0.1', port: sentinel.sentinelPort }],
      name: 'main',
      // What was under way at a fail-over may never be answered; it is asked again.
      commandTimeout: 5_000,
    })
    redis.on('error', () => undefined)
    onTestFinished(() => redis.disconnect())
    const prefix = 'chaos'
    const store = redisStore(redis, { prefix })
    const client = fleetClient({ store, connection: redis, prefix, machineVersion: 'chaos-1' })
    onTestFinished(() => client.close())
    const plan = {
      sentinel: sentinel.sentinelPort,
      prefix,
      lab: lab.url,
      effects,
      leaseMs: 2_000,
      concurrency: 15,
      stepMs: 150,
    }
    const stage: Stage = { store, redis, effects, plan, workers: [], ended: [] }

    for (let i = 0; i < workerCount; i++) start(stage, 1)
    const ids = Array.from({ length: sessionCount }, (_, i) => `s-${i}`)
    for (let from = 0; from < ids.length; from += 20) {
      const chunk = ids.slice(from, from + 20)
      await Promise.all(chunk.map((id) => client.submit(id, `Session ${id}: do all steps.`, { agent: 'worker' })))
    }

    // What happens next comes after so many steps, not after so much time: a slow machine has the same story.
    const all = sessionCount * stepCount
    const story = [
      'kill',
      'freeze',
      'kill',
      'upgrade',
      'fail-over',
      'kill',
      'upgrade',
      'freeze',
      'kill',
      'upgrade',
      'kill',
    ]
    const thawed: Promise<void>[] = []
    for (const [i, event] of story.entries()) {
      const share = (i + 0.5 + random() / 2) / (story.length + 2)
      await expect.poll(() => countEffects(stage), patient).toBeGreaterThan(Math.floor(all * share))
      const at = Math.floor(random() * stage.workers.length)
      const isNew = i >= 3
      switch (event) {
        case 'kill':
          take(stage, at).process.child.kill('SIGKILL')
          start(stage, isNew ? 2 : 1)
          break
        case 'freeze':
          thawed.push(thaw(stage, await freeze(stage)))
          break
        case 'upgrade': {
          const old = stage.workers.findIndex(({ release }) => release === 1)
          if (old >= 0) take(stage, old).process.child.kill('SIGTERM')
          start(stage, 2)
          break
        }
        case 'fail-over':
          await failOver(sentinel, redis)
          break
      }
    }
    await Promise.all(thawed)

    const open = async () => {
      const summaries = await Promise.all(ids.map((id) => store.summary(id)))
      return summaries
        .filter((one) => one?.head.lastGoodTurn !== 1 || one.holder !== null)
        .map((one) => one?.head.sessionId)
    }
    await expect.poll(open, patient).toEqual([])
    const worker = { waiting: 0, active: 0, paused: false }
    const nothing = { agents: { worker }, paused: false, due: 0, later: 0, started: 0 }
    await expect.poll(() => client.status(), patient).toEqual(nothing)

    for (const { process: worker } of stage.workers) worker.child.kill('SIGTERM')
    const told = [...stage.ended, ...stage.workers.map((one) => one.process)]
    for (const worker of told) {
      const { code, signal } = await worker.ended
      expect(signal ?? code).toBe(worker.child.killed && signal === 'SIGKILL' ? 'SIGKILL' : 0)
      expect(worker.told.filter(({ kind }) => kind === 'unhandled')).toEqual([])
    }

    const done = readdirSync(join(effects, 'done')).map((file) => readFileSync(join(effects, 'done', file), 'utf8'))
    const wanted = ids.flatMap((session) =>
      Array.from({ length: stepCount }, (_, n) => JSON.stringify({ session, n: n + 1 })),
    )
    expect(done.toSorted()).toEqual(wanted.toSorted())

    expect(lab.requests.filter(({ violation }) => violation)).toEqual([])
    const releases = new Map<string, Set<string>>()
    for (const { body } of lab.requests) {
      // Pinned is what the API has answered to; before that another release sends its own.
      const said = JSON.stringify(body)
      if (!said.includes('"assistant"')) continue
      const session = /Session (s-\d+)/.exec(said)?.[1] ?? ''
      releases.set(session, (releases.get(session) ?? new Set()).add(/Release (\d)/.exec(said)?.[1] ?? ''))
    }
    const ofBoth = [...releases.values()].filter(({ size }) => size !== 1)
    expect(ofBoth).toEqual([])
    expect(new Set([...releases.values()].flatMap((one) => [...one]))).toEqual(new Set(['1', '2']))

    let refolded = 0
    for (const id of ids) {
      const entries = await entriesOf(store, id)
      if (entries.some((entry) => entry.type === 'session-resumed' && entry.refolded)) refolded += 1
      expect(entries.filter(({ type }) => type === 'turn-ended')).toHaveLength(1)
    }
    expect(refolded).toBeGreaterThan(0)

    const expected = [
      /^chaos:\{s-\d+\}:(session|journal)$/,
      /^chaos:(sessions|shared)$/,
      /^chaos:fleet:(agents|sweep|recovery:\d+)$/,
      /^\{chaos:fleet\}:worker:(meta|id|events|stalled-check)$/,
      // They expire.
      /^chaos:\{limit:claude-opus-5-5@[0-9a-f]{16}\}:(bucket|tickets)$/,
    ]
    const keys = await redis.keys('*')
    expect(keys.filter((key) => !expected.some((pattern) => pattern.test(key)))).toEqual([])
    const events = told.flatMap((worker) => worker.told)
    const count = (kind: string) => events.filter((event) => event.kind === kind).length
    expect(count('handed-over')).toBeGreaterThan(0)
    expect(count('lost')).toBeGreaterThan(0)
    expect(count('set-aside')).toBe(0)
  },
)
