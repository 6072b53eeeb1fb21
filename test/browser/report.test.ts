// What `lastgood show --html` writes, opened from the disk; and the page as the real servers give it, under their own policy.

import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { openSession, type EntryBody } from '@lastgood/core'
import { fileStore } from '@lastgood/core/file'
import { expect, it } from 'vitest'
import { startDashboard } from '../support/dashboard-process.ts'
import { newFolder } from '../support/folder.ts'
import { describeInBrowser, keepScreen, looks, useBrowser } from './support/browser.ts'
import { hostileText } from './support/staged-session.ts'

const program = fileURLToPath(new URL('../../packages/cli/dist/bin/lastgood.js', import.meta.url))
const model = 'claude-opus-5-5'

/** A turn with a failure and a tool, and one that is open; all its words are hostile. */
async function seed(home: string): Promise<void> {
  const session = await openSession('fix-auth', { store: fileStore({ dir: join(home, 'state') }), cwd: home })
  const call = { type: 'tool_use', id: 't1', name: 'run', input: { cmd: hostileText } }
  const answer = (...content: object[]): EntryBody => ({
    type: 'response-received',
    message: { id: 'm', role: 'assistant', model, content, stop_reason: 'end_turn', usage: {} } as never,
  })
  const at = Date.now()
  await session.record([
    { type: 'turn-started', turn: 1, agent: 'coder', messages: [{ role: 'user', content: hostileText }] },
    { type: 'request-sent', model, attempt: 1 },
    {
      type: 'fault-observed',
      fault: { kind: 'overloaded', status: 529, message: 'Overloaded' },
      decision: { kind: 'retry', at },
    },
    { type: 'request-sent', model, attempt: 2 },
    answer({ type: 'text', text: hostileText }, call),
    { type: 'tool-started', toolUseId: 't1', name: call.name, inDoubt: 'report' },
    {
      type: 'tool-finished',
      toolUseId: 't1',
      result: { type: 'tool_result', tool_use_id: 't1', content: hostileText },
      outcome: 'ran',
    },
    { type: 'request-sent', model, attempt: 1 },
    answer({ type: 'text', text: hostileText }),
    { type: 'turn-ended', turn: 1 },
    { type: 'turn-started', turn: 2, agent: 'coder', messages: [{ role: 'user', content: hostileText }] },
    { type: 'request-sent', model, attempt: 1 },
  ])
  await session.close()
}

describeInBrowser('a report', () => {
  const browser = useBrowser()

  it.each(looks)('is whole from the disk, $colorScheme, and hostile content in it is text', async (look) => {
    const home = newFolder()
    await seed(home)
    const file = join(home, 'report.html')
    await promisify(execFile)(
      process.execPath,
      [program, 'show', 'fix-auth', '--store', join(home, 'state'), '--html', file, '--with-content'],
      { cwd: home },
    )
    const { page, troubles } = await browser.open(pathToFileURL(file).href, look)
    await page.waitForSelector('.steps')
    expect(await page.locator('[data-turn="1"] [data-mark="fault"]').getAttribute('title')).toContain('529')
    expect(await page.locator('[data-last-good="true"]').getAttribute('data-turn')).toBe('1')
    expect(await page.textContent('.steps')).toContain('<img src=x onerror=')
    expect(await page.textContent('.row-resume')).toContain('up to turn 1 is saved')
    // Nothing can be done from a file.
    expect(await page.locator('.row-resume button, .actions').count()).toBe(0)
    // oxlint-disable-next-line no-control-regex
    expect(await page.textContent('#page')).not.toMatch(/[\u001b\u0007\u202e]/)
    expect(await page.locator('img').count()).toBe(0)
    expect(await page.title()).toBe('fix-auth · lastgood report')
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0)
    expect(troubles).toEqual([])
    await keepScreen(page, `report-${look.colorScheme}-${look.viewport.width}`)
  })
})

describeInBrowser('the page as it is served', () => {
  const browser = useBrowser()

  it.each(['dashboard', 'gateway'] as const)(
    'lastgood %s: the policy has nothing against it, content comes after a click, a fork is made',
    async (command) => {
      const home = newFolder()
      await seed(home)
      const upstream = command === 'gateway' ? ['--upstream', 'http://127.0.0.1:9'] : []
      const { port, written } = await startDashboard(upstream, { home, command })
      const address = readFileSync(join(home, '.local/state/lastgood/dashboard', `${port}.url`), 'utf8').trim()
      const { page, troubles } = await browser.open(address)
      await page.click('[data-session="fix-auth"] a')
      await page.waitForSelector('.steps')
      expect(await page.textContent('.steps')).not.toContain('onerror')
      await page.click('text=Show content')
      await expect.poll(() => page.textContent('.steps')).toContain('<img src=x onerror=')
      await page.click('.entry-link >> nth=0')
      await expect.poll(() => page.textContent('dialog pre')).toContain('529')
      await page.keyboard.press('Escape')
      await page.click('text=Fork…')
      await page.fill('dialog [name=reason]', 'to try another way')
      await page.fill('dialog [name=newId]', 'fix-auth-2')
      await page.click('dialog .primary')
      await expect.poll(() => page.textContent('.toasts')).toContain('fix-auth-2')
      await page.click('.crumbs a')
      await expect.poll(() => page.locator('[data-session="fix-auth-2"], #group-done').count()).toBeGreaterThan(0)
      await expect.poll(() => page.textContent('.deeds')).toContain('“to try another way”')
      await page.click('text=Outages')
      await page.waitForSelector('.outage-plot .answered')
      expect(troubles).toEqual([])
      expect(written.stderr).not.toMatch(/Error|warning/i)
    },
  )
})
