// A real Chromium for the tests of a file, with pages that record what went wrong in them.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, inject, onTestFinished, type SuiteFactory } from 'vitest'

/** `describe`, but skipped if there is no Chromium; global setup has reported why. */
export function describeInBrowser(name: string, tests: SuiteFactory): void {
  // oxlint-disable-next-line vitest/valid-describe-callback
  describe.skipIf(inject('chromium') === '')(name, tests)
}

export interface Watched {
  page: Page
  /** Errors and refusals in the browser: by scripts, by the content security policy, of requests. */
  troubles: string[]
}

/** Starts one browser for the tests of this file; it is closed after them. */
export function useBrowser(): { open(url: string, options?: BrowserContextOptions): Promise<Watched> } {
  let browser: Browser | undefined
  beforeAll(async () => {
    // Chromium has no sandbox as root, and a container's shared memory is small.
    browser = await chromium.launch({
      executablePath: inject('chromium'),
      args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
    })
  })
  afterAll(() => browser?.close())
  return {
    async open(url, options = {}) {
      if (!browser) throw new Error('the browser is not there yet')
      const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
      onTestFinished(() => context.close())
      const page = await context.newPage()
      page.setDefaultTimeout(10_000)
      const troubles: string[] = []
      page.on('pageerror', (error) => troubles.push(`error: ${error.message}`))
      page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning')
          troubles.push(`${message.type()}: ${message.text()}`)
      })
      await page.goto(url)
      return { page, troubles }
    },
  }
}

/** Saves a screenshot of a page if LASTGOOD_SCREENS names a folder. */
export async function keepScreen(page: Page, name: string): Promise<void> {
  const folder = process.env['LASTGOOD_SCREENS']
  if (folder === undefined || folder === '') return
  mkdirSync(folder, { recursive: true })
  const before = page.viewportSize()
  // A viewport as tall as the page, rather than `fullPage`: elements that stick to its edges are then in their place.
  const height = await page.evaluate(() => Math.min(4_000, document.documentElement.scrollHeight))
  if (before) await page.setViewportSize({ width: before.width, height: Math.max(before.height, height) })
  await page.screenshot({ path: join(folder, `${name}.png`) })
  if (before) await page.setViewportSize(before)
}

export const looks = [
  { colorScheme: 'light', viewport: { width: 1600, height: 1000 } },
  { colorScheme: 'dark', viewport: { width: 1600, height: 1000 } },
  { colorScheme: 'light', viewport: { width: 360, height: 780 } },
  { colorScheme: 'dark', viewport: { width: 360, height: 780 } },
] as const
