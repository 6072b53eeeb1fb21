// On call: the page is opened at minute 0 of an outage with 40 sessions. It shows what is true within 5 seconds, who needs
// somebody and who does not, and resumes those that stopped one after another when the outage is over.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Anthropic from '@anthropic-ai/sdk'
import { defineAgent, ladder, openSession, type CodingAgent } from '@lastgood/anthropic'
import { isLastgoodError, type PolicyOptions, type Session, type Store } from '@lastgood/core'
import { fileStore } from '@lastgood/core/file'
import { reply, startLab, text, type Outage } from '@lastgood/outage-lab'
import type { Page } from 'playwright-core'
import { expect, it, onTestFinished } from 'vitest'
import { startDashboard } from '../support/dashboard-process.ts'
import { newFolder } from '../support/folder.ts'
import { describeInBrowser, keepScreen, useBrowser } from './support/browser.ts'
import { truthOf } from './support/journal-states.ts'
import { recordOf, recordPage, shownAt } from './support/page-record.ts'

const [patient, climbing, giving] = [31, 6, 3]
const minutes = 60_000
/** What the page promises. */
const inTimeMs = 5_000
/** A wait that lasts long enough to be judged. */
const waits: PolicyOptions = { rules: { overloaded: { baseMs: 1_000, capMs: 4_000, minMs: 8_000 } } }
const down: Outage[] = [
  { when: { requests: [1, Infinity], model: 'claude-opus-5-5' }, fault: { kind: 'status', status: 529 } },
]

describeInBrowser('on call', () => {
  const browser = useBrowser()

  it(
    '40 sessions in an outage: the truth within 5 s, 3 need somebody, and they are resumed one after another',
    { timeout: 4 * minutes },
    async () => {
      const lab = await startLab({ model: () => reply(text('Done.')) })
      onTestFinished(() => lab.close())
      const home = newFolder()
      configure(home, lab.url)
      const store = fileStore({ dir: join(home, 'state') })
      const stalls = watchStalls()
      const { port, token } = await startDashboard([], { home })

      const client = new Anthropic({ baseURL: lab.url, apiKey: 'any', logLevel: 'off' })
      const agent = (model: Parameters<typeof defineAgent>[0]['model']): CodingAgent =>
        defineAgent({ name: 'coder', client, model, maxTokens: 1024 })
      const plans = [
        ...Array.from({ length: patient }, () => ({ kind: 'patient', agent: agent('claude-opus-5-5'), policy: waits })),
        ...Array.from({ length: climbing }, () => ({
          kind: 'climbing',
          agent: agent(ladder('claude-opus-5-5', 'claude-sonnet-5-5')),
          policy: waits,
        })),
        ...Array.from({ length: giving }, () => ({
          kind: 'giving',
          agent: agent('claude-opus-5-5'),
          policy: { maxAttempts: 1 },
        })),
      ]
      const sessions = await Promise.all(
        plans.map(({ kind, policy }, index) => openSession(`${kind}-${index + 1}`, { store, policy, cwd: home })),
      )
      onTestFinished(async () => {
        for (const session of sessions) await session.close().catch(() => {})
      })
      const ids = sessions.map(({ id }) => id)

      await Promise.all(sessions.map((session, index) => session.run(plans[index]!.agent, 'Look around')))
      const { page, troubles } = await browser.open(`http://127.0.0.1:${port}/#token=${token}`)
      await page.waitForSelector('.group')
      await page.click('[data-group="done"] button')
      await expect.poll(() => groupsOn(page)).toEqual({ 'needs-you': 0, done: 40 })
      await recordPage(page)

      lab.setOutages(down)
      const runs = sessions.map((session, index) => runUntilParked(session, plans[index]!.agent))
      await expect
        .poll(() => groupsOn(page), { timeout: minutes })
        .toMatchObject({ 'needs-you': giving, waiting: patient, recovered: climbing })
      // It is half-open while a probe is on its way.
      await expect.poll(() => page.textContent('[data-provider="claude-opus-5-5"]')).toMatch(/down[^]*breaker open/)
      expect(await page.textContent('.verdict')).toMatch(
        /failing for everyone here, not because of your prompt, key or quota/,
      )
      // Long enough to be judged: the first wait of those that are patient.
      await expect
        .poll(async () => (await lasting(store, ids, 'waiting')) > inTimeMs + 2_000, { timeout: minutes })
        .toBe(true)
      await keepScreen(page, 'journey-outage')

      lab.setOutages([])
      await expect
        .poll(() => groupsOn(page), { timeout: minutes })
        .toMatchObject({ 'needs-you': giving, recovered: patient + climbing })
      expect(await Promise.all(runs.slice(0, patient + climbing))).toEqual(
        Array.from({ length: patient + climbing }, () => 'Done.'),
      )
      await expect.poll(() => page.textContent('[data-provider="claude-opus-5-5"]')).toMatch(/breaker closed/)

      await page.click('text=Resume all when up…')
      await page.fill('dialog [name=reason]', 'the outage is over')
      await page.click('dialog .primary')
      await expect.poll(() => groupsOn(page), { timeout: 2 * minutes }).toEqual({ 'needs-you': 0, recovered: 40 })
      await expect.poll(() => page.textContent('.deeds')).toContain('“the outage is over”')
      await keepScreen(page, 'journey-after')

      const resumes = await Promise.all(ids.slice(-giving).map((id) => resumedAndAnswered(store, id)))
      resumes.sort((a, b) => a.resumedAt - b.resumedAt)
      for (const [index, { resumedAt }] of resumes.entries()) {
        const before = resumes[index - 1]
        if (index === 1) expect(resumedAt).toBeGreaterThan(resumes[0]!.answeredAt)
        if (before) expect(resumedAt - before.resumedAt).toBeGreaterThan(1_000)
      }

      const { judged, late } = await judge(page, store, ids, inTimeMs + stalls.longest())
      expect(late).toEqual([])
      // Each one's wait, each one's parking, and everybody's end.
      expect(judged).toBeGreaterThanOrEqual(patient + giving + 40)
      expect(troubles).toEqual([])
    },
  )
})

