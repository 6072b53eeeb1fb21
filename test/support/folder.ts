import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** How a test takes what is done after it. One of several concurrent tests has its own. */
export type OnFinished = (end: () => Promise<void> | void) => void

/** A new folder, removed after the test. Its real path, as a process sees it: a temporary folder may be behind a link. */
export function newFolder(under = tmpdir(), onFinished: OnFinished = onTestFinished): string {
  mkdirSync(under, { recursive: true })
  const folder = realpathSync(mkdtempSync(join(under, 'lastgood-')))
  onFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
