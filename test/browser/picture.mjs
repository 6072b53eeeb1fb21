// @ts-check
/**
 * Draws docs/timeline.png and its dark twin: a session with two short failures, an outage of 92 minutes, another model and a
 * process that died, on virtual time, as `lastgood show --html` shows it.
 *
 *     pnpm picture
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import Anthropic from '@anthropic-ai/sdk'
import { defineAgent, ladder, openSession, tool } from '@lastgood/anthropic'
import { fileStore } from '@lastgood/core/file'
import { ManualClock } from '@lastgood/core/testing'
import { createLab, reply, story, text, toolUse } from '@lastgood/outage-lab'
import { chromium } from 'playwright-core'
import { z } from 'zod'

const root = fileURLToPath(new URL('../..', import.meta.url))
const [second, minute] = [1_000, 60_000]
const width = 1040
const margin = 14
const mostBytes = 150_000
const sessionId = 'fix-auth'

const dir = await mkdtemp(join(tmpdir(), 'lastgood-picture-'))
try {
  await record(join(dir, 'state'))
  const page = join(dir, 'page.html')
  const program = join(root, 'packages/cli/dist/bin/lastgood.js')
  await promisify(execFile)(
    process.execPath,
    [program, 'show', sessionId, '--store', join(dir, 'state'), '--html', page],
    { cwd: dir },
  )
  await draw(page)
} finally {
  await rm(dir, { recursive: true })
}

/** @param {string} folder */
async function record(folder) {
  const clock = new ManualClock({ startAt: Date.parse('2026-11-29T09:55:00Z'), autoAdvance: true })
  const pass = (/** @type {number} */ ms) => clock.sleepUntil(clock.now() + ms)
  const words = 'I read the code of the login first, then I run its tests and see what is red.'
  const says = (/** @type {any[]} */ ...calls) => reply([text(words), ...calls])
  const lab = createLab({
    model: story([
      says(toolUse('read_file', {}), toolUse('read_file', {})),
      says(toolUse('bash', {})),
      says(toolUse('edit_file', {})),
      says(toolUse('bash', {})),
      reply(text(words)),
      says(toolUse('bash', {})),
      reply(text(words)),
      says(toolUse('bash', {})),
      says(toolUse('edit_file', {})),
      reply(text(words)),
      says(toolUse('edit_file', {})),
      reply(text(words)),
      says(toolUse('deploy', {})),
      says(toolUse('bash', {})),
      reply(text(words)),
    ]),
    now: () => clock.now(),
    sleep: pass,
    chunkDelayMs: 900,
  })
  const ms = { read_file: 1.5 * second, edit_file: second, bash: 7 * second, deploy: 12 * second }
  const status = (/** @type {number} */ code, type = 'overloaded_error') =>
    /** @type {const} */ ({ kind: 'status', status: code, type })
  const requests = () => lab.requests.length
  /** @type {() => void} */
  let onDeploy = () => {}
  const tools = Object.entries(ms).map(([name, length]) =>
    tool({
      name,
      description: name,
      input: z.object({}),
      inDoubt: name === 'deploy' ? 'report' : 'rerun',
      async run() {
        await pass(length)
        if (name === 'deploy') {
          onDeploy()
          await new Promise(() => {})
        }
        return 'done'
      },
    }),
  )
  const client = new Anthropic({ apiKey: 'any', baseURL: lab.url, fetch: lab.fetch })
  const agentOn = (/** @type {string | import('@lastgood/anthropic').Ladder} */ model) =>
    defineAgent({ name: 'coder', client, model, maxTokens: 1024, tools })
  const agent = agentOn('claude-opus-5-5')
  const store = fileStore({ dir: folder })
  const session = await openSession(sessionId, { store, clock, cwd: '/projects/checkout' })

  await session.run(agent, 'Make the tests of the login green')
  await pass(6 * second)
  lab.setOutages([
    { when: { request: requests() + 2 }, fault: status(529) },
    { when: { request: requests() + 3 }, fault: status(500, 'api_error') },
  ])
  await session.run(agent, 'Also those of the logout')
  await pass(6 * second)
  const down = clock.now() - lab.startedAt + 15 * second
  lab.setOutages([{ when: { window: [down, down + 92 * minute] }, fault: status(529) }])
  await session.run(agent, 'Now the table of sessions')
  await pass(6 * second)
  lab.setOutages([{ when: { requests: [1, Infinity], model: 'claude-opus-5-5' }, fault: status(529) }])
  await session.run(agentOn(ladder('claude-opus-5-5', 'claude-sonnet-5-5')), 'Write the changelog')
  await pass(6 * second)
  lab.setOutages([])
  const deploying = new Promise((resolve) => (onDeploy = () => resolve(undefined)))
  const killed = session.run(agent, 'Deploy it').catch(() => {})
  await deploying
  await pass(8 * second)

  // Another process finds it, as after a kill.
  const owner = { id: 'another', host: 'build-7', realm: 'another', pid: 4812 }
  const resumed = await openSession(sessionId, { store, clock, owner, takeover: true })
  await resumed.run(agent)
  assert.equal(resumed.lastGoodTurn, 5)
  await resumed.close()
  await Promise.race([killed, session.close().catch(() => {})])
}

/** @param {string} path */
async function draw(path) {
  const executablePath = process.env['LASTGOOD_CHROMIUM'] ?? '/usr/bin/chromium'
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
  try {
    for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
      const context = await browser.newContext({
        colorScheme,
        viewport: { width, height: 900 },
        deviceScaleFactor: 2,
        timezoneId: 'UTC',
      })
      const page = await context.newPage()
      await page.goto(pathToFileURL(path).href)
      const file = join(root, 'docs', colorScheme === 'light' ? 'timeline.png' : 'timeline-dark.png')
      const box = await page.locator('.timeline').boundingBox()
      assert(box)
      const clip = { x: 0, y: box.y - margin, width, height: box.height + 2 * margin }
      await writeFile(file, await page.screenshot({ clip, fullPage: true }))
      const { size } = await stat(file)
      console.log(`${file}: ${size} bytes`)
      assert(size < mostBytes, 'a picture is too large for the repository')
    }
  } finally {
    await browser.close()
  }
}
