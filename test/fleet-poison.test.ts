/** A session that kills every worker that continues it, among healthy ones. */
import { mkdirSync, readdirSync } from 'node:fs'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { fleetClient } from '@lastgood/fleet'
import { reply, startLab, text, toolResults, toolUse, type Conversation } from '@lastgood/outage-lab'
import { redisStore } from '@lastgood/redis'
import { Redis } from 'ioredis'
import { expect, inject, it, onTestFinished } from 'vitest'
import { newFolder } from './support/folder.ts'
import { startTold, type ToldProcess } from './support/told-process.ts'

const patient = { timeout: 50_000, interval: 50 }
const stepCount = 6

function model(conversation: Conversation) {
  const done = toolResults(conversation).length
  const session = /Session ([\w-]+):/.exec(JSON.stringify(conversation.messages[0]))?.[1]
  if (done === stepCount) return reply(text('All steps are done.'))
  return reply([text(`Step ${done + 1}.`), toolUse('step', { session, n: done + 1 })])
}

it('P6: is set aside after four of them, and the others complete', { timeout: 90_000 }, async () => {
  const lab = await startLab({ model })
  onTestFinished(() => lab.close())
  const effects = newFolder()
  for (const name of ['done', 'drafts']) mkdirSync(join(effects, name))
  const redis = new Redis(inject('redisUrl'))
  onTestFinished(() => redis.disconnect())
  const prefix = `test:${randomUUID()}`
  const store = redisStore(redis, { prefix })
  const client = fleetClient({ store, connection: redis, prefix })
  onTestFinished(() => client.close())

  // Whoever supervises workers starts a new one where one died.
  const plan = {
    redis: inject('redisUrl'),
    prefix,
    lab: lab.url,
    effects,
    release: 1,
    leaseMs: 600,
    concurrency: 20,
    stepMs: 100,
  }
  const workers: ToldProcess<{ kind: string }>[] = []
  let isOver = false
  onTestFinished(() => void (isOver = true))
  const supervise = async (): Promise<void> => {
    const worker = startTold<{ kind: string }>('fleet-process.mjs', { ...plan, poison: 'poison' })
    workers.push(worker)
    const { signal } = await worker.ended
    if (signal === 'SIGKILL' && !isOver) await supervise()
  }
  for (let i = 0; i < 2; i++) void supervise()

  const innocents = Array.from({ length: 20 }, (_, i) => `s-${i}`)
  for (const id of ['poison', ...innocents])
    await client.submit(id, `Session ${id}: do all steps.`, { agent: 'worker' })

  const head = async (id: string) => (await store.summary(id))?.head
  const unfinished = async () => {
    const heads = await Promise.all(innocents.map(head))
    return heads.filter((one) => one?.lastGoodTurn !== 1).length
  }
  await expect.poll(unfinished, patient).toBe(0)
  const reason = expect.stringContaining('lastgood resume poison')
  await expect.poll(() => head('poison'), patient).toMatchObject({ status: 'needs-input', lastGoodTurn: 0, reason })
  await expect
    .poll(() => client.status(), patient)
    .toMatchObject({
      agents: { worker: { waiting: 0, active: 0 } },
      due: 0,
      later: 0,
      started: 0,
    })
  isOver = true
  expect(workers).toHaveLength(2 + 4)
  expect(readdirSync(join(effects, 'done'))).toHaveLength(innocents.length * stepCount)
})
