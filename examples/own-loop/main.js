// @ts-check
/**
 * The same loop twice, against an API that fails: once with the SDK alone, once with one line of lastgood.
 *
 *     npm start
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Anthropic from '@anthropic-ai/sdk'
import { openSession, recoverable } from '@lastgood/anthropic'
import { fileStore } from '@lastgood/core/file'
import { reply, startLab, story, text, toolUse } from '@lastgood/outage-lab'
import { loop, runs } from './loop.js'

/** What the model says: three steps, each expecting the result of the one before. */
const model = story([
  reply([text('One.'), toolUse('count', { n: 1 })]),
  { expect: { toolResult: 'counted 1' }, reply: reply([text('Two.'), toolUse('count', { n: 2 })]) },
  { expect: { toolResult: 'counted 2' }, reply: reply(text('Done.')) },
])

/** The faults, by request number. @type {import('@lastgood/outage-lab').Outage[]} */
const outages = [
  { when: { requests: [2, 4] }, fault: { kind: 'status', status: 500 } },
  { when: { request: 5 }, fault: { kind: 'cut', after: { inside: 'tool_use' }, how: 'reset' } },
  { when: { request: 7 }, fault: { kind: 'status', status: 529 } },
  { when: { request: 8 }, fault: { kind: 'cut', after: { inside: 'text' }, how: 'end' } },
]

const dir = await mkdtemp(join(tmpdir(), 'lastgood-own-loop-'))
try {
  await withoutTheLine()
  await withTheLine()
} finally {
  await rm(dir, { recursive: true })
}

async function withoutTheLine() {
  const lab = await startLab({ model, outages })
  const client = new Anthropic({ baseURL: lab.url, apiKey: 'any' })
  const error = await loop(client, [{ role: 'user', content: 'Count.' }]).then(() => undefined, String)
  await lab.close()
  assert(error, 'the loop should have failed')
  console.log(`the SDK alone:  ${error.slice(0, 60)} (${lab.requests.length} requests, its own retries among them)\n`)
}

async function withTheLine() {
  runs.length = 0
  const lab = await startLab({ model, outages })
  const session = await openSession('own-loop', { store: fileStore({ dir }) })
  session.subscribe(tell)
  const client = recoverable(new Anthropic({ baseURL: lab.url, apiKey: 'any' }), session) // the line

  await loop(client, [{ role: 'user', content: 'Count.' }])

  const failed = lab.requests.filter(({ outcome }) => outcome.kind === 'fault').length
  console.log(
    `\nwith the line:  turn ${session.lastGoodTurn} is saved; ${lab.requests.length} requests, ${failed} failed`,
  )
  console.log(`tools ran:      ${runs.join(', ')}`)
  assert.deepEqual(runs, [1, 2])
  assert.deepEqual([session.lastGoodTurn, failed], [1, 6])
  await session.close()
  await lab.close()
}

/** @param {import('@lastgood/core').SessionEvent} event */
function tell(event) {
  if (event.type !== 'entry') return
  const { entry } = event
  const what = entry.type === 'fault-observed' ? `${entry.fault.kind}: ${entry.decision.kind}` : ''
  console.log(`  ${String(entry.seq).padStart(2)} ${entry.type} ${what}`)
}
