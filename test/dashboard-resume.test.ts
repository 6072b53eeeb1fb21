/** The built dashboard resumes a session as the built command does: in the session's folder, by its configuration. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { relative, join } from 'node:path'
import { fileStore } from '@lastgood/core/file'
import { reply, story, text, toolUse, type Outage } from '@lastgood/outage-lab'
import { expect, test } from 'vitest'
import { place } from '../packages/cli/test/processes.ts'
import { startDashboard, type DashboardProcess } from './support/dashboard-process.ts'
import { newFolder } from './support/folder.ts'

const model = story([
  reply([text('Looking.'), toolUse('run', { command: 'ls' })]),
  reply([text('Now the long one.'), toolUse('run', { command: 'hang' })]),
  reply(text('The tests are green.')),
])
const hasProc = existsSync('/proc/self/environ')
const downFrom = (request: number): Outage => ({
  when: { requests: [request, Infinity] },
  fault: { kind: 'status', status: 529 },
})

/** A session whose process was killed in a tool, and a dashboard that was started in another folder. */
async function killed(outages: Outage[] = []) {
  const at = await place({ model, outages })
  const program = at.start('program')
  await program.saw('HANGING')
  program.child.kill('SIGKILL')
  await program.ended
  const home = newFolder()
  const dashboard = await startDashboard(['--store', relative(home, join(at.cwd, 'state'))], {
    home,
    env: { LAB_URL: at.lab.url, WAIT_MS: '20', LASTGOOD_DASHBOARD_TOKEN: 'a-token-of-my-own-choice' },
  })
  return { at, dashboard, store: fileStore({ dir: join(at.cwd, 'state') }) }
}

const resume = ({ ask, token }: DashboardProcess) =>
  ask('/api/sessions/fix-auth/resume', {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ reason: 'the provider is back' }),
  })

/** The resumes of the dashboard with this home: what everybody on the machine can read of them, and what only we can. */
function resumesOf(home: string): { argv: string; env: string }[] {
  return readdirSync('/proc').flatMap((pid) => {
    try {
      const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      const env = readFileSync(`/proc/${pid}/environ`, 'utf8')
      return argv.includes('resume fix-auth --yes') && env.includes(`HOME=${home}`) ? [{ argv, env }] : []
    } catch {
      return []
    }
  })
}

test('P2: a killed session goes on from the page: finished tools keep their results, the one in doubt is not repeated', async () => {
  const { at, dashboard, store } = await killed()
  const { status, body } = await resume(dashboard)
  expect({ status, body }).toEqual({ status: 200, body: expect.stringContaining('"sessionId":"fix-auth"') })
  await expect
    .poll(async () => (await store.summary('fix-auth'))?.head, { timeout: 10_000 })
    .toMatchObject({ status: 'idle', lastGoodTurn: 1 })
  expect(readFileSync(join(at.cwd, 'ran.log'), 'utf8')).toBe('ls\nhang\n')
  // What it has started may still give its lease back.
  dashboard.child.kill('SIGINT')
  expect(await dashboard.ended).toBe(0)
})

test('what it has started ends with it: suspended, and with nothing of the token', async () => {
  const { dashboard, store } = await killed([downFrom(3)])
  expect((await resume(dashboard)).status).toBe(200)
  await expect.poll(async () => (await store.summary('fix-auth'))?.head.status, { timeout: 10_000 }).toBe('waiting')
  if (hasProc) {
    const [resumed, ...others] = resumesOf(dashboard.home)
    expect(others).toEqual([])
    expect(resumed?.argv).not.toContain('--store')
    expect(`${resumed?.argv}${resumed?.env}`).not.toContain(dashboard.token)
  }
  dashboard.child.kill('SIGINT')
  expect(await dashboard.ended).toBe(0)
  expect(await store.summary('fix-auth')).toMatchObject({
    head: { status: 'suspended', reason: 'stopped by SIGTERM' },
    holder: null,
  })
  if (hasProc) expect(resumesOf(dashboard.home)).toEqual([])
})
