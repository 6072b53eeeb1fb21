// Ends a run with one plain line, `N passed, N failed`, for scripts to look for. A file that could not be loaded and an
// error outside any test count as failed.

import type { Reporter, TestModule } from 'vitest/node'

export default class TallyReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    let passed = 0
    let failed = unhandledErrors.length
    for (const module of modules) {
      failed += module.errors().length
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state === 'passed') passed++
        if (state === 'failed') failed++
      }
    }
    process.stdout.write(`${passed} passed, ${failed} failed\n`)
  }
}
