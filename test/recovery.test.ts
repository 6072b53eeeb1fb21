/** One story on every store: faults, a kill while a tool runs, a redeploy, and a resume. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { foldJournal, machineVersion, memoryStore, openSession, type Store } from '@lastgood/core'
import { fileStore } from '@lastgood/core/file'
import { redisStore } from '@lastgood/redis'
import { startLab, type Lab, type RecordedRequest } from '@lastgood/outage-lab'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { countingAgent, waits, whenStuck } from './fixtures/counting-agent.mjs'
import { newFolder } from './support/folder.ts'
import { entriesOf } from './support/harness.ts'
import { recoveryOutages, recoveryStory, task } from './support/recovery-story.ts'
import { startNode } from './support/running-process.ts'

const program = fileURLToPath(new URL('./fixtures/counting-process.mjs', import.meta.url))
const before = { machineVersion: 'the release before' }

let lab: Lab
let dir: string
let effects: string
beforeEach(async () => {
  dir = newFolder()
  effects = join(dir, 'effects')
  lab = await startLab({ model: recoveryStory, outages: recoveryOutages })
})
afterEach(() => lab.close())

/** The agent in a process of its own. */
const start = (plan: object) => startNode([program, JSON.stringify({ task, lab: lab.url, effects, ...plan })])

async function killAndResume(plan: object, options: object): Promise<number> {
  const first = start({ ...plan, options: before })
  expect(await first.firstLine()).toBe('stuck')
  await first.kill()
  const killedAt = lab.requests.length
  const second = start({ ...plan, redeployed: true, options })
  expect(await second.firstLine()).toBe('reply done')
  await second.ended
  return killedAt
}

const bodyOf = (request: RecordedRequest) => request.body as { system: unknown; tools: unknown; messages: unknown[] }
const usageOf = ({ outcome }: RecordedRequest) => ('usage' in outcome ? outcome.usage : undefined)

async function expectNothingLost(store: Store, killedAt: number): Promise<void> {
  expect((await readFile(effects, 'utf8')).trim().split('\n').sort()).toEqual(['1', '2', '3', '4'])
  const entries = await entriesOf(store)
  expect(entries.filter((entry) => entry.type === 'session-resumed')).toMatchObject([{ refolded: true }])
  const outcomes = entries.flatMap((entry) => (entry.type === 'tool-finished' ? [entry.outcome] : []))
  expect(outcomes).toEqual(['ran', 'ran', 'in-doubt', 'ran', 'ran'])
  const folded = await foldJournal(entries, machineVersion)
  expect(folded.snapshot.context).toMatchObject({ turn: 1, lastGoodTurn: 1 })
  expect((await store.summary('ses'))?.holder).toBeNull()
  expect(lab.requests.filter((request) => request.outcome.kind === 'rejected')).toEqual([])

  // What is re-sent is what was sent, byte for byte, and the cache of the API confirms it.
  const last = lab.requests[killedAt - 1]!
  const resumed = lab.requests.slice(killedAt).find((request) => request.outcome.kind === 'ok')!
  for (const part of ['system', 'tools'] as const) {
    expect(JSON.stringify(bodyOf(resumed)[part])).toBe(JSON.stringify(bodyOf(last)[part]))
  }
  const sent = JSON.stringify(bodyOf(last).messages).slice(0, -1)
  expect(JSON.stringify(bodyOf(resumed).messages).startsWith(sent)).toBe(true)
  const { cache_read_input_tokens: read = 0, cache_creation_input_tokens: written = 0 } = usageOf(last) ?? {}
  expect(usageOf(resumed)?.cache_read_input_tokens).toBe(read + written)
}

const claim = 'goes on from the last good step: nothing lost, nothing run twice (P1, P2, P4)'

test(`on the file store, a killed agent ${claim}`, async () => {
  const state = join(dir, 'state')
  await expectNothingLost(fileStore({ dir: state }), await killAndResume({ dir: state }, {}))
})

test.each([
  ['the same host', {}],
  [
    'another host that shares only Redis',
    { owner: { id: 'b', host: 'other', realm: 'other', pid: 1 }, takeover: true },
  ],
])(`on the Redis store, resumed from %s, a killed agent ${claim}`, async (_where, options) => {
  const client = new Redis(inject('redisUrl'))
  try {
    const prefix = `recovery-${dir.slice(-6)}`
    const killedAt = await killAndResume({ redis: inject('redisUrl'), prefix }, options)
    await expectNothingLost(redisStore(client, { prefix }), killedAt)
  } finally {
    await client.quit()
  }
})

test(`on the memory store, an agent that lost its session ${claim}`, async () => {
  const store = memoryStore()
  const first = await openSession('ses', { store, policy: { rules: waits }, ...before })
  const { hang, stuck } = whenStuck(first)
  const lost = first.run(countingAgent({ effects, lab: lab.url, onHang: hang }), task)
  lost.catch(() => {}) // it hangs for ever
  await stuck
  const killedAt = lab.requests.length
  const second = await openSession('ses', { store, policy: { rules: waits }, takeover: true })
  await second.run(countingAgent({ effects, lab: lab.url, redeployed: true, onHang: () => {} }), task)
  await second.close()
  await expectNothingLost(store, killedAt)
  await first.close()
})
