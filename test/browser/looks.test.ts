// How the pages look: in light and dark, on a telephone and on a wide screen; and whether everybody can use them.

import { readFileSync } from 'node:fs'
import type { Page } from 'playwright-core'
import { expect, it, onTestFinished } from 'vitest'
import { describeInBrowser, keepScreen, looks, useBrowser } from './support/browser.ts'
import { StagedDashboard } from './support/staged-dashboard.ts'
import { stagedOverview, troubledOverview } from './support/staged-overview.ts'
import { everyMark, hostileSession } from './support/staged-session.ts'

const axe = readFileSync(new URL(import.meta.resolve('axe-core/axe.min.js')), 'utf8')

const pages = [
  { name: 'overview', hash: '#/', ready: '[data-group="needs-you"] .row' },
  { name: 'session', hash: '#/session/fix-auth-tests', ready: '[data-mark="fault"]' },
  { name: 'trouble', hash: '#/', ready: '.banner.bad', isTroubled: true },
  { name: 'keys', hash: '#/', ready: '.group', press: '.help-button' },
  { name: 'outages', hash: '#/outages', ready: '.outage-plot .answered' },
  { name: 'resume', hash: '#/session/fix-auth-tests', ready: '[data-mark="fault"]', press: '.actions .primary' },
  { name: 'sign-in', hash: '#/', ready: '.sign-in', isOut: true },
] as const

describeInBrowser('the page', () => {
  const browser = useBrowser()

  for (const look of looks) {
    const { colorScheme, viewport } = look
    for (const place of pages) {
      it(`${place.name}, ${colorScheme}, ${viewport.width} wide: nothing is cut off, axe finds nothing serious, the policy nothing at all`, async () => {
        const staged = await new StagedDashboard('isTroubled' in place ? troubledOverview() : stagedOverview(), [
          everyMark(),
          hostileSession(),
        ]).start()
        onTestFinished(() => staged.close())
        const isOut = 'isOut' in place
        const { page, troubles } = await browser.open(`${staged.url}${isOut ? '' : `#token=${staged.token}`}`, look)
        if (!isOut) {
          await page.waitForSelector('.group')
          await page.evaluate((hash) => (location.hash = hash), place.hash)
        }
        await page.waitForSelector(place.ready)
        if ('press' in place) await page.click(place.press)
        await keepScreen(page, `${place.name}-${colorScheme}-${viewport.width}`)
        expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0)
        const broken = (all: Element[]): number => all.filter(({ clientHeight }) => clientHeight > 40).length
        expect(await page.$$eval('.command button', broken)).toBe(0)
        expect(await seriousOf(page)).toEqual([])
        // A refused login is no fault of the page.
        expect(troubles.filter((text) => !isOut || !/401/.test(text))).toEqual([])
      })
    }
  }
})

async function seriousOf(page: Page): Promise<string[]> {
  // Not a script element, which the policy would refuse, rightly.
  await page.evaluate(axe)
  return page.evaluate(async () => {
    const { axe: engine } = window as unknown as { axe: { run(): Promise<Found> } }
    const { violations } = await engine.run()
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(
        ({ id, nodes }) =>
          `${id}: ${nodes
            .map((node) => node.target.join(' '))
            .slice(0, 3)
            .join(', ')} ${nodes[0]?.failureSummary ?? ''}`,
      )
    interface Found {
      violations: { id: string; impact: string; nodes: { target: string[]; failureSummary: string }[] }[]
    }
  })
}
