// The overview in a real browser, with documents that no real run would have.

import type { Page } from 'playwright-core'
import { expect, it, onTestFinished } from 'vitest'
import type { Overview, SessionDocument } from '@lastgood/dashboard'
import { describeInBrowser, useBrowser } from './support/browser.ts'
import { StagedDashboard } from './support/staged-dashboard.ts'
import { manyCards, stagedCards, stagedOverview, troubledOverview } from './support/staged-overview.ts'
import { everyMark, hostileSession, iso, stagedCard, stagedNow } from './support/staged-session.ts'

describeInBrowser('the overview', () => {
  const browser = useBrowser()

  async function opened(overview: Overview = stagedOverview(), documents: SessionDocument[] = [everyMark()]) {
    const staged = await new StagedDashboard(overview, documents).start()
    onTestFinished(() => staged.close())
    const watched = await browser.open(`${staged.url}#token=${staged.token}`)
    await watched.page.waitForSelector('.group')
    return { staged, ...watched }
  }

  it('takes the token out of the address before it shows anything, and needs it no more', async () => {
    const { page, staged } = await opened()
    expect(page.url()).toBe(staged.url)
    await page.reload()
    await page.waitForSelector('.group')
  })

  it('says which command prints a token where there is none, or a wrong one', async () => {
    const staged = await new StagedDashboard(stagedOverview()).start()
    onTestFinished(() => staged.close())
    const { page } = await browser.open(staged.url)
    await expect.poll(() => page.textContent('.sign-in')).toContain('lastgood dashboard')
    // Pasted into the same tab, only the fragment of the address differs.
    await page.goto(`${staged.url}#token=${staged.token}`)
    await page.waitForSelector('.group')
    expect(page.url()).toBe(staged.url)
    const { page: other } = await browser.open(`${staged.url}#token=wrong`)
    await expect.poll(() => other.textContent('[role=alert]')).toContain('not accepted: it is of an earlier start')
    expect(other.url()).toBe(staged.url)
    await other.route('**/api/login', (route) => route.abort())
    await other.goto('about:blank')
    await other.goto(`${staged.url}#token=${staged.token}`)
    await expect.poll(() => other.textContent('[role=alert]')).toMatch(/could not be checked: .* does not answer/)
  })

  it('says in an empty store what will come, and offers nothing that needs a session', async () => {
    const staged = await new StagedDashboard(stagedOverview([])).start()
    onTestFinished(() => staged.close())
    const { page } = await browser.open(`${staged.url}#token=${staged.token}`)
    await expect.poll(() => page.textContent('main')).toContain('No sessions yet')
    expect(await page.locator('[data-group], .tools').count()).toBe(0)
  })

  it('shows providers, the verdict, and groups in the order in which they need somebody', async () => {
    const { page } = await opened()
    expect(
      await page
        .locator('[data-provider]')
        .evaluateAll((cards) => cards.map((card) => card.querySelector('.word')?.textContent)),
    ).toEqual(['down', 'degraded', 'up'])
    expect(await page.textContent('[data-provider="claude-opus-5-5"]')).toMatch(
      /100 % failed[^]*breaker open[^]*next probe in/,
    )
    expect(await page.textContent('.verdict')).toContain('It is not your prompt, key or quota')
    expect(await groupsOn(page)).toEqual({ 'needs-you': 3, waiting: 14, recovered: 6, running: 5, done: 0 })
    // Folded, but counted.
    expect(await page.textContent('#group-done')).toContain('12')
    expect(await page.locator('[data-group="needs-you"] button').count()).toBe(0)
  })

  it('draws the requests of the last hour where they were in it, not where the last of them was', async () => {
    const overview = stagedOverview()
    const [provider] = overview.providers
    provider!.minutes = [{ at: iso(stagedNow - 30 * 60_000), answered: 3, failed: 0 }]
    const { page } = await opened(overview)
    const bar = page.locator('[data-provider="claude-opus-5-5"] .minutes .answered')
    expect(Number(await bar.getAttribute('x'))).toBeCloseTo(29.1)
  })

  it('shows everything that people did, as far as the store keeps it', async () => {
    const overview = stagedOverview()
    const [action] = overview.actions
    const actions = Array.from({ length: 30 }, (_, n) => ({ ...action!, at: iso(stagedNow - n * 60_000) }))
    const { page } = await opened({ ...overview, actions })
    expect(await page.locator('.deeds li').count()).toBe(30)
  })

  it('copies a command, and has it selected where the browser gives it no clipboard', async () => {
    const { page } = await opened()
    const copy = page.locator('.verdict .command button')
    await page.evaluate(() => Object.defineProperty(navigator, 'clipboard', { value: undefined }))
    await copy.click()
    await expect.poll(() => copy.textContent()).toBe('Select it')
  })

  it('counts down by itself', async () => {
    const { page } = await opened()
    const first = await page.textContent('[data-group="waiting"] [data-index="0"] .when time')
    await expect.poll(() => page.textContent('[data-group="waiting"] [data-index="0"] .when time')).not.toBe(first)
  })

  it('a change appears without a reload: in its group, in the strip, in the verdict', async () => {
    const { page, staged } = await opened()
    const [card] = stagedCards().filter(({ group }) => group === 'waiting')
    const overview = stagedOverview()
    staged.change({
      at: iso(stagedNow + 1_000),
      sessions: [
        {
          ...card!,
          group: 'recovered',
          status: 'running',
          recovered: { at: iso(stagedNow), afterMs: 61_000, how: 'same-model', attempts: 1 },
        },
      ],
      removed: ['migrate-billing'],
      providers: overview.providers.map((one) => ({ ...one, state: 'up' })),
      verdict: { kind: 'fine', text: 'Everything answers.', command: null },
    })
    await expect.poll(() => groupsOn(page)).toEqual({ 'needs-you': 2, waiting: 13, recovered: 7, running: 5, done: 0 })
    const why = page.locator(`[data-group="recovered"] [data-session="${card!.sessionId}"] .why .line`)
    expect(await why.first().textContent()).toBe('came through in 1m01s · same model · 1 attempt')
    expect(await page.textContent('.verdict')).toBe('Everything answers.')
    expect(await page.locator('.card.state-up').count()).toBe(3)
  })

  it('says that it is not live, of when it is, and is live again by itself', async () => {
    const { page, staged } = await opened()
    expect(await page.textContent('.live')).toContain('live')
    staged.setDown(true)
    await expect.poll(() => page.textContent('.live')).toMatch(/not live · as of \d+s ago/)
    // What it knew stays.
    expect(await groupsOn(page)).toMatchObject({ 'needs-you': 3 })
    staged.overview = stagedOverview([stagedCard({ sessionId: 'new-one', group: 'running', status: 'running' })])
    staged.setDown(false)
    await expect.poll(() => page.textContent('.live'), { timeout: 15_000 }).toBe(' live')
    expect(await groupsOn(page)).toEqual({ 'needs-you': 0, running: 1 })
  })

  it('says that it is not live while the server stands still, and why', async () => {
    const { page, staged } = await opened()
    staged.isStalled = true
    staged.cut()
    await expect.poll(() => page.textContent('.live'), { timeout: 3_000 }).toMatch(/not live · as of \d+s ago/)
    await expect.poll(() => page.getAttribute('.live', 'title'), { timeout: 10_000 }).toContain('does not answer')
    staged.isStalled = false
    await expect.poll(() => page.textContent('.live'), { timeout: 15_000 }).toBe(' live')
  })

  it('has no connection while nobody sees it, and shows what is true when somebody does again', async () => {
    const { page, staged } = await opened()
    const see = (hidden: boolean): Promise<void> =>
      page.evaluate((value) => {
        Object.defineProperty(document, 'hidden', { configurable: true, value })
        document.dispatchEvent(new Event('visibilitychange'))
      }, hidden)
    expect(staged.viewers).toBe(1)
    await see(true)
    await expect.poll(() => staged.viewers).toBe(0)
    expect(await page.textContent('.live')).toMatch(/not live · as of/)
    staged.overview = stagedOverview([stagedCard({ sessionId: 'new-one', group: 'running', status: 'running' })])
    await see(false)
    await expect.poll(() => page.textContent('.live')).toBe(' live')
    expect(staged.viewers).toBe(1)
    expect(await groupsOn(page)).toEqual({ 'needs-you': 0, running: 1 })
  })

  it('tells of a store that does not answer: why, since when, when it is tried again', async () => {
    const overview = stagedOverview()
    overview.store.trouble = {
      code: 'store-unreachable',
      message: 'redis refuses connections',
      hint: 'start it',
      since: iso(stagedNow - 65_000),
      retryAt: iso(stagedNow + 9_000),
    }
    const { page } = await opened(overview)
    expect(await page.textContent('.banner.bad')).toMatch(
      /redis refuses connections · start it[^]*since 1m ago · tried again in \ds[^]*Below is the last known state/,
    )
  })

  it('what ticks every second is no part of what screen readers announce', async () => {
    const { page, staged } = await opened(troubledOverview())
    staged.setDown(true)
    await expect.poll(() => page.textContent('.live')).toMatch(/not live · as of \d+s ago/)
    await page.evaluate(() => {
      const announced: string[] = []
      Object.assign(window, { announced })
      const note = (records: MutationRecord[]) =>
        announced.push(...records.map(({ target }) => String(target.textContent)))
      const all = { subtree: true, childList: true, characterData: true }
      for (const place of document.querySelectorAll('[role=alert], [role=status], [aria-live]'))
        new MutationObserver(note).observe(place, all)
    })
    for (const selector of ['.banner.bad time >> nth=1', '.live']) {
      const before = await page.textContent(selector)
      await expect.poll(() => page.textContent(selector)).not.toBe(before)
    }
    expect(await page.evaluate(() => (window as unknown as { announced: string[] }).announced)).toEqual([])
  })

  it('is used by keys alone: j and k go through the rows, Enter opens, / searches, ? helps', async () => {
    const { page } = await opened()
    const focused = (): Promise<string | undefined> =>
      page.evaluate(() => document.activeElement?.closest<HTMLElement>('[data-session]')?.dataset['session'])
    await page.keyboard.press('j')
    await expect.poll(focused).toBe('7f3c0a52-6d1e-4c8e-9f0b-2a61f7d0c914')
    await page.keyboard.press('ArrowDown')
    await expect.poll(focused).toBe('migrate-billing')
    await page.keyboard.press('j')
    await page.keyboard.press('j')
    await expect.poll(focused).toBe('fix-auth-checkout-1')
    await page.keyboard.press('k')
    await expect.poll(focused).toBe('fix-auth-tests')
    expect(await page.evaluate(() => getComputedStyle(document.activeElement!).outlineStyle)).toBe('solid')
    await page.keyboard.press('?')
    await page.waitForSelector('dialog[open] kbd')
    await page.keyboard.press('Escape')
    await expect.poll(() => page.locator('dialog').count()).toBe(0)
    await page.keyboard.press('/')
    await page.keyboard.type('billing needs')
    await expect.poll(() => groupsOn(page)).toEqual({ 'needs-you': 1 })
    await page.keyboard.press('Escape')
    await expect.poll(() => groupsOn(page)).toMatchObject({ waiting: 14 })
    await page.keyboard.press('j')
    await page.keyboard.press('Enter')
    await page.waitForSelector('.session-head, .empty')
    // Those who cannot see are told of the page that was opened.
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('content')
    await page.keyboard.press('g')
    await page.waitForSelector('.group')
  })

  it('holds 5,000 sessions with a few hundred elements, and finds the last one by keys and by search', async () => {
    const { page } = await opened(stagedOverview(manyCards(5_000)))
    expect(await page.textContent('.tools [role=status]')).toBe('5,000 sessions')
    expect(await nodes(page)).toBeLessThan(2_000)
    await page.evaluate(() => scrollTo(0, document.body.scrollHeight / 2))
    await expect
      .poll(() => page.locator('[data-group="waiting"] .row, [data-group="running"] .row').count())
      .toBeGreaterThan(5)
    expect(await nodes(page)).toBeLessThan(2_000)
    await page.keyboard.press('k')
    await expect.poll(() => page.evaluate(() => document.activeElement?.className)).toBe('row')
    await page.keyboard.press('/')
    await page.keyboard.type('04997')
    await expect.poll(() => page.locator('.row').count()).toBe(1)
  })

  it('shows hostile words as words', async () => {
    const { page } = await opened(stagedOverview([hostileSession().card]), [hostileSession()])
    const text = await page.textContent('.row')
    expect(text).toContain('</script><img src=x')
    // oxlint-disable-next-line no-control-regex
    expect(text).not.toMatch(/[\u001b\u0007\u202e]/)
    expect(await injected(page)).toEqual([])
  })

  it('resumes all only after a reason, says what that does, and can be stopped', async () => {
    const { page, staged } = await opened()
    staged.stopped = ['a', 'b']
    await page.click('text=Resume all when up…')
    await expect
      .poll(() => page.textContent('dialog'))
      .toMatch(/^Resume all when up.*2 sessions that an outage stopped[^]*One is started first[^]*Left out are/)
    await page.click('dialog .primary')
    expect(staged.posts).toEqual([])
    await page.fill('dialog [name=reason]', 'the outage is over')
    await page.click('dialog .primary')
    await expect.poll(() => staged.posts).toEqual([{ path: '/api/resume-all', body: { reason: 'the outage is over' } }])
    const staggered = {
      startedAt: iso(stagedNow),
      reason: 'the outage is over',
      state: 'going',
      everyMs: 5_000,
      done: ['a'],
      left: ['b', 'c'],
      failed: [{ sessionId: 'd', why: 'busy' }],
      nextAt: iso(stagedNow + 4_000),
    } as const
    staged.change({ at: iso(stagedNow), staggered })
    await expect
      .poll(() => page.textContent('[data-staggered]'))
      .toMatch(/1 of 4 done · 2 left · 1 failed · next in \ds, every 5s/)
    await page.click('[data-staggered] button')
    await expect.poll(() => staged.posts.at(-1)?.path).toBe('/api/resume-all/stop')
    // So can the next round.
    staged.change({ at: iso(stagedNow), staggered: { ...staggered, state: 'stopped' } })
    await expect.poll(() => page.locator('[data-staggered] button').count()).toBe(0)
    staged.change({ at: iso(stagedNow), staggered: { ...staggered, startedAt: iso(stagedNow + 60_000) } })
    await expect.poll(() => page.isEnabled('[data-staggered] button')).toBe(true)
  })

  it('offers nothing where it is read-only, and says why', async () => {
    const { page } = await opened({ ...stagedOverview(), readOnly: true })
    expect(await page.getAttribute('.tools button', 'title')).toContain('read-only')
    expect(await page.isDisabled('.tools button')).toBe(true)
    await page.evaluate(() => (location.hash = '#/session/fix-auth-tests'))
    await page.waitForSelector('.actions')
    expect(await page.locator('.actions .buttons button[aria-disabled=true]').count()).toBe(5)
    await page.click('.actions .primary', { force: true })
    expect(await page.locator('dialog').count()).toBe(0)
    expect(await page.textContent('.actions')).toContain('lastgood resume fix-auth-tests')
  })
})

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

const nodes = (page: Page): Promise<number> => page.evaluate(() => document.querySelectorAll('*').length)

const injected = (page: Page): Promise<string[]> =>
  page.evaluate(() => [...document.querySelectorAll('img, script:not([src]), body script')].map((one) => one.outerHTML))
