/** Telemetry across processes: a link from the continued turn to the one whose process was killed; and with no SDK. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Anthropic from '@anthropic-ai/sdk'
import { defineAgent } from '@lastgood/anthropic'
import { memoryStore } from '@lastgood/core'
import { otel } from '@lastgood/otel'
import { reply, startLab, text } from '@lastgood/outage-lab'
import { expect, onTestFinished, test } from 'vitest'
import { newFolder } from './support/folder.ts'
import { openTestSession } from './support/harness.ts'
import { recoveryStory, task } from './support/recovery-story.ts'
import { startNode } from './support/running-process.ts'

const program = fileURLToPath(new URL('./fixtures/traced-process.mjs', import.meta.url))

test('a killed turn is linked from the turn of the process that goes on with it', async () => {
  const lab = await startLab({ model: recoveryStory })
  onTestFinished(() => lab.close())
  const dir = newFolder()
  const plan = JSON.stringify({ task, lab: lab.url, dir, effects: join(dir, 'effects') })
  const start = () => startNode([program, plan])
  const first = start()
  const [, turn = ''] = /^stuck (\w{32}-\w{16})$/.exec(await first.firstLine()) ?? []
  expect(turn).not.toBe('')
  await first.kill()
  const second = start()
  const told = JSON.parse((await second.firstLine()).replace(/^turn /, '')) as object
  await second.ended
  expect(told).toMatchObject({
    linked: [turn],
    events: ['lastgood.resumed', 'lastgood.checkpoint'],
    attributes: { 'lastgood.turn.outcome': 'ok' },
  })
})

test('without an SDK of OpenTelemetry a session runs as without telemetry, and keeps nothing', async () => {
  const lab = await startLab({
    model: () => reply(text('Hello.')),
    outages: [{ when: { request: 1 }, fault: { kind: 'status', status: 529 } }],
  })
  onTestFinished(() => lab.close())
  const store = memoryStore()
  const session = await openTestSession(store, { telemetry: otel() })
  const client = new Anthropic({ baseURL: lab.url, apiKey: 'test', logLevel: 'off' })
  const agent = defineAgent({ name: 'coder', client, model: 'claude-opus-5-5' })
  await expect(session.run(agent, 'Hello?')).resolves.toMatchObject({ text: 'Hello.' })
  await session.close()
  expect(await store.shared.list('spans:')).toEqual([])
})
