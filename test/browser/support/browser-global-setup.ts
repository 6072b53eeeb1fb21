// Before the browser tests: builds the page and finds a Chromium. Without one they are skipped, with the reason; never
// in CI.

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { TestProject } from 'vitest/node'
import { findChromium } from './find-chromium.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Empty if there is none. */
    chromium: string
  }
}

const run = promisify(execFile)
const root = join(import.meta.dirname, '../../..')

export default async function setup(project: TestProject): Promise<void> {
  const found = await findChromium(process.env)
  if ('missing' in found) process.stderr.write(`browser tests are skipped: ${found.missing}\n`)
  project.provide('chromium', 'path' in found ? found.path : '')
  await run(process.execPath, [join(root, 'packages/dashboard/build-page.mjs')])
}
