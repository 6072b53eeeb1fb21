/** S12: the laptop is dead; its sessions are in Redis. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { reply, story, text, toolUse } from '@lastgood/outage-lab'
import { expect, onTestFinished, test } from 'vitest'
import { newFolder } from '../support/folder.ts'
import { startRedis } from '../support/redis-server.ts'
import { journey, keepScreen, newProject } from './stage.ts'

const model = story([
  reply(text('The tests are green.')),
  reply([text('Looking.'), toolUse('read', { path: 'notes' }), toolUse('shell', { command: 'publish' })]),
  { expect: { toolResult: 'outcome is unknown' }, reply: reply(text('I looked: it is published.')) },
])

interface Listed {
  sessions: { sessionId: string; status: string; recoverable: boolean; cwd: string; heldBy: { host: string } | null }[]
}

test('S12: with REDIS_URL another machine lists the session, warns of the folder, and goes on; nothing runs twice (P1, P2)', async () => {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  const at = await journey({ model }, { REDIS_URL: redis.url })
  const laptop = { LAPTOP: 'laptop', LEASE_MS: '4000', HANG: 'shell' }
  const program = at.start('main', ['fix-auth', 'Make the tests green', 'Publish it'], { env: laptop })
  await program.saw('HANGING')

  // The new machine: another home, another folder, today's checkout of the project. It shares the address of Redis.
  const machine = newFolder()
  mkdirSync(join(machine, 'home'))
  const there = { cwd: newProject(join(machine, 'checkout')), env: { HOME: join(machine, 'home') } }

  const early = await at.run('lastgood', ['resume', 'fix-auth'], there)
  expect(early).toMatchObject({ code: 5, stderr: expect.stringMatching(/written by pid \d+ on laptop since/) })
  // Whether the laptop is dead cannot be known from here; its lease tells.
  await program.kill()
  const listed = () => at.json<Listed>('lastgood', ['list'], there).then(({ sessions }) => sessions)
  await expect.poll(async () => (await listed())[0]?.recoverable, { timeout: 15_000, interval: 100 }).toBe(true)
  expect(await listed()).toMatchObject([{ sessionId: 'fix-auth', status: 'interrupted', cwd: at.cwd, heldBy: null }])

  const { code, stdout, stderr } = await at.run('lastgood', ['resume', 'fix-auth'], there)
  keepScreen('s12-other-machine', stderr + stdout)
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'I looked: it is published.\n' })
  expect(stderr).toContain(`store    ${redis.url}`)
  expect(stderr).toContain(`note: recorded in ${at.cwd}, but this is ${there.cwd}`)
  expect(stderr).toContain('saved at turn 1; turn 2 is open: continuing with 1 tool call')
  expect(stderr).toContain('? shell publish was in doubt: not repeated; the model is told to check first')
  expect(at.ran).toEqual(['shell publish'])
  expect(at.lab.requests).toHaveLength(3)
  expect(at.lab.requests.filter(({ violation }) => violation)).toEqual([])
})
