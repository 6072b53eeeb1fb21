/** Telemetry across processes: a link from the continued turn to the one whose process was killed; and with no SDK. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import Anthropic from '@anthropic-ai/sdk'
import { defineAgent } from '@lastgood/anthropic'
import { memoryStore } from '@lastgood/core'
import { otel } from '@lastgood/otel'
import { reply, startLab, text } from '@lastgood/outage-lab'
import { expect, onTestFinished, test } from 'vitest'
import { openTestSession } from './support/harness.ts'
import { recoveryStory, task } from './support/recovery-story.ts'

const program = fileURLToPath(new URL('./fixtures/traced-process.mjs', import.meta.url))

test('a killed turn is linked from the turn of the process that goes on with it', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'lastgood-traced-'))
  const lab = await startLab({ model: recoveryStory })
  const children: ChildProcess[] = []
  onTestFinished(async () => {
    for (const child of children) child.kill('SIGKILL')
    await lab.close()
    await rm(dir, { recursive: true, force: true })
  })
  const plan = JSON.stringify({ task, lab: lab.url, dir, effects: join(dir, 'effects') })
  const start = () => {
    const child = spawn(process.execPath, [program, plan], { stdio: ['ignore', 'pipe', 'inherit'] })
    children.push(child)
    const ended = once(child, 'exit')
    const line = once(createInterface(child.stdout), 'line').then(([first]) => String(first))
    return { child, ended, line: Promise.race([line, ended.then(() => line)]) }
  }
  const first = start()
  const [, turn = ''] = /^stuck (\w{32}-\w{16})$/.exec(await first.line) ?? []
  expect(turn).not.toBe('')
  first.child.kill('SIGKILL')
  await first.ended
  const second = start()
  const told = JSON.parse((await second.line).replace(/^turn /, '')) as object
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
