import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** A new folder, removed after the test. Its real path, as a process sees it: a temporary folder may be behind a link. */
export function newFolder(under = tmpdir()): string {
  mkdirSync(under, { recursive: true })
  const folder = realpathSync(mkdtempSync(join(under, 'lastgood-')))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
