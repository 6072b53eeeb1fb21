import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { memoryFolder } from './test/support/memory-folder.ts'

const shared = {
  pool: 'forks',
  testTimeout: 30_000,
  hookTimeout: 60_000,
  teardownTimeout: 10_000,
  retry: 0,
  // Other processes and page renders are slower while many tests run.
  expect: { poll: { timeout: 10_000 } },
} as const

const inMemory = memoryFolder()
const env = inMemory === undefined ? {} : { TMPDIR: inMemory }

/** Leases of half a second, or a clock 120 times as fast: a core that other tests occupy would look like a fault. */
const hasty = ['test/clients/**/*.test.ts', 'test/fleet-chaos.test.ts', 'test/fleet-poison.test.ts']

/** As in the build: a Lua file is its text. */
const lua = {
  name: 'lua',
  transform: (code: string, id: string) => (id.endsWith('.lua') ? `export default ${JSON.stringify(code)}` : undefined),
}

export default defineConfig({
  test: {
    // At least two, even on two cores: most files spend most of their time waiting for what they have started.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    reporters: ['default', './test/support/tally-reporter.ts'],
    projects: [
      {
        test: {
          ...shared,
          name: 'unit',
          env,
          include: ['packages/*/src/**/*.test.ts', 'packages/dashboard/page/**/*.test.ts'],
          exclude: ['packages/redis/**', 'packages/fleet/**', '**/node_modules/**'],
        },
      },
      {
        plugins: [lua],
        test: {
          ...shared,
          name: 'redis',
          env,
          include: ['packages/{redis,fleet}/src/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: ['test/browser/**', ...hasty, '**/node_modules/**'],
          // Only here: a global setup in the shared part would run once per project.
          globalSetup: './test/support/redis-global-setup.ts',
        },
      },
      {
        test: {
          ...shared,
          name: 'alone',
          env,
          include: [...hasty],
          globalSetup: './test/support/redis-global-setup.ts',
          fileParallelism: false,
        },
      },
      {
        test: {
          ...shared,
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          globalSetup: './test/browser/support/browser-global-setup.ts',
          // Each file starts a browser, and a small machine has memory for only one.
          fileParallelism: false,
        },
      },
    ],
  },
})
