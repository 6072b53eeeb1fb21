// The page of a session in a real browser: its marks, its table, its actions, its content.

import type { BrowserContextOptions, Page } from 'playwright-core'
import { expect, it, onTestFinished } from 'vitest'
import type { SessionDocument } from '@lastgood/dashboard'
import { describeInBrowser, useBrowser } from './support/browser.ts'
import { StagedDashboard } from './support/staged-dashboard.ts'
import { stagedOverview } from './support/staged-overview.ts'
import { callUnderWay, everyMark, hostileSession, manyTurns, stagedCard } from './support/staged-session.ts'

describeInBrowser('the page of a session', () => {
  const browser = useBrowser()

  async function opened(
    document: SessionDocument,
    look: BrowserContextOptions & { before?: (page: Page) => Promise<void> } = {},
  ) {
    const { before, ...options } = look
    const staged = await new StagedDashboard(stagedOverview([document.card]), [document]).start()
    onTestFinished(() => staged.close())
    const watched = await browser.open(`${staged.url}#token=${staged.token}`, options)
    await watched.page.waitForSelector('.group')
    await before?.(watched.page)
    await watched.page.evaluate((id) => (location.hash = `#/session/${id}`), document.card.sessionId)
    await watched.page.waitForSelector('.steps')
    return { staged, ...watched }
  }

  const marksIn = (page: Page, turn: number): Promise<Record<string, number>> =>
    page.locator(`[data-turn="${turn}"] [data-mark]`).evaluateAll((marks) => {
      const counts: Record<string, number> = {}
      for (const mark of marks) {
        const { mark: kind = '', count = '1' } = (mark as HTMLElement).dataset
        counts[kind] = (counts[kind] ?? 0) + Number(count)
      }
      return counts
    })

  it('draws answers, tools, failures with codes, waits, another model, repairs, resumes and checkpoints', async () => {
    const { page, troubles } = await opened(everyMark())
    expect(await marksIn(page, 1)).toEqual({ answer: 5, tool: 6, checkpoint: 1 })
    expect(await marksIn(page, 2)).toEqual({ answer: 2, tool: 1, failed: 2, wait: 2, fault: 2, checkpoint: 1 })
    expect(await marksIn(page, 3)).toEqual({
      answer: 3,
      tool: 2,
      failed: 5,
      wait: 5,
      fault: 5,
      repaired: 1,
      checkpoint: 1,
    })
    expect(await marksIn(page, 4)).toEqual({
      answer: 1,
      fallback: 2,
      tool: 1,
      failed: 1,
      wait: 1,
      fault: 1,
      rung: 1,
      checkpoint: 1,
    })
    expect(await marksIn(page, 5)).toMatchObject({ doubt: 2, resumed: 1, suspended: 2 })
    expect(await page.textContent('[data-turn="4"] .plot')).toContain('sonnet-5-5')
    expect(await page.textContent('[data-turn="3"] .plot')).toContain('529')
    expect(troubles).toEqual([])
  })

  it.each([
    ['waiting', 'waiting', 'next try in'],
    ['needs-you', 'waiting', 'worth a try in'],
    ['needs-you', 'suspended', 'worth a try in'],
  ] as const)('promises a next try only where a process is there to make it: %s, %s', async (group, status, words) => {
    const document = everyMark()
    const dueAt = new Date(Date.parse(document.at) + 95_000).toISOString()
    const { page } = await opened({ ...document, card: { ...document.card, group, status, dueAt } })
    expect(await page.textContent('.session-head .name')).toContain(words)
  })

  it('folds the 92 minutes of the outage, and puts the provider below on the same axis', async () => {
    const { page } = await opened(everyMark())
    const folds = await page
      .locator('[data-fold-ms]')
      .evaluateAll((all) => all.map((one) => Number((one as HTMLElement).dataset['foldMs'])))
    expect(folds).toEqual([92 * 60_000, expect.any(Number)])
    expect(await page.textContent('.axis')).toContain('1h32m')
    const box = async (selector: string) => (await page.locator(selector).first().boundingBox())!
    const [down, wait] = [await box('[data-band="down"]'), await box('[data-turn="3"] .bar-wait >> nth=-1')]
    expect(Math.abs(down.x + down.width - (wait.x + wait.width))).toBeLessThan(4)
  })

  it('marks the last good turn, and says there what a resume does and costs', async () => {
    const { page, staged } = await opened(everyMark())
    expect(await page.locator('[data-last-good="true"]').getAttribute('data-turn')).toBe('4')
    const [good, here, next] = await Promise.all(
      ['[data-turn="4"]', '.row-resume', '[data-turn="5"]'].map(
        async (selector) => (await page.locator(selector).boundingBox())!,
      ),
    )
    expect(good!.y < here!.y && here!.y < next!.y).toBe(true)
    expect(await page.textContent('.row-resume')).toMatch(
      /up to turn 4 is saved[^]*about \$0\.42 to read 84,000 tokens[^]*1 call of unknown outcome/,
    )
    await page.click('.row-resume button')
    expect(await page.textContent('dialog')).toMatch(/Turn 5 is open[^]*deploy staging/)
    await page.click('dialog [value=rerun]')
    await page.fill('dialog [name=reason]', 'the release waits')
    await page.keyboard.press('Enter')
    await expect
      .poll(() => staged.posts)
      .toEqual([
        { path: '/api/sessions/fix-auth-tests/resume', body: { reason: 'the release waits', inDoubt: 'rerun' } },
      ])
    await expect.poll(() => page.textContent('.toasts')).toContain('It goes on in turn 5.')
    expect(await page.locator('dialog').count()).toBe(0)
  })

  it('asks what becomes of a call only where its tool leaves that to a person', async () => {
    const document = everyMark()
    const inDoubt = [
      { name: 'shell', input: 'git push', rule: 'report' },
      { name: 'read', input: 'a.ts', rule: 'rerun' },
    ] as const
    const { page, staged } = await opened({ ...document, resume: document.resume && { ...document.resume, inDoubt } })
    await page.click('.row-resume button')
    expect(await page.textContent('dialog')).toMatch(
      /One call may have run[^]*nothing is repeated[^]*shell git push[^]*it runs again[^]*read a.ts/,
    )
    expect(await page.locator('dialog [name=inDoubt]').count()).toBe(0)
    await page.fill('dialog [name=reason]', 'the release waits')
    await page.keyboard.press('Enter')
    await expect.poll(() => staged.posts.map(({ body }) => body)).toEqual([{ reason: 'the release waits' }])
  })

  it('tells why an action was refused, and what to do next', async () => {
    const { page, staged } = await opened(everyMark())
    staged.refusal = { status: 409, code: 'session-busy', message: 'pid 12 on build-7 has it', hint: 'take it over' }
    await page.click('text=Fork…')
    await page.fill('dialog [name=reason]', 'another way')
    await page.click('dialog .primary')
    await expect
      .poll(() => page.textContent('dialog [role=alert]'))
      .toBe('Refused: pid 12 on build-7 has it · take it over')
    expect(staged.posts).toEqual([
      { path: '/api/sessions/fix-auth-tests/fork', body: { reason: 'another way', at: 4 } },
    ])
  })

  it('says how many turns a rewind gives up, with the one that is open', async () => {
    const { page, staged } = await opened(everyMark())
    expect(await page.textContent('.facts')).toContain('4 saved, 1 open')
    await page.click('text=Rewind…')
    expect(await page.locator('dialog option').allTextContents()).toEqual([
      'turn 4',
      'turn 3',
      'turn 2',
      'turn 1',
      'before the first turn',
    ])
    expect(await page.textContent('dialog')).toContain('Goes back to turn 4: 1 turn is dropped.')
    await page.selectOption('dialog select', '3')
    expect(await page.textContent('dialog')).toContain('Goes back to turn 3: 2 turns are dropped.')
    await page.fill('dialog [name=reason]', 'wrong way')
    await page.click('dialog .primary')
    await expect
      .poll(() => staged.posts)
      .toEqual([{ path: '/api/sessions/fix-auth-tests/rewind', body: { reason: 'wrong way', to: 3 } }])
  })

  it('gives the client’s own command where only the client can go on', async () => {
    const { card, ...rest } = everyMark('7f3c')
    const { page } = await opened({ ...rest, card: { ...card, clientCommand: 'claude --resume 7f3c' } })
    expect(await page.getAttribute('.actions .primary', 'aria-disabled')).toBe('true')
    expect(await page.textContent('.actions')).toMatch(/only continues by itself[^]*claude --resume 7f3c/)
  })

  it('shows content only after a click, and then as text: nothing hostile becomes an element', async () => {
    const { page } = await opened(everyMark())
    expect(await page.textContent('.steps')).not.toContain('npm test')
    await page.click('text=Show content')
    await expect.poll(() => page.textContent('.steps')).toContain('npm test')
    const { page: other, troubles } = await opened(hostileSession())
    await expect.poll(() => other.textContent('.steps')).toContain('<img src=x onerror=')
    await other.click('.entry-link >> nth=0')
    await expect.poll(() => other.textContent('dialog pre')).toContain('</script>')
    // oxlint-disable-next-line no-control-regex
    expect(await other.textContent('body')).not.toMatch(/[\u001b\u0007\u202e]/)
    expect(await other.locator('img, body script').count()).toBe(0)
    expect(await other.title()).toBe('hostile · lastgood')
    expect(troubles).toEqual([])
  })

  it('shows tools one by one on demand, in lanes that do not overlap', async () => {
    const { page } = await opened(everyMark())
    await page.click('[data-turn="1"] button')
    expect(await page.getAttribute('[data-turn="1"] button', 'aria-expanded')).toBe('true')
    await expect
      .poll(() => page.locator('.row-lane .bar-label').allTextContents())
      .toEqual(expect.arrayContaining(['read_file', '✖ bash', 'edit_file']))
    const boxes = await page.locator('.row-lane .bar').evaluateAll((bars) =>
      bars.map((bar) => {
        const { left, right, top } = bar.querySelector('.bar-label')!.getBoundingClientRect()
        return { left: Math.min(left, bar.getBoundingClientRect().left), right, top }
      }),
    )
    for (const [i, one] of boxes.entries()) {
      for (const other of boxes.slice(i + 1).filter(({ top }) => top === one.top)) {
        expect(one.right <= other.left + 1 || other.right <= one.left + 1).toBe(true)
      }
    }
  })

  it('has every step in the table too, with the number of rows for those who cannot see', async () => {
    const { page } = await opened(everyMark())
    const document = everyMark()
    const steps = document.turns.reduce((sum, turn) => sum + 1 + turn.steps.length + (turn.endedAt === null ? 0 : 1), 0)
    expect(await page.getAttribute('.steps table', 'aria-rowcount')).toBe(String(steps + 1))
    expect(await page.locator('.steps tbody tr').count()).toBe(steps)
  })

  it('holds 2,000 turns with a bounded number of elements, all of them reachable', async () => {
    const { page } = await opened(manyTurns(2_000))
    expect(await page.textContent('.timeline header')).toContain('turns 1961–2000 of 2,000')
    await page.click('text=All turns')
    await expect.poll(() => page.textContent('.timeline header')).not.toContain('1961')
    const count = (): Promise<number> => page.evaluate(() => document.querySelectorAll('*').length)
    expect(await count()).toBeLessThan(2_500)
    await page.evaluate(() => document.querySelector('.steps header')!.scrollIntoView({ block: 'center' }))
    await expect.poll(() => page.locator('[data-turn="2000"]').count()).toBe(1)
    expect(await count()).toBeLessThan(2_500)
    await page.evaluate(() => scrollTo(0, document.body.scrollHeight))
    await expect.poll(() => page.textContent('.steps')).toContain('turn 2000 is saved')
    expect(await count()).toBeLessThan(2_500)
  })

  it('a session that changes faster than it can be read is shown again and again', async () => {
    const { page, staged } = await opened(manyTurns(3))
    staged.slowMs = 700
    let turns = 3
    const timer = setInterval(() => {
      const next = manyTurns((turns += 1))
      staged.sessions.set(next.card.sessionId, next)
      staged.change({ at: next.at, sessions: [next.card] })
    }, 250)
    onTestFinished(() => clearInterval(timer))
    const last = (): Promise<number> =>
      page
        .locator('[data-turn]')
        .evaluateAll((rows) => Math.max(...rows.map((row) => Number((row as HTMLElement).dataset['turn']))))
    await expect.poll(last).toBeGreaterThan(6)
    await expect.poll(last).toBeGreaterThan(10)
    clearInterval(timer)
    await expect.poll(last).toBe(turns)
  })

  it('all turns stay all turns while more of them come', async () => {
    const { page, staged } = await opened(manyTurns(50))
    await page.click('text=All turns')
    const next = manyTurns(53)
    staged.sessions.set(next.card.sessionId, next)
    staged.change({ at: next.at, sessions: [next.card] })
    await expect.poll(() => page.locator('[data-turn="53"]').count()).toBe(1)
    expect(await page.textContent('.chooser')).toContain('Last 40')
  })

  it('is read once when it is opened, however long its journal is', async () => {
    const reads: string[] = []
    const { page } = await opened(manyTurns(3), {
      before: async (page) => {
        await page.clock.install()
        page.on('request', (request) => request.url().includes('/api/sessions/') && reads.push(request.url()))
      },
    })
    await page.clock.runFor(10_000)
    await page.evaluate(() => fetch('api/overview'))
    expect(reads).toHaveLength(1)
  })

  it('a session that could not be read is read once the server answers again, even if nothing has changed in it', async () => {
    const document = everyMark()
    const staged = await new StagedDashboard(stagedOverview([document.card]), [document]).start()
    onTestFinished(() => staged.close())
    const { page } = await browser.open(`${staged.url}#token=${staged.token}`)
    await page.waitForSelector('.group')
    staged.setDown(true)
    await page.click('.row')
    await expect.poll(() => page.textContent('[role=alert]')).toContain('does not answer')
    staged.setDown(false)
    await page.waitForSelector('.steps')
    expect(await page.locator('[role=alert]').count()).toBe(0)
  })

  it('says how a resume that was started here ended, though its session was given back before', async () => {
    const document = everyMark()
    const started = { at: document.at, pid: 4711, lines: [] }
    const { page, staged } = await opened({ ...document, started: { ...started, exitCode: null } })
    expect(await page.textContent('[data-started]')).toContain('Resuming')
    staged.sessions.set(document.card.sessionId, { ...document, started: { ...started, exitCode: 0 } })
    await expect.poll(() => page.textContent('[data-started]')).toContain('The resume is done')
  })

  const viewport = { width: 360, height: 780 }
  const beyond = (page: Page): Promise<number> => page.evaluate(() => document.documentElement.scrollWidth - innerWidth)

  it('is as wide as the screen from its first frame on, before any observer has reported', async () => {
    const { page } = await opened(everyMark(), {
      viewport,
      before: (page) =>
        page.evaluate(() => {
          window.ResizeObserver = class {
            observe() {}
            unobserve() {}
            disconnect() {}
          }
        }),
    })
    expect(await page.locator('[data-mark="fault"]').count()).toBeGreaterThan(0)
    expect(await beyond(page)).toBeLessThanOrEqual(0)
  })

  it('a session whose first turn begins while it is shown is as wide as the screen too', async () => {
    const none = manyTurns(0)
    const { page, staged } = await opened(none, { viewport })
    expect(await page.textContent('.empty')).toBe('No turn has begun yet.')
    const next = everyMark(none.card.sessionId)
    staged.sessions.set(next.card.sessionId, next)
    staged.change({ at: next.at, sessions: [next.card] })
    await page.waitForSelector('[data-mark="fault"]')
    expect(await beyond(page)).toBeLessThanOrEqual(0)
  })

  for (const [what, name] of [
    ['usual', 'run_the_tests'],
    ['longest', 'n'.repeat(128)],
  ] as const) {
    it(`the label of the newest call stays inside the chart, where its name is ${what}`, async () => {
      const { page } = await opened(callUnderWay(name), { viewport })
      await page.click('text=Show tools')
      const label = page.locator('.row-lane .bar-label', { hasText: name })
      await label.waitFor()
      expect(await beyond(page)).toBeLessThanOrEqual(0)
      const plot = (await page.locator('.row-lane .plot').first().boundingBox())!
      const { x, width } = (await label.boundingBox())!
      expect(x + width).toBeLessThanOrEqual(plot.x + plot.width)
      if (what === 'usual') expect(x).toBeGreaterThanOrEqual(plot.x)
    })
  }

  it('says that there is no such session', async () => {
    const staged = await new StagedDashboard(stagedOverview([stagedCard({ sessionId: 'a' })])).start()
    onTestFinished(() => staged.close())
    const { page } = await browser.open(`${staged.url}#token=${staged.token}`)
    await page.waitForSelector('.group')
    await page.evaluate(() => (location.hash = '#/session/gone'))
    await expect.poll(() => page.textContent('[role=alert]')).toBe('there is no such session · lastgood list')
  })
})
