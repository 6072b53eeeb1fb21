// What a page showed of each session, and when: recorded in the page itself, at every change.

import type { Page } from 'playwright-core'

export interface Shown {
  /** Epoch ms, by the same clock as the journal's. */
  at: number
  status: string
}

/** Records from now on. Folded groups are not seen. */
export async function recordPage(page: Page): Promise<void> {
  await page.evaluate(() => {
    const record: Record<string, Shown[]> = {}
    const look = (): void => {
      for (const row of document.querySelectorAll<HTMLElement>('[data-session]')) {
        const { session = '' } = row.dataset
        const status = row.querySelector<HTMLElement>('[data-status]')?.dataset['status'] ?? ''
        const all = (record[session] ??= [])
        if (all.at(-1)?.status !== status) all.push({ at: Date.now(), status })
      }
    }
    look()
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true })
    Object.assign(window, { lastgoodRecord: record })
    interface Shown {
      at: number
      status: string
    }
  })
}

export const recordOf = (page: Page): Promise<Record<string, Shown[]>> =>
  page.evaluate(() => (window as unknown as { lastgoodRecord: Record<string, Shown[]> }).lastgoodRecord)

/** What was shown at an instant. */
export const shownAt = (record: readonly Shown[], at: number): string | undefined =>
  record.findLast((one) => one.at <= at)?.status