/** A journal's status that lasted is to be on the page 5 seconds after it began, by the instants of both. */
async function judge(
  page: Page,
  store: Store,
  ids: readonly string[],
  inTime: number,
): Promise<{ judged: number; late: string[] }> {
  const record = await recordOf(page)
  const now = Date.now()
  const began = Math.min(...Object.values(record).map(([first]) => first?.at ?? now))
  const late: string[] = []
  let judged = 0
  for (const id of ids) {
    for (const { from, to = now, status } of await truthOf(store, id)) {
      const due = from + inTime
      if (due <= began || due >= to) continue
      judged += 1
      const shown = shownAt(record[id] ?? [], due)
      if (shown !== status)
        late.push(`${id}: ${status} since ${new Date(from).toISOString()}, but ${shown} was shown ${inTime} ms later`)
    }
  }
  return { judged, late }
}

/** How long one of them has had this status at most, until now. */
async function lasting(store: Store, ids: readonly string[], status: string): Promise<number> {
  const truths = await Promise.all(ids.map((id) => truthOf(store, id)))
  return Math.max(
    0,
    ...truths.flat().map((truth) => (truth.status === status ? (truth.to ?? Date.now()) - truth.from : 0)),
  )
}

async function runUntilParked(session: Session, agent: CodingAgent): Promise<string> {
  try {
    const { text: said } = await session.run(agent, 'Go on')
    return said
  } catch (error) {
    if (!isLastgoodError(error, 'session-suspended')) throw error
    // Its process ends, as a job's does.
    await session.close()
    return 'suspended'
  }
}

async function resumedAndAnswered(store: Store, id: string): Promise<{ resumedAt: number; answeredAt: number }> {
  let [resumedAt, answeredAt] = [0, 0]
  for await (const { type, at } of store.read(id)) {
    if (type === 'session-resumed') resumedAt = at
    if (type === 'response-received') answeredAt = at
  }
  return { resumedAt, answeredAt }
}

/** What a machine that stands still takes from everybody: the longest time in which this process did not run. */
function watchStalls(): { longest(): number } {
  const everyMs = 50
  let [last, longest] = [performance.now(), 0]
  const timer = setInterval(() => {
    const now = performance.now()
    longest = Math.max(longest, now - last - everyMs)
    last = now
  }, everyMs)
  onTestFinished(() => clearInterval(timer))
  return { longest: () => longest }
}

function configure(home: string, api: string): void {
  const [sdk, ours] = [import.meta.resolve('@anthropic-ai/sdk'), import.meta.resolve('@lastgood/anthropic')]
  writeFileSync(
    join(home, 'lastgood.config.mjs'),
    `import Anthropic from ${JSON.stringify(sdk)}
     import { defineAgent } from ${JSON.stringify(ours)}
     const client = new Anthropic({ baseURL: ${JSON.stringify(api)}, apiKey: 'any' })
     const coder = defineAgent({ name: 'coder', client, model: 'claude-opus-5-5', maxTokens: 1024 })
     export default { store: './state', agents: { coder } }\n`,
  )
}

/** Of every group that is shown: how many rows it has. */
function groupsOn(page: Page): Promise<Record<string, number>> {
  return page
    .locator('[data-group]')
    .evaluateAll((groups) =>
      Object.fromEntries(
        groups.map((group) => [(group as HTMLElement).dataset['group'], group.querySelectorAll('.row').length]),
      ),
    )
}
